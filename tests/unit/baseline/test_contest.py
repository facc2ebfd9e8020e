"""Runs beside each other, whole or in blocks of steps: what decides, and what does not compare."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lightning_carbon.baseline.blocks import MOST_BLOCKS, blocks_of
from lightning_carbon.baseline.contest import Trial, WorkUnit, contest_of, trial_of, work_unit
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import Status
from tests.unit.baseline.test_costs import gpu, package, run
from tests.unit.records.parts import domain, part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.records.journal import Beat, RankPart
    from lightning_carbon.records.run import RunRecord

NAMES = ("eager", "compiled")


def trials(*joules: float, **changes: Any) -> list[Trial]:  # noqa: ANN401 - whatever a run has
    """Runs of ten steps that took so much."""
    return [trial_of(replace(run(gpu(value)), run_id=f"run-{place}", **changes)) for place, value in enumerate(joules)]


USUAL = trials(100.0, 101.0, 99.0, 100.5, 99.5, 100.2)


def test_less_energy_is_told_with_its_interval() -> None:
    """In the finest unit that all runs know, beside the others, with energy and time."""
    less = trials(80.0, 81.0, 79.0, 80.5, 79.5, 80.2)
    contest = contest_of(NAMES, USUAL, less, is_paired=True)

    assert contest.headline().startswith("compiled takes 20.0 % less energy a token than eager (95 % interval -20.")
    assert [f"{quantity} a {unit}" for unit in WorkUnit for quantity in ("energy", "time")] == [
        row[0] for row in contest.rows()
    ]
    assert contest.energy.first == pytest.approx(100.1 / 5_120)
    assert contest.notes[0].startswith("6 pairs of trials; a trial varies by ")


def test_without_a_clear_change_the_needed_trials_are_said() -> None:
    """A headline claims no difference that the interval does not show."""
    contest = contest_of(NAMES, USUAL, USUAL[::-1], is_paired=False, per=WorkUnit.STEP, notes=["As told."])

    assert contest.headline().startswith("compiled beside eager: no difference in energy a step can be seen")
    assert contest.notes[0].startswith("6 and 6 trials; a trial varies by 0.7 %")
    assert "As told." in contest.notes
    assert "To see a change of 2.0 % at this noise takes 6 trials of each." in contest.notes


def test_noise_that_hides_everything_is_said() -> None:
    """No number of runs is named that nobody would run."""
    wild = trials(1.0, 1e6, 3.0, 4e5, 2.0)

    assert any("hides a change" in note for note in contest_of(NAMES, wild, wild[::-1], is_paired=True).notes)


def test_a_comparison_survives_json() -> None:
    """As plain values."""
    plain = contest_of(NAMES, USUAL, USUAL, is_paired=True).as_mapping()

    assert plain == json.loads(json.dumps(plain))
    assert [[f"run-{place}" for place in range(6)]] * 2 == plain["runs"]


def test_runs_that_count_no_steps_compare_as_a_whole() -> None:
    """And no finer unit may be asked for."""
    whole = trials(100.0, 101.0, 99.0, 100.5, 99.5, steps=0)

    assert {WorkUnit.RUN, WorkUnit.STEP, WorkUnit.SAMPLE} == set(trials(100.0, tokens=None)[0].joules)
    assert WorkUnit.RUN == contest_of(NAMES, whole, whole, is_paired=True).unit
    with pytest.raises(ConfigError, match="not every run counts its tokens; give one of run"):
        contest_of(NAMES, whole, USUAL[:5], is_paired=True, per=WorkUnit.TOKEN)


def test_a_unit_of_work_is_known_by_its_name() -> None:
    """Each by its own; no name is no unit, and another name is refused with those that there are."""
    assert [*WorkUnit, None] == [work_unit(name) for name in [*map(str, WorkUnit), None]]
    with pytest.raises(ConfigError, match="per='epoch' cannot be used: give one of token, sample, step, run"):
        work_unit("epoch")


def test_measured_and_modelled_do_not_compare() -> None:
    """Nor does a run that failed, or one with gaps."""
    modelled = [trial_of(run(package())) for _ in range(5)]

    with pytest.raises(ConfigError, match=r"CPU modelled and GPU counter: these do not compare"):
        contest_of(NAMES, USUAL, modelled, is_paired=False)
    with pytest.raises(ConfigError, match="only completed runs are compared"):
        trial_of(replace(run(gpu()), status=Status.FAILED))
    with pytest.raises(ConfigError, match="95% are needed"):
        trial_of(run(gpu(coverage_ratio=0.5), steps=0))


def test_what_weakens_a_comparison_is_noted() -> None:
    """Modelled energy, and other hardware."""
    modelled = [trial_of(run(package(value))) for value in (40.0, 41.0, 40.5, 40.2, 40.1)]
    other = [trial_of(run(replace(package(value), name="Xeon"))) for value in (40.0, 41.0, 40.5, 40.2, 40.1)]
    notes = contest_of(NAMES, modelled, other, is_paired=False).notes

    assert "Nothing was measured: all energy is modelled." in notes
    assert "The hardware differs: EPYC; Xeon." in notes


def journal(rank: int, count: int, uj_a_step: int, *, world: int = 1) -> tuple[RankPart, list[Beat]]:
    """The journal of a rank with a beat every two steps, each of 4 samples and 1 second."""
    beats = []
    uj = {
        domain(f"gpu:{rank}"): uj_a_step * 2 * count,
        domain(f"package:{rank}", provenance="modelled"): 7_000 * count,
    }
    last = part(rank, uj, world=world, steps=2 * count, samples=8 * count, status=Status.COMPLETED)
    for steps in range(0, 2 * count + 1, 2):
        step_uj = (uj_a_step * steps, 3_500 * steps)
        beats.append(replace(last.beat, steps=steps, samples=4 * steps, step_ns=steps * 10**9, step_uj=step_uj))
    return replace(last, beat=beats[-1]), beats


def cut(ranks: Sequence[tuple[RankPart, list[Beat]]], record: RunRecord | None = None) -> list[Trial]:
    """The blocks of a run of some ranks."""
    parts = [last for last, _ in ranks]
    return blocks_of(record or record_of(parts), parts, [beats for _, beats in ranks])


def test_a_run_is_cut_into_blocks_of_its_steps() -> None:
    """The energy of all ranks, the time of a step, the samples of all ranks."""
    blocks = cut([journal(0, 60, 3_000_000, world=2), journal(1, 60, 5_000_000, world=2)])

    assert MOST_BLOCKS == len(blocks)
    for block in blocks:
        assert block.joules[WorkUnit.STEP] == pytest.approx(8.0)
        assert block.joules[WorkUnit.SAMPLE] == pytest.approx(1.0)
        assert block.seconds[WorkUnit.STEP] == pytest.approx(1.0)


def test_a_short_run_cannot_be_cut() -> None:
    """Several runs can still be compared; so it says."""
    with pytest.raises(ConfigError, match="too little of its steps for an interval; compare 5 runs of each"):
        cut([journal(0, 8, 3_000_000)])
