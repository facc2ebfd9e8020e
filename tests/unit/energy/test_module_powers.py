"""The energy of modules, from sampled steps and a sensor whose news are further apart than their boundaries."""

from __future__ import annotations

from functools import cache
from statistics import mean

import pytest

from lightning_carbon.energy.module_passes import REST, Activity, ModulePass, Origin
from lightning_carbon.energy.module_powers import MOST_WINDOWS, ModuleSums
from lightning_carbon.energy.module_ticks import Span, spans_of
from tests.modules import Simulation, Trained, held, largest_error

A, B = Activity(ModulePass.FORWARD, "a"), Activity(ModulePass.BACKWARD, "b")


@cache
def trainings() -> list[Trained]:
    """Some trainings, each with what was found and the truth."""
    return [Simulation(seconds=40.0).train(seed) for seed in range(3)]


def spans(*parts: tuple[int, Activity]) -> list[Span]:
    """Activities in a row of given lengths, in a step that begins at 0."""
    at_ns, boundaries = 0, [(0, REST, Origin.STEP)]
    for length, activity in parts:
        boundaries.append((at_ns, activity, Origin.MODULE))
        at_ns += length
    return spans_of(boundaries, at_ns)


def test_known_powers_are_found_where_the_sensor_is_slower_than_the_modules() -> None:
    """Every module above 5 % of the step is less than 10 % off, though a tick holds five boundaries or more."""
    assert 0.1 > max(map(largest_error, trainings()))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Of 90 % intervals, 75 to 98 % hold the truth: where the data decide, and where they hardly do."""
    blurred = mean(held(Simulation(seconds=20.0, tick_ms=100.0).train(seed)) for seed in range(4))

    assert 0.75 <= mean(map(held, trainings())) <= 0.98
    assert 0.8 <= blurred <= 1.0


def test_steps_that_are_only_followed_tell_what_sampled_ones_cannot() -> None:
    """Nobody sampled while the sensor had news; the marks of later steps and its news then do as well."""
    sums = ModuleSums()
    sums.add(1, spans((40, A), (60, B)), ())
    heights, microjoules = [(0, 0)], 0
    for at_ns in range(30, 6_001, 30):
        microjoules += sum(20 if moment % 100 < 40 else 10 for moment in range(at_ns - 30, at_ns))
        heights.append((at_ns, microjoules))
    sums.follow(spans_of([(100 * step, REST, Origin.STEP) for step in range(60)], 6_000), heights)
    found = {share.activity: share.share for share in sums.shares(draws=0)}

    assert found[A] == pytest.approx(800 / 1_400, rel=0.01)
    assert found[B] == pytest.approx(600 / 1_400, rel=0.01)


def test_without_news_energy_is_divided_by_time() -> None:
    """The shares are those of time, and the intervals are as wide as what is assumed of powers."""
    sums = ModuleSums()
    sums.add(2, spans((30, A), (70, B)), ())
    found = {share.activity: share for share in sums.shares()}

    assert (found[A].share, found[B].share) == pytest.approx((0.3, 0.7))
    assert found[A].low < 0.25
    assert found[A].high > 0.35
    assert (found[A].seconds, found[B].seconds) == pytest.approx((15e-9, 35e-9))


def test_the_shares_are_the_same_each_time() -> None:
    """The draws follow from a seed, and a module without time has no share."""
    sums = ModuleSums()
    sums.add(1, spans((30, A), (70, B)), ((0, 0), (30, 900), (100, 1_600)))

    assert sums.shares() == sums.shares()
    assert (REST, 0.0, 0.0, 0.0) == sums.shares()[-1][:4]


def test_without_draws_an_interval_is_its_value() -> None:
    """Nothing is claimed about what was not drawn; a sensor that shows no energy tells nothing."""
    sums = ModuleSums()
    sums.add(1, [Span(0, 1, A, Origin.STEP)], ((0, 0), (1, 0)))

    assert [(A, 1.0, 1.0, 1.0)] == [share[:4] for share in sums.shares(draws=0)]


def test_powers_of_zero_leave_the_division_to_time() -> None:
    """Energy that fell outside of the steps alone is nobody's, and no share is undefined."""
    sums = ModuleSums()
    sums.add(1, [Span(0, 50, A, Origin.STEP)], ((0, 0), (50, 0), (99, 10**9)))

    assert 1.0 == pytest.approx(sum(share.share for share in sums.shares()))


def test_nothing_sampled_says_nothing() -> None:
    """No steps, or steps without any time, have no shares; nor has what follows them."""
    sums = ModuleSums()
    empty = sums.shares()
    sums.add(1, [Span(0, 0, A, Origin.STEP)], ())
    sums.follow([Span(0, 100, A, Origin.STEP)], ((0, 0), (100, 5)))
    sums.follow([], ())

    assert [] == empty == sums.shares()


def test_memory_is_bounded_however_many_steps_are_sampled() -> None:
    """Windows are dropped evenly, so that early and late steps are among those that are kept."""
    sums = ModuleSums()
    for _ in range(3 * MOST_WINDOWS):
        sums.add(1, spans((10, A)), ((0, 0), (5, 5), (10, 10)))

    assert MOST_WINDOWS // 4 < sums.steps <= MOST_WINDOWS
