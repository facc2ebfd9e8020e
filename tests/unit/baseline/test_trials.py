"""The change between trials: its interval and p-value keep what they promise, and so does the number of trials."""

from __future__ import annotations

from math import log
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_carbon.baseline.trials import (
    LEAST_TRIALS,
    MOST_TRIALS,
    Change,
    change,
    noise_of,
    paired_change,
    trials_needed,
)
from lightning_carbon.errors import ConfigError

NOISE = 0.05
EXPERIMENTS = 100
joules = st.lists(st.floats(1.0, 1e6), min_size=LEAST_TRIALS, max_size=7)


def deviation(share: float) -> float:
    """The standard deviation of a share that so many experiments find (binomial)."""
    return float((share * (1 - share) / EXPERIMENTS) ** 0.5)


def shares(counts: dict[Any, int]) -> dict[Any, float]:
    """The shares of all experiments."""
    return {key: count / EXPERIMENTS for key, count in counts.items()}


def drawn(random: Random, count: int, ratio: float = 1.0) -> list[float]:
    """Trials with a noise of 5 %."""
    return [ratio * random.lognormvariate(0.0, NOISE) for _ in range(count)]


@settings(max_examples=10)
@given(joules, joules)
def test_a_ratio_lies_in_its_interval(first: list[float], second: list[float]) -> None:
    """Whatever the trials, paired or not; and no p-value is below the least one, or above 1."""
    count = min(len(first), len(second))
    for found in (change(first, second), paired_change(first[:count], second[:count])):
        assert found.low <= found.ratio * (1 + 1e-12)
        assert found.ratio <= found.high * (1 + 1e-12)
        assert found.least_p_value * (1 - 1e-12) <= found.p_value <= 1


@settings(max_examples=10)
@given(joules, st.floats(0.1, 10.0))
def test_the_same_change_of_every_trial_is_that_change(first: list[float], ratio: float) -> None:
    """A pair knows nothing else, so the interval has no width."""
    found = paired_change(first, [ratio * value for value in first])

    assert (found.ratio, found.low, found.high) == pytest.approx((ratio, ratio, ratio))


def test_the_way_back_is_the_inverse() -> None:
    """A to B and B to A are judged alike."""
    random = Random(1)
    first, second = drawn(random, 8), drawn(random, 8, 1.3)
    there, back = paired_change(first, second), paired_change(second, first)

    assert there.ratio == pytest.approx(1 / back.ratio)
    assert there.p_value == back.p_value == there.least_p_value == 2 / 2**8
    assert there.is_clear
    assert back.is_clear


def test_the_same_trials_give_the_same_figures() -> None:
    """Resampling starts from the same seed."""
    random = Random(2)
    first, second = drawn(random, 14), drawn(random, 14, 1.1)

    assert paired_change(first, second) == paired_change(first, second)
    assert change(first, second) == change(first, second)


def test_a_single_disturbed_trial_does_not_decide() -> None:
    """Of ten or more the highest and the lowest are left out."""
    random = Random(3)
    first, second = drawn(random, 12), drawn(random, 12)
    second[5] *= 100

    assert paired_change(first, second).ratio == pytest.approx(1.0, abs=0.05)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """95 % of intervals of eight noisy trials hold the true change, in pairs and apart: within three deviations."""
    random = Random(4)
    held = {True: 0, False: 0}
    for _ in range(EXPERIMENTS):
        first, second = drawn(random, 8), drawn(random, 8, 1.1)
        for found in (paired_change(first, second), change(first, second)):
            held[found.is_paired] += found.low <= 1.1 <= found.high

    assert {True: 0.95, False: 0.95} == pytest.approx(shares(held), abs=3 * deviation(0.95))


def test_so_many_trials_see_the_change() -> None:
    """A change of 8 % at a noise of 5 % is seen as often as asked with that many trials, and not with half of them."""
    needed = trials_needed(0.08, NOISE, power=0.9)
    seen = dict.fromkeys((needed, needed // 2), 0)
    for count in seen:
        random = Random(5)
        for _ in range(EXPERIMENTS):
            seen[count] += paired_change(drawn(random, count), drawn(random, count, 1.08)).is_clear

    assert shares(seen)[needed] == pytest.approx(0.9, abs=3 * deviation(0.9))
    assert shares(seen)[needed // 2] < 0.9 - 3 * deviation(0.9)


def test_smaller_changes_need_more_trials() -> None:
    """And the least number is the fewest that an interval can be told from."""
    assert LEAST_TRIALS == trials_needed(0.5, 0.01)
    assert trials_needed(0.02, NOISE) > trials_needed(0.04, NOISE) > trials_needed(0.08, NOISE)
    assert trials_needed(0.02, NOISE, power=0.8) < trials_needed(0.02, NOISE)


def test_a_change_that_noise_hides_for_good_is_said() -> None:
    """No number above the most is named."""
    with pytest.raises(ConfigError, match=f"more than {MOST_TRIALS:,} trials"):
        trials_needed(0.0001, 0.5)


@pytest.mark.parametrize("bad", [{"effect": 0.0}, {"effect": 2.0}, {"noise": -0.1}, {"power": 1.0}])
def test_shares_out_of_range_are_refused(bad: dict[str, float]) -> None:
    """By name, with the fix."""
    with pytest.raises(ConfigError, match=f"{next(iter(bad))}=.* cannot be used"):
        trials_needed(**{"effect": 0.02, "noise": NOISE} | bad)


def test_too_few_trials_have_no_interval() -> None:
    """Nor have figures that are not positive."""
    with pytest.raises(ConfigError, match=f"at least {LEAST_TRIALS} of each"):
        paired_change([1.0] * 4, [2.0] * 4)
    with pytest.raises(ConfigError, match="only positive figures"):
        change([1.0] * 5, [0.0, *[1.0] * 4])


def test_what_pairs_share_is_no_noise() -> None:
    """A drift that falls on both trials of a pair counts only where they do not belong together."""
    first = [1.0, 2.0, 4.0, 8.0, 16.0]
    second = [1.1 * value for value in first]

    assert noise_of(first, second, is_paired=True) == pytest.approx(0.0)
    assert noise_of(first, second, is_paired=False) == pytest.approx(log(2) * 2.5**0.5)


def test_many_trials_apart_are_sampled() -> None:
    """Their permutations are too many to be counted one by one, and the trials as they are always count."""
    random = Random(6)
    found = change(drawn(random, 10), drawn(random, 9, 2.0))

    assert isinstance(found, Change)
    assert (9, False) == (found.trials, found.is_paired)
    assert found.least_p_value == found.p_value < 0.001
