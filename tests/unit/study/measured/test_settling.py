"""Whether power has settled: found warm-ups, drifts, and laws that hold for any powers."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import StudyError
from lightning_carbon.study.measured.settling import MOST_BLOCKS, block_count, settle

powers = st.lists(st.floats(1.0, 2_000.0), min_size=20, max_size=MOST_BLOCKS)
"""Mean powers of the blocks of a training."""


def noisy(*levels: float, blocks: int, noise: float = 0.0, seed: int = 1) -> list[float]:
    """Levels of power, one after the other, with normal noise."""
    source = random.Random(seed)
    return [source.gauss(level, noise) for level in levels for _ in range(blocks)]


@given(st.floats(0.1, 5_000.0), st.integers(20, MOST_BLOCKS))
def test_constant_power_has_settled_from_the_start(watts: float, blocks: int) -> None:
    """There is no warm-up, the mean is that power, and there is no drift."""
    found = settle([watts] * blocks, 60.0)

    assert (0.0, True) == (found.warmup_seconds, found.settled)
    assert pytest.approx(watts) == found.watts
    assert pytest.approx(0, abs=1e-6 * watts) == found.drift_watts_per_minute


@given(st.integers(1, 25), st.floats(0.1, 0.9))
def test_a_warm_up_of_less_than_half_is_found_to_the_block(cold: int, share: float) -> None:
    """Power that jumps to its level is averaged from there on."""
    found = settle([300 * share] * cold + [300.0] * (60 - cold), 600.0)

    assert (10.0 * cold, 600.0 - 10.0 * cold) == pytest.approx((found.warmup_seconds, found.averaged_seconds))
    assert pytest.approx(300.0) == found.watts
    assert found.settled


@pytest.mark.parametrize("noise", [0.0, 3.0, 15.0])
def test_power_that_approaches_its_level_is_averaged_where_it_is_near(noise: float) -> None:
    """A GPU that warms up with a time constant of 40 s settles within ten minutes, within 1 % of its level."""
    source = random.Random(7)
    watts = [300 * (1 - 0.2 * math.exp(-at / 4)) + source.gauss(0, noise) for at in range(60)]
    found = settle(watts, 600.0)

    assert found.settled
    assert pytest.approx(300.0, rel=0.01, abs=2 * found.watts_error) == found.watts
    assert 30 <= found.warmup_seconds <= 300


@pytest.mark.parametrize(("start", "end"), [(100.0, 300.0), (300.0, 100.0), (290.0, 310.0)])
def test_power_that_never_stops_changing_has_not_settled(start: float, end: float) -> None:
    """The drift is the slope of the line."""
    watts = [start + (end - start) * (place + 0.5) / 60 for place in range(60)]
    found = settle(watts, 600.0)

    assert not found.settled
    assert pytest.approx((end - start) / 10) == found.drift_watts_per_minute
    assert found.drift_percent_per_minute == pytest.approx((end - start) / 10 / found.watts * 100)


def test_power_that_jumps_in_the_second_half_has_not_settled() -> None:
    """As where another job began beside it."""
    assert not settle(noisy(300.0, 300.0, 400.0, blocks=20, noise=3.0), 600.0).settled


def test_a_change_of_less_than_two_percent_has_settled_and_is_told() -> None:
    """It moves the average by one percent at most."""
    found = settle([300.0 + 5 * place / 60 for place in range(60)], 600.0)

    assert found.settled
    assert pytest.approx(0.5) == found.drift_watts_per_minute


@pytest.mark.parametrize("seed", range(10))
def test_noise_alone_is_no_drift(seed: int) -> None:
    """However rough a load is, its mean has settled where it goes up and down around it."""
    found = settle(noisy(50.0, blocks=60, noise=15.0, seed=seed), 60.0)

    assert abs(found.watts - 50.0) <= 2 * found.watts_error
    assert abs(found.drift_watts_per_minute) <= 2 * found.drift_error


@given(powers, st.floats(0.01, 100.0))
def test_a_larger_unit_changes_figures_and_no_verdict(watts: list[float], scale: float) -> None:
    """Power times a factor has its mean and its drift times that factor, and the same drift in percent."""
    first, second = settle(watts, 300.0), settle([scale * level for level in watts], 300.0)
    if first.warmup_seconds != second.warmup_seconds:
        return  # two beginnings as good as each other, which rounding decides between

    assert pytest.approx(first.watts * scale) == second.watts
    assert pytest.approx(first.drift_watts_per_minute * scale, abs=1e-6 * scale) == second.drift_watts_per_minute
    assert pytest.approx(first.watts_error * scale, abs=1e-6 * scale) == second.watts_error


@given(powers, st.floats(10.0, 10_000.0), st.floats(1.0, 50.0))
def test_a_slower_clock_changes_times_and_no_average(watts: list[float], seconds: float, slower: float) -> None:
    """The same blocks over a longer time have the same mean, and a drift that is smaller by as much."""
    first, second = settle(watts, seconds), settle(watts, seconds * slower)

    assert first.watts == second.watts
    assert pytest.approx(first.warmup_seconds * slower) == second.warmup_seconds
    assert pytest.approx(first.drift_watts_per_minute / slower, abs=1e-9) == second.drift_watts_per_minute


@given(powers, st.integers(0, 16))
def test_a_warm_up_that_is_given_is_left_out_and_no_more(watts: list[float], blocks: int) -> None:
    """The average is of the rest, settled or not, and the figures say who decided."""
    found = settle(watts[blocks:], float(len(watts)), warmup_seconds=float(blocks))

    assert pytest.approx(sum(watts[blocks:]) / len(watts[blocks:])) == found.watts
    assert pytest.approx(blocks) == found.warmup_seconds
    assert found.rule == "given"


@pytest.mark.parametrize(
    ("seconds", "warmup", "said"),
    [
        (9.9, None, "metered for 9.9 s, too short to tell whether power has settled: it takes 10 s at least"),
        (3.0, 1.5, "metered for 3.0 s, and after a warm-up of 1.5 s at least 2 s have to be left"),
        (600.0, 601.0, "after a warm-up of 601 s at least 2 s have to be left"),
    ],
)
def test_what_is_too_short_is_refused(seconds: float, warmup: float | None, said: str) -> None:
    """With how long it was and how long it takes."""
    with pytest.raises(StudyError, match=said):
        settle([100.0] * block_count(seconds), seconds, warmup_seconds=warmup)


@given(st.floats(0.0, 1e6))
def test_blocks_are_never_shorter_than_journals_can_tell(seconds: float) -> None:
    """Nor more than a line is drawn through."""
    count = block_count(seconds)

    assert 1 <= count <= MOST_BLOCKS
    assert count == 1 or seconds / count >= 0.5


def test_no_power_has_no_drift_in_percent() -> None:
    """A share of nothing is not told."""
    assert settle([0.0] * 20, 60.0).drift_percent_per_minute is None
