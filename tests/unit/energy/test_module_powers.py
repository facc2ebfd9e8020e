"""The energy of modules, from sampled steps and a sensor whose news are further apart than their boundaries."""

from __future__ import annotations

from functools import cache
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.module_passes import REST, Activity, ModulePass, ModuleShare
from lightning_carbon.energy.module_powers import MOST_TICKS, OUTSIDE, ModuleSums, SampledSteps, TickStretch, ticks_of
from tests.modules import Simulation, held, largest_error

A, B = Activity(ModulePass.FORWARD, "a"), Activity(ModulePass.BACKWARD, "b")


@cache
def trainings() -> list[tuple[list[ModuleShare], dict[Activity, float]]]:
    """Some trainings, each with what was found and the truth."""
    return [Simulation().shares(seed) for seed in range(5)]


def test_known_powers_are_found_where_the_sensor_is_slower_than_the_modules() -> None:
    """Every module above 5 % of the step is less than 10 % off, though a tick holds five boundaries or more."""
    assert 0.1 > max(largest_error(found, truth) for found, truth in trainings())


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Of 90 % intervals, 80 to 98 % hold the truth: where the data decide, and where they hardly do."""
    blurred = mean(held(*Simulation(windows=12, tick_ms=100.0).shares(seed)) for seed in range(4))

    assert 0.8 <= mean(held(found, truth) for found, truth in trainings()) <= 0.98
    assert 0.8 <= blurred <= 1.0


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from([A, B, REST])), min_size=1, max_size=20), st.data())
def test_a_stretch_between_news_is_divided_without_a_rest(
    spans: list[tuple[int, Activity]], data: st.DataObject
) -> None:
    """The activities of each stretch, and the time outside of the window, add up to its length."""
    moments, at_ns = [], 0
    for length, activity in spans:
        moments.append((at_ns, activity))
        at_ns += length
    news = sorted(data.draw(st.sets(st.integers(-30, at_ns + 30), min_size=2, max_size=8)))
    ticks = ticks_of(moments, at_ns, [(moment, 10 * moment) for moment in news])

    assert all(tick.microjoules == 10 * sum(tick.nanoseconds.values()) for tick in ticks)
    assert all(tick.nanoseconds.get(OUTSIDE, 0) <= sum(tick.nanoseconds.values()) / 2 for tick in ticks)


def test_without_news_energy_is_divided_by_time() -> None:
    """The shares are those of time, and the intervals are as wide as what is assumed of powers."""
    sums = ModuleSums()
    sums.add(SampledSteps(2, {A: 30, B: 70}, ()))
    found = {share.activity: share for share in sums.shares()}

    assert (found[A].share, found[B].share) == pytest.approx((0.3, 0.7))
    assert found[A].low < 0.25
    assert found[A].high > 0.35
    assert (found[A].seconds, found[B].seconds) == pytest.approx((15e-9, 35e-9))


def test_the_shares_are_the_same_each_time() -> None:
    """The draws follow from a seed, and a module without time has no share."""
    sums = ModuleSums()
    sums.add(SampledSteps(1, {A: 30, B: 70, REST: 0}, (TickStretch(900, {A: 30}), TickStretch(700, {B: 70}))))

    assert sums.shares() == sums.shares()
    assert (REST, 0.0, 0.0, 0.0) == sums.shares()[-1][:4]


def test_without_draws_an_interval_is_its_value() -> None:
    """Nothing is claimed about what was not drawn."""
    sums = ModuleSums()
    sums.add(SampledSteps(1, {A: 1}, (TickStretch(0, {A: 1}),)))

    assert [(A, 1.0, 1.0, 1.0)] == [share[:4] for share in sums.shares(draws=0)]


def test_nothing_sampled_says_nothing() -> None:
    """No steps, or steps without any time, have no shares."""
    sums = ModuleSums()
    empty = sums.shares()
    sums.add(SampledSteps(1, {A: 0}, ()))

    assert [] == empty == sums.shares()


def test_memory_is_bounded_however_many_steps_are_sampled() -> None:
    """Windows are dropped evenly, so that early and late steps are among those that are kept."""
    sums = ModuleSums()
    for _ in range(2_000):
        sums.add(SampledSteps(1, {A: 10}, (TickStretch(5, {A: 10}),) * 4))

    assert MOST_TICKS // 16 < sums.steps <= MOST_TICKS // 4
