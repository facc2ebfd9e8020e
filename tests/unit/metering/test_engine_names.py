"""The engine where a program names phases and parts as it likes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.energy.phases import MOST_NAMES, Phase
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.mapping import from_mapping, to_mapping
from tests.unit.metering.worlds import World

if TYPE_CHECKING:
    from lightning_carbon.settings.checks import Detail


def test_a_phase_of_any_name_has_its_energy_after_the_known_ones() -> None:
    """In the record as written and read again, in its seconds and in the summary; all of them add up to the run."""
    world = World()
    meter = world.engine.start("rollout")
    world.run(1.0)
    with meter.phase("train"):
        world.run(2.0)
        with meter.phase("score-4.2"):
            world.run(1.0)
    world.run(1.0)
    record = from_mapping(to_mapping(meter.stop()))

    assert {"train": 200.0, "rollout": 200.0, "score-4.2": 100.0} == record.energy.phases
    assert ["train", "rollout", "score-4.2"] == [*record.energy.phases] == [*record.phase_seconds]
    assert [*record.energy.domains[0].phases] == [*record.energy.phases]
    assert record.summary().index("  train ") < record.summary().index("  rollout ")


def test_a_part_of_any_name_is_a_part_of_its_phase() -> None:
    """Known parts come first, and all of them add up to the phase."""
    world = World(detail="step")
    with world.engine as meter, meter.phase("rollout"):
        for part in ("generate", "score", "forward"):
            with meter.part(part):
                world.run(1.0)
    record = meter.record

    assert {"forward": 100.0, "generate": 100.0, "score": 100.0} == record.energy.parts["rollout"]
    assert ["forward", "generate", "score"] == [*record.energy.parts["rollout"]]
    assert 300.0 == record.energy.phases["rollout"]


def test_a_step_has_a_phase_of_another_name_in_its_midst() -> None:
    """The energy of a step is that of all between the ends of two steps; a known phase in between is in no step."""
    world = World()
    with world.engine as meter:
        meter.enter("train")
        for _ in range(2):
            world.run(1.0)
            with meter.phase("rollout"):
                world.run(2.0)
                with meter.phase("score"):
                    world.run(1.0)
            world.run(1.0)
            meter.step_done()
            with meter.phase("validate"):
                world.run(1.0)

    assert pytest.approx(1_000.0) == meter.record.step_joules
    assert {"train": 400.0, "validate": 200.0, "rollout": 400.0, "score": 200.0} == meter.record.energy.phases


def test_a_step_that_ends_in_a_phase_of_another_name_is_of_that_phase() -> None:
    """What was before it is in no step, and no step is counted twice."""
    world = World()
    with world.engine as meter:
        for phase in ("actor", "critic"):
            world.run(1.0)
            with meter.phase(phase):
                world.run(1.0)
                meter.step_done()

    assert (200.0, 400.0) == (meter.record.step_joules, meter.record.energy.total_joules)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a\x1b[2J",
        "line\nbreak",
        ".hidden",
        "a/b",
        "a,b",
        '"',
        "ends-",
        "\ud800",
        "ü" * 33,
        7,
        None,
        ["x"],
        "Train",
    ],
)
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    """With the argument, the value and what would work, before the start as after it, for phases and parts."""
    meter = World(detail="step").engine

    for started in (False, True):
        if started:
            meter.start()
        with pytest.raises(ConfigError, match=r"^phase=.* cannot be used: (give letters .* train, |write 'train')"):
            meter.enter(name)
        part = "Data" if name == "Train" else name
        with pytest.raises(ConfigError, match=r"^part=.* cannot be used: (give letters .* forward, |write 'data')"):
            meter.enter_part(part)


@pytest.mark.parametrize("detail", ["phase", "step"])
def test_there_are_so_many_names_at_most(detail: Detail, caplog: pytest.LogCaptureFixture) -> None:
    """Those beyond are warned of once and count to what is around them, and nothing is lost."""
    world = World(detail=detail)
    with caplog.at_level(logging.WARNING, "lightning_carbon"), world.engine as meter, meter.phase("train"):
        for number in range(MOST_NAMES + 10):
            with meter.phase(f"phase {number}"), meter.part("extra"):
                world.run(0.1)
    record = meter.record
    own = [phase for phase in record.energy.phases if phase not in frozenset(Phase)]

    assert own == [f"phase {number}" for number in range(MOST_NAMES if detail == "phase" else MOST_NAMES // 2)]
    assert record.energy.total_joules == pytest.approx(10.0 * (MOST_NAMES + 10))
    assert record.energy.phases["train"] == pytest.approx(10.0 * (MOST_NAMES + 10 - len(own)))
    assert 1 == len(caplog.records)
    assert caplog.messages[0].startswith(f"a run may have {MOST_NAMES} names of its own")
