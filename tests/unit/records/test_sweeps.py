"""Sums of sweeps: nothing is lost between trials, and what improved the best value has its price."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.records.overlaps import Overlap
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.records.sweeps import sweep_sum
from lightning_carbon.records.trial import SweepTrial
from tests.unit.records.samples import NOTHING, SMALL


def run(place: int, joules: float, trial: SweepTrial | None, status: str = "completed") -> RunRecord:
    """A run of a sweep, of so many joules and a tenth of the grams."""
    return replace(
        SMALL,
        run_id=f"20261122T0800{place:02}-0001",
        started_at=f"2026-11-22T08:00:{place:02}Z",
        status=status,
        energy=replace(SMALL.energy, total_joules=joules, low_joules=joules, high_joules=joules),
        carbon=replace(SMALL.carbon, grams_co2e=joules / 10),
        trial=trial,
    )


def trial(number: int, value: float | None = None, state: str | None = None) -> SweepTrial:
    """A trial of a search for the least loss."""
    return SweepTrial("rates", number, value=value, state=state, direction="minimize", objective="loss")


RUNS = (
    run(0, 10.0, trial(0, 0.9)),
    run(1, 20.0, trial(1, 1.2)),
    run(2, 5.0, trial(2, 0.1, "pruned")),
    run(3, 30.0, trial(3, 0.4)),
    run(4, 1.0, trial(3, 0.4)),
    run(5, 4.0, trial(4), "failed"),
    run(6, 2.0, trial(5), "running"),
    run(7, 8.0, trial(6, 0.4)),
)


def test_a_sweep_is_told_by_trial() -> None:
    """Two runs of a trial are one trial, and the pruned value is no value that counts."""
    found = sweep_sum("rates", RUNS[::-1])

    assert ["0", "1", "2", "3", "4", "5", "6"] == [tried.name for tried in found.trials]
    assert ["complete", "complete", "pruned", "complete", "failed", "running", "complete"] == [
        tried.state for tried in found.trials
    ]
    assert ("3", "loss", "minimize") == (found.best, found.objective, found.direction)
    assert pytest.approx(31 / 80) == found.best_ratio
    assert {"complete": 69.0, "pruned": 5.0, "failed": 4.0, "running": 2.0} == found.state_joules
    assert (2, True) == (found.trials[3].runs, found.trials[3].is_best)


def test_a_gain_costs_what_was_spent_since_the_best_before() -> None:
    """Trials that led nowhere count to the next that improves; the whole gain has everything after the first trial."""
    found = sweep_sum("rates", RUNS)

    assert [None, None, None, pytest.approx(0.5), None, None, None] == [tried.gain for tried in found.trials]
    assert pytest.approx((20 + 5 + 31) / 0.5) == found.trials[3].joules_per_gain
    assert pytest.approx((80 - 10) / 0.5) == found.joules_per_gain


def test_the_direction_decides_which_is_best() -> None:
    """Given with the metric, it goes before what the search told; without any, no trial is the best."""
    most = sweep_sum("rates", RUNS, direction="maximize", objective="accuracy")
    nameless = sweep_sum("rates", [run(0, 1.0, None), run(1, 1.0, None)])

    assert ("1", "accuracy") == (most.best, most.objective)
    assert (None, None, None) == (nameless.best, nameless.best_ratio, nameless.joules_per_gain)


def test_values_of_runs_stand_in_for_those_of_the_search() -> None:
    """A search outside of this process tells no value; the trainer logged one."""
    runs = [run(0, 1.0, None), replace(run(1, 3.0, SweepTrial("s")), run_name="wide"), run(2, 2.0, SweepTrial("s"))]
    found = sweep_sum("s", runs, values={runs[1].run_id: 2.0, runs[2].run_id: 1.5}, direction="minimize")

    assert [None, 2.0, 1.5] == [tried.value for tried in found.trials]
    assert [runs[0].run_id, "wide", runs[2].run_id] == [tried.name for tried in found.trials]
    assert pytest.approx(2.0 / 0.5) == found.joules_per_gain


def test_runs_of_one_name_are_trials_of_their_own() -> None:
    """Where no search says that they belong together."""
    runs = [replace(run(place, 1.0, None), run_name="trial") for place in range(2)]

    assert ["trial", runs[1].run_id] == [tried.name for tried in sweep_sum("trial", runs).trials]


def test_energy_that_is_not_known_is_absent() -> None:
    """A trial without a sensor has none, and the sum is that of the others."""
    unknown = replace(NOTHING, trial=replace(trial(8), parameters={"lr": 0.1}))
    found = sweep_sum("rates", [unknown])

    assert (None, None, "failed", {"lr": 0.1}) == (
        found.trials[0].joules,
        found.trials[0].grams_co2e,
        found.trials[0].state,
        found.trials[0].parameters,
    )
    assert (0.0, None) == (found.joules, sweep_sum("rates", [replace(unknown, trial=trial(1, 2.0))]).best_ratio)


def test_trials_on_the_same_hardware_are_told() -> None:
    """The part that both have is named, not taken off."""
    first, second = RUNS[0], replace(RUNS[1], overlaps=(Overlap(RUNS[0].run_id, "lisa", ["GPU"], 0.0, 1.0, 4.0),))

    assert pytest.approx(4.0) == sweep_sum("rates", [first, second]).twice_joules


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 5), st.sampled_from(Status)), max_size=12))
def test_no_joule_is_lost_between_trials(drawn: list[tuple[float, int, Status]]) -> None:
    """The trials, and the states, add up to the sweep."""
    runs = [run(place, joules, trial(number), status.value) for place, (joules, number, status) in enumerate(drawn)]
    found = sweep_sum("rates", runs)
    least = 1e-6 * len(runs)  # a record's last digit

    assert pytest.approx(sum(joules for joules, _, _ in drawn), abs=least) == found.joules
    assert pytest.approx(found.joules, abs=least) == sum(found.state_joules.values())
    assert pytest.approx(found.grams_co2e, abs=least) == found.joules / 10
