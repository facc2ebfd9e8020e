"""The engine where steps are told apart into their parts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.testing import ScriptedCounter
from tests.unit.metering.test_engine_on_a_device import Lagging
from tests.unit.metering.worlds import GPU_0, PACKAGE, World

if TYPE_CHECKING:
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.settings.checks import Detail

STEP = [("data", 0.3, 50.0), ("forward", 0.1, 200.0), ("backward", 0.2, 400.0), ("optimizer", 0.1, 300.0)]
"""The parts of a step, their seconds and watts."""


def joules(seconds: float) -> float:
    """The energy of so long a training of such steps, each followed by a tenth of a second at 100 W."""
    left = round(seconds, 6)
    total = 0.0
    for _, length, power in [*STEP, ("other", 0.1, 100.0)] * 100:
        taken = min(left, length)
        total += taken * power
        left = max(0.0, round(left - taken, 6))
    return round(total, 6)


def trained(world: World, steps: int = 5) -> RunRecord:
    """Train so many steps, with a reading wherever power changes."""
    with world.engine as meter, meter.phase("train"):
        for _ in range(steps):
            for part, seconds, _ in STEP:
                with meter.part(part):
                    world.run(seconds, 0.1)
            world.run(0.1, 0.1)
            meter.step_done()
    return meter.record


def scripted(factor: float = 1.0, detail: Detail = "step") -> World:
    """A GPU of that power, and a processor of another."""
    return World(
        lambda clock: [
            ScriptedCounter(clock, joules=lambda seconds: factor * joules(seconds), domain=GPU_0),
            ScriptedCounter(clock, lambda _: 10.0, domain=PACKAGE),
        ],
        detail=detail,
        per_step=True,
    )


def test_the_parts_of_steps_have_their_energy() -> None:
    """Each part on every domain, and what nobody told apart is other."""
    record = trained(scripted())
    gpu, package = record.energy.domains

    assert gpu.parts == {
        "train": {"data": 75.0, "forward": 100.0, "backward": 400.0, "optimizer": 150.0, "other": 50.0}
    }
    assert package.parts == {"train": {"data": 15.0, "forward": 5.0, "backward": 10.0, "optimizer": 5.0, "other": 5.0}}
    assert record.part_seconds == {
        "train": {"data": 1.5, "forward": 0.5, "backward": 1.0, "optimizer": 0.5, "other": 0.5}
    }


def test_parts_add_up_to_their_phase() -> None:
    """To the last bit, as a reader with a plain sum would check it, at a power that is no round number."""
    record = trained(scripted(1 / 3))

    assert record.energy.phases["train"] == sum(record.energy.parts["train"].values())
    assert record.energy.total_joules == sum(record.energy.phases.values())


def test_the_summary_tells_what_the_wait_for_data_took() -> None:
    """It is what people can act on."""
    text = trained(scripted()).summary()

    assert "Not training  11.0 % of the energy, 37.5 % of the time: waiting for data 11.0 %" in text


def test_steps_and_their_list_are_as_without_parts() -> None:
    """Telling parts apart changes no step."""
    fine, coarse = scripted(), scripted(detail="phase")
    records = [trained(fine), trained(coarse)]
    lines = [
        [line.split(",")[4:6] for line in world.store.files[record.run_id, "steps.csv"].lines[1:]]
        for world, record in zip((fine, coarse), records, strict=True)
    ]

    assert lines[0] == lines[1]
    assert records[0].step_joules == records[1].step_joules
    assert [records[0].energy.phases, {}] == [records[1].energy.phases, records[1].energy.parts]


def test_nested_parts_go_back_to_the_outer_one() -> None:
    """A wait within a forward pass is a wait, and then it is a forward pass again."""
    world = World(detail="step")
    meter = world.engine.start("train")
    with meter.part("forward"):
        world.run(0.2)
        with meter.part("data"):
            world.run(0.1)
        world.run(0.3)
    record = meter.stop()

    assert {"forward": 50.0, "data": 10.0} == {name: record.energy.parts["train"][name] for name in ("forward", "data")}


def test_a_phase_that_nobody_told_apart_has_no_parts() -> None:
    """Neither has one that was never told of any part but other."""
    world = World(detail="step")
    meter = world.engine.start("train")
    world.run(0.5)
    meter.enter_part("other")
    with meter.phase("validate"), meter.part("forward"):
        world.run(0.5)

    assert ["validate"] == list(meter.stop().energy.parts)


def test_without_detail_parts_do_nothing() -> None:
    """A loop that marks parts runs as before, and its record has none."""
    world = World()
    record = trained(world)

    assert {} == record.energy.parts
    assert {} == record.part_seconds


def test_a_part_after_the_end_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """It hurts nobody."""
    meter = World(detail="step").engine.start()
    meter.stop()
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        for _ in range(3):
            meter.enter_part("data")

    assert ["a part after stop() is not counted"] == caplog.messages


def test_parts_get_their_energy_though_the_device_is_behind() -> None:
    """Their marks are on the device's own clock, as those of steps are."""
    world = Lagging(4, device=True, detail="step")
    assert world.gpu is not None
    meter = world.begin()
    for _ in range(30):
        for part, seconds, power in STEP[1:]:
            meter.enter_part(part)
            world.gpu.launch(seconds=seconds, watts=power)
            world.clock.advance(seconds=0.004)
        meter.step_done()
    world.gpu.synchronize()
    parts = meter.stop().energy.parts["train"]

    for part, seconds, power in STEP[1:]:
        assert parts[part] == pytest.approx(30 * seconds * power, rel=0.05)


def test_parts_that_are_shorter_than_the_news_of_a_sensor_are_unresolved() -> None:
    """In the record of that domain, in the summary, and in the list of steps; longer ones are not."""
    world = scripted()
    with world.engine as meter, meter.phase("train"):
        for _ in range(5):
            for part, seconds in (("data", 0.3), ("forward", 0.02), ("backward", 0.02), ("optimizer", 0.06)):
                with meter.part(part):
                    world.run(seconds, 0.1) if part == "data" else world.clock.advance(seconds=seconds)
            world.samplers[-1].tick()
            meter.step_done()
    record = from_mapping(to_mapping(meter.record))
    gpu = record.energy.domains[0]
    lines = world.store.files[record.run_id, "steps.csv"].lines

    assert 0.1 == pytest.approx(gpu.cadence_seconds)
    assert {"train": ("forward", "backward", "optimizer")} == gpu.unresolved
    assert "forward (unresolved)" in record.summary()
    assert "data wait (unresolved)" not in record.summary()
    assert "train: forward, backward, optimizer (unresolved): they last less than the 100 ms" in record.summary()
    assert {""} == {line.split(",")[6] for line in lines[1:]}


def test_steps_that_are_shorter_than_the_news_of_a_sensor_are_unresolved() -> None:
    """Each line says so for its own step."""
    world = scripted(detail="phase")
    with world.engine as meter, meter.phase("train"):
        world.run(1.0, 0.1)
        for _ in range(4):
            world.clock.advance(seconds=0.05)
            meter.step_done()
        world.run(1.0, 0.1)
        meter.step_done()
    lines = world.store.files[meter.record.run_id, "steps.csv"].lines

    assert ["resolution", "", "unresolved", "unresolved", "unresolved", ""] == [line.split(",")[6] for line in lines]
    assert {} == meter.record.energy.domains[0].unresolved
