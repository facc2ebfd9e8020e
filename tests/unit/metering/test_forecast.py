"""The forecast of a training: exact where the price of a step is constant, and true to its word where it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.metering.forecast import MOST_BLOCKS, Forecaster, Outlay, Plan, Standing
from tests.forecasts.calibration import calibration, population

STEPS = 1_000


def forecaster(steps: int, *, every: int = 10, joules: float = 3.0, seconds: float = 0.5) -> Forecaster:
    """What was noted of a training whose steps all take the same."""
    found = Forecaster()
    for step in range(every, steps + 1, every):
        found.note(Standing(step, Outlay(step * joules, step * seconds)))
    return found


@given(st.integers(1, 100), st.floats(1e-3, 1e6), st.floats(1e-3, 1e3))
def test_steps_of_one_price_end_where_they_point_to(rows: int, joules: float, seconds: float) -> None:
    """Whatever the price, and however much of the training is over."""
    found = forecaster(10 * rows, joules=joules, seconds=seconds).forecast(Plan(STEPS))

    assert found is not None
    assert pytest.approx(STEPS * joules) == found.joules.value
    assert pytest.approx(STEPS * seconds) == found.seconds.value
    assert pytest.approx((STEPS - 10 * rows) * seconds, abs=1e-6) == found.remaining_seconds.value


@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=300), st.floats(0.1, 1_000.0))
def test_the_interval_holds_the_forecast_and_nothing_that_is_spent_is_forgotten(
    prices: list[float], factor: float
) -> None:
    """However steps scatter; and where all of them take so many times more, so does the end."""
    plain, scaled, spent = Forecaster(), Forecaster(), 0.0
    for number, price in enumerate(prices, 1):
        spent += price
        plain.note(Standing(number, Outlay(spent, spent)))
        scaled.note(Standing(number, Outlay(spent * factor, spent)))
    found, more = plain.forecast(Plan(STEPS)), scaled.forecast(Plan(STEPS))

    assert found is not None
    assert more is not None
    assert spent <= found.joules.low <= found.joules.value <= found.joules.high
    assert found.remaining_seconds.low >= 0
    assert pytest.approx(found.joules.value * factor) == more.joules.value
    assert pytest.approx(found.joules.high * factor) == more.joules.high


def test_a_training_that_is_over_is_known_exactly() -> None:
    """No step, evaluation or checkpoint is to come."""
    found = Forecaster()
    found.note(Standing(STEPS, Outlay(50.0, 5.0), {"validate": (2, Outlay(4.0, 1.0))}))
    end = found.forecast(Plan(STEPS, {"validate": 2}))

    assert end is not None
    assert (54.0, 54.0, 54.0) == (end.joules.low, end.joules.value, end.joules.high)
    assert end.remaining_seconds.high == pytest.approx(0.0)


def test_nothing_is_forecast_without_a_step_or_beyond_the_plan() -> None:
    """A training that goes on longer than it was to is not known to end."""
    assert Forecaster().forecast(Plan(STEPS)) is None
    assert forecaster(20).forecast(Plan(10)) is None


def test_a_warm_up_is_not_taken_for_what_is_to_come() -> None:
    """Steps that compile and fill caches first stay in what was spent, and leave the price of the others alone."""
    found, spent = Forecaster(), 0.0
    for step in range(1, 41):
        spent += 30.0 if step <= 10 else 3.0
        found.note(Standing(step, Outlay(spent, spent)))
    end = found.forecast(Plan(STEPS))

    assert end is not None
    assert pytest.approx(spent + (STEPS - 40) * 3.0) == end.joules.value


def test_evaluations_to_come_cost_what_those_cost_that_came() -> None:
    """Before the first, a batch is priced as a share of a step; where nobody planned them, they come as often."""
    before = forecaster(100)
    seen = forecaster(100)
    seen.note(Standing(100, Outlay(300.0, 50.0), {"validate": (2, Outlay(40.0, 4.0))}))
    guessed = before.forecast(Plan(STEPS, {"validate": 10}, batches=5))
    known = seen.forecast(Plan(STEPS, {"validate": 10}))
    unplanned = seen.forecast(Plan(STEPS))

    assert guessed is not None
    assert known is not None
    assert unplanned is not None
    assert pytest.approx(3_000 + 10 * 5 * 3.0 * 0.4) == guessed.joules.value
    assert pytest.approx(3_000 + 200) == known.joules.value
    assert pytest.approx(3_000 + 400) == unplanned.joules.value
    assert guessed.joules.high - guessed.joules.low > known.joules.high - known.joules.low


def test_memory_stays_flat_however_long_a_training_is() -> None:
    """Blocks are joined, and what they say stays."""
    found = forecaster(50_000, every=1)
    end = found.forecast(Plan(100_000))

    assert len(found.blocks) <= MOST_BLOCKS
    assert end is not None
    assert pytest.approx(300_000) == end.joules.value


def test_a_count_that_falls_begins_again() -> None:
    """What was noted before stays, and is not compared across the gap."""
    found = forecaster(100)
    found.note(Standing(50, Outlay(150.0, 25.0)))
    found.note(Standing(60, Outlay(180.0, 30.0)))
    end = found.forecast(Plan(STEPS))

    assert end is not None
    assert pytest.approx(3_000) == end.joules.value


def test_intervals_hold_the_end_as_often_as_they_say() -> None:
    """Of 150 simulated trainings, at every moment; the whole table is the benchmark's."""
    held = calibration(population(150))

    assert [] == [moment for moment in held if not 0.82 <= moment.inside <= 0.99]
    assert [] == [moment for moment in held if moment.done >= 0.2 and moment.error > 0.04]
