"""From journals to a measurement: figures are the truth, and laws hold for any journals."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import NewerSchema, RecordError, StudyError
from lightning_carbon.study.measured.from_journals import Label, measure_journals, training_seconds, watts_now
from lightning_carbon.study.measured.measurement import MEASUREMENT_SCHEMA, from_mapping, to_mapping
from tests.unit.records.parts import domain
from tests.unit.study.measured.journals import DRAM, GPU, PACKAGE, journal, later

LABEL = Label("Toy", "transformer_base", ("python", "train.py"), 40.0)


def test_each_component_has_its_mean_power_after_warm_up() -> None:
    """Counter and model keep their provenance and their range; setting up is in no average."""
    found = measure_journals(
        [
            journal(
                [GPU, PACKAGE, DRAM], lambda at, place: (200.0 if at < 15 else 300.0) if place == 0 else 10.0 * place
            )
        ],
        LABEL,
    )

    assert {"gpu:0": 300.0, "package:0": 10.0, "dram:0": 20.0} == pytest.approx(
        {domain.id: domain.watts for domain in found.domains}
    )
    assert ["counter", "modelled", "counter"] == [domain.provenance for domain in found.domains]
    assert pytest.approx([0.05] * 3) == [domain.uncertainty_ratio for domain in found.domains]
    assert (60.0, 15.0, 330.0) == pytest.approx(
        (found.training_seconds, found.settling.warmup_seconds, found.settling.watts)
    )
    assert (1, True) == (found.accelerators, found.settling.settled)


def test_speed_is_of_the_steps_after_warm_up() -> None:
    """Steps, samples and tokens a second; of several ranks, their samples and tokens add up."""
    pair = [
        journal(rank=rank, world=2, steps_per_second=4.0, samples=8, tokens=100, host=f"node-{rank}")
        for rank in range(2)
    ]
    speed = measure_journals(pair, LABEL).speed

    assert (4.0, 64.0, 800.0) == pytest.approx(
        (speed.steps_per_second, speed.samples_per_second, speed.tokens_per_second)
    )
    assert 40.0 == speed.steps_per_epoch


def test_what_a_program_does_not_tell_is_absent() -> None:
    """No step, no samples and no tokens are no speed."""
    speed = measure_journals([journal(steps_per_second=0.01, samples=None)], LABEL).speed

    assert (0, None, None, None) == (
        speed.steps,
        speed.steps_per_second,
        speed.samples_per_second,
        speed.tokens_per_second,
    )


def test_hardware_that_ranks_share_counts_once() -> None:
    """Two ranks of one host with one GPU have one GPU; on two hosts they have two, told apart by name."""
    shared = measure_journals([journal(rank=rank, world=2) for rank in range(2)], LABEL)
    apart = measure_journals([journal(rank=rank, world=2, host=f"node-{rank}") for rank in range(2)], LABEL)

    assert (1, 2) == (shared.accelerators, apart.accelerators)
    assert (300.0, 600.0) == pytest.approx((shared.settling.watts, apart.settling.watts))
    assert ["node-0/gpu:0", "node-1/gpu:0"] == [domain.id for domain in apart.domains]


def test_what_another_domain_includes_is_told_and_not_counted() -> None:
    """Totals sum the roots."""
    psys, package = domain("psys:0"), domain("package:0", parent="psys:0")
    found = measure_journals([journal([psys, package], lambda _, place: 100.0 - 40 * place)], LABEL)

    assert [("psys:0", True), ("package:0", False)] == [(domain.id, domain.counted) for domain in found.domains]
    assert pytest.approx(100.0) == found.settling.watts
    assert ["psys:0"] == [domain.id for domain in found.counted]


def test_a_program_without_phases_trains_all_the_time() -> None:
    """What it does not divide is its training, and so is what it calls by names of its own."""
    for phase in ("other", "rollout"):
        found = measure_journals([journal(phase=phase, seconds=30.0)], LABEL)

        assert (30.0, 300.0) == pytest.approx((found.training_seconds, found.settling.watts))


@pytest.mark.parametrize("covered", [0.5, 0.9])
def test_power_is_of_the_time_that_readings_cover(covered: float) -> None:
    """Nothing is filled in, and the share of the time is told."""
    (gpu,) = measure_journals([journal(covered=covered)], LABEL).domains

    assert (300.0, covered) == pytest.approx((gpu.watts, gpu.coverage_ratio))


def test_without_readings_there_is_no_power() -> None:
    """Absent, not zero, beside another rank's that is known; where nothing is known, that is refused."""
    dead = journal(covered=0.0)
    found = measure_journals([dead, journal([PACKAGE], rank=1, world=2, host="node-1")], LABEL)

    assert (None, 0.0) == (found.domains[0].watts, found.domains[0].coverage_ratio)
    assert (0, ["node-1/package:0"]) == (found.accelerators, [domain.id for domain in found.counted])
    with pytest.raises(StudyError, match="no sensor could be read after the warm-up"):
        measure_journals([dead], LABEL)


def test_a_journal_that_was_begun_anew_is_as_good() -> None:
    """Every beat has the totals so far."""
    whole = journal([GPU, PACKAGE])
    found = measure_journals([later(whole, 30)], LABEL, warmup_seconds=20.0)

    assert measure_journals([whole], LABEL, warmup_seconds=20.0) == found


@given(
    st.lists(st.floats(0.0, 1_000.0), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
    st.floats(0.1, 10.0),
)
def test_the_order_of_domains_changes_no_figure_and_power_is_additive(
    levels: list[float], source: object, scale: float
) -> None:
    """The total is the sum of the parts however they are ordered, and scales as they do."""
    domains = [domain(f"gpu:{place}") for place in range(len(levels))]
    order = list(range(len(levels)))
    source.shuffle(order)  # type: ignore[attr-defined]
    measurement = measure_journals([journal(domains, lambda _, place: levels[place], seconds=20.0)], LABEL)
    scaled = measure_journals(
        [journal([domains[place] for place in order], lambda _, place: levels[order[place]] * scale, seconds=20.0)],
        LABEL,
    )

    assert pytest.approx(sum(levels), abs=1e-4) == measurement.settling.watts
    assert pytest.approx(measurement.settling.watts * scale, abs=1e-3) == scaled.settling.watts
    assert {domain.id: pytest.approx((domain.watts or 0.0) * scale, abs=1e-3) for domain in measurement.domains} == {
        domain.id: domain.watts for domain in scaled.domains
    }


@pytest.mark.parametrize(
    ("given_journal", "said"),
    [
        (journal([]), "nothing of the training could be metered on this machine"),
        (journal(seconds=0.0), "ended before it began to train"),
        (journal(seconds=5.0), "metered for 5.0 s, too short to tell"),
    ],
)
def test_what_cannot_be_measured_is_refused(given_journal: object, said: str) -> None:
    """With the reason."""
    with pytest.raises(StudyError, match=said):
        measure_journals([given_journal], LABEL)  # type: ignore[list-item]


def test_how_long_it_has_trained_and_at_what_power_is_known_meanwhile() -> None:
    """Of the last seconds; before two beats, nothing is known."""
    whole = journal(watts=lambda at, _: 100.0 if at < 50 else 400.0)

    assert (0.0, 60.0) == (training_seconds(whole.beats[0]), training_seconds(whole.beats[-1]))
    assert (400.0, None) == (watts_now([whole]), watts_now([later(whole, 120)]))


def test_a_measurement_survives_json() -> None:
    """What is written is read again, keys of later versions are passed over, and later schemas are not read half."""
    found = measure_journals([journal([GPU, PACKAGE], tokens=5)], LABEL)
    mapping = json.loads(json.dumps(to_mapping(found)))

    assert found == from_mapping({**mapping, "unheard_of": 1})
    with pytest.raises(NewerSchema, match="reads up to"):
        from_mapping({**mapping, "schema": MEASUREMENT_SCHEMA + 1})
    with pytest.raises(RecordError, match="not a measurement: name is missing"):
        from_mapping({"schema": 1})
    with pytest.raises(RecordError, match=r"not a measurement: extent has hours=1 cannot be used"):
        from_mapping({**mapping, "extent": {"hours": 1, "steps": 2}})
    assert found == replace(found)
