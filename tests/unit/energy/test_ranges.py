"""The range around what a sensor shows: gain, offset and blur."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.accuracy import Accuracy, either_way
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND

SECOND = NANOSECONDS_PER_SECOND
JOULE = MICROJOULES_PER_JOULE

shares, watts = st.floats(0, 1), st.floats(0, 100)
accuracies = st.builds(Accuracy, shares, shares, watts, watts, st.floats(0, 2))


def test_gain_is_a_share_offset_a_power_and_blur_a_time() -> None:
    """1,000 J in 10 s: 2 % and 5 W below, 10 % and 20 W above, and half a second at 100 W both ways."""
    accuracy = Accuracy(0.02, 0.10, below_watts=5.0, above_watts=20.0, blur_seconds=0.5)

    assert (1000 - 20 - 50 - 50, 1000 + 100 + 200 + 50) == pytest.approx(
        [end / JOULE for end in accuracy.ends(1000 * JOULE, 10 * SECOND)]
    )


@given(accuracies, st.integers(0, 10**15), st.integers(0, 10**15))
def test_the_range_holds_the_energy_and_nothing_below_zero(
    accuracy: Accuracy, microjoules: int, covered_ns: int
) -> None:
    """However wide it is."""
    low, high = accuracy.ends(microjoules, covered_ns)

    assert 0 <= low <= microjoules <= high


@given(accuracies, st.integers(1, 10**9), st.integers(1, 10**12), st.integers(2, 50))
def test_a_longer_time_at_the_same_power_has_no_wider_range(
    accuracy: Accuracy, microjoules: int, covered_ns: int, times: int
) -> None:
    """As a share of the energy: what blurs a short window is little of a long one."""
    _, short = accuracy.ends(microjoules, covered_ns)
    _, long = accuracy.ends(microjoules * times, covered_ns * times)

    assert long <= short * times + times


@given(accuracies, accuracies, st.integers(0, 10**12), st.integers(0, 10**12))
def test_the_wider_range_holds_both(first: Accuracy, second: Accuracy, microjoules: int, covered_ns: int) -> None:
    """Whatever the energy and the time."""
    low, high = first.or_wider(second).ends(microjoules, covered_ns)

    for accuracy in (first, second):
        least, most = accuracy.ends(microjoules, covered_ns)
        assert low <= least
        assert most <= high


def test_a_window_shorter_than_the_blur_may_be_all_wrong_but_not_more() -> None:
    """100 J in 0.1 s of a sensor that may be wrong for a second: from nothing to twice as much."""
    assert (0, 200 * JOULE) == Accuracy(0.0, 0.0, blur_seconds=1.0).ends(100 * JOULE, SECOND // 10)


def test_a_half_width_goes_both_ways() -> None:
    """±5 % of 100 J, whatever the time, and where it is not known."""
    assert (95 * JOULE, 105 * JOULE) == either_way(0.05).ends(100 * JOULE, 0)
