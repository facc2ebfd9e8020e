"""Sums of what the gauges of a device show, weighted by the time between readings."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.condition import GAP_NS, PLAUSIBLE, Condition, ConditionSum, Gauge, Look, Throttle, after

SECOND = 1_000_000_000


def summed(*looks: tuple[float, Condition], phase: str = "train") -> ConditionSum:
    """The sums after readings at some seconds."""
    known, before = ConditionSum(), None
    for seconds, condition in looks:
        look = Look(round(seconds * SECOND), condition, phase)
        known, before = after(known, before, look), look
    return known


def hot(celsius: float | None) -> Condition:
    """A condition with a temperature alone."""
    return Condition(temperature_celsius=celsius)


@given(st.lists(st.tuples(st.floats(0.01, 5.9), st.floats(20, 90)), min_size=2, max_size=30))
def test_a_mean_is_the_integral_by_trapezoids_over_the_time(readings: list[tuple[float, float]]) -> None:
    """Readings count by the time around them, however far apart they are."""
    at, looks = 0.0, []
    for apart, celsius in readings:
        at += apart
        looks.append((at, hot(celsius)))
    area = sum((early[1] + late[1]) / 2 * late[0] for early, late in pairwise(readings))
    found = summed(*looks).gauges[Gauge.TEMPERATURE]

    assert found.mean == pytest.approx(area / (at - readings[0][0]), rel=1e-6)
    assert max(celsius for _, celsius in readings) == found.most
    assert readings[-1][1] == found.last


def test_a_long_time_between_readings_is_a_gap() -> None:
    """Nothing is assumed of a time in which nobody looked, or of one in which the device did not answer."""
    gap = GAP_NS / SECOND + 0.1
    found = summed((0, hot(40)), (1, hot(40)), (1 + gap, hot(90)), (2 + gap, hot(90)), (3 + gap, hot(None)))

    assert 2 * SECOND == found.gauges[Gauge.TEMPERATURE].ns
    assert 65.0 == found.gauges[Gauge.TEMPERATURE].mean


def test_a_single_reading_has_no_mean() -> None:
    """It encloses no time, so only the highest and the last reading are known."""
    found = summed((0, hot(40))).gauges[Gauge.TEMPERATURE]

    assert (None, 40.0, 40.0) == (found.mean, found.most, found.last)


def test_shares_of_time_throttled_are_by_reason() -> None:
    """Two reasons may hold at once; half of the time between yes and no counts."""
    none, cap = Condition(throttled=frozenset()), Condition(throttled=frozenset({Throttle.POWER_CAP}))
    both = Condition(throttled=frozenset({Throttle.POWER_CAP, Throttle.HEAT}))
    found = summed((0, none), (2, cap), (4, both), (6, none), (8, none))

    assert 8 * SECOND == found.watched_ns
    assert 4 * SECOND == found.throttled_ns
    assert (0.5, 0.25, 0.0) == tuple(found.share(name) for name in ("power_cap", "heat", "hardware"))
    assert () == found.throttled


def test_a_device_that_does_not_tell_has_no_share() -> None:
    """Unknown is not the same as never throttled."""
    found = summed((0, Condition()), (2, Condition()))

    assert (None, None, 0) == (found.share("heat"), found.throttled, found.watched_ns)


def test_busy_time_counts_in_training_alone() -> None:
    """A validation that leaves the device idle says nothing of the steps."""
    half, idle = Condition(utilization_ratio=0.5), Condition(utilization_ratio=0.0)
    trained, known = summed((0, half), (2, half)), Look(2 * SECOND, half, "train")
    later = after(trained, known, Look(4 * SECOND, idle, "validate"))

    assert (2 * SECOND, SECOND) == (trained.train_ns, trained.train_busy_ns)
    assert (2 * SECOND, SECOND) == (later.train_ns, later.train_busy_ns)


@pytest.mark.parametrize("word", [0xFFFFFFFF, -1, math.nan, math.inf, "hot", None, 1e30])
@pytest.mark.parametrize("gauge", Gauge)
def test_what_cannot_be_is_no_reading(gauge: Gauge, word: object) -> None:
    """NVML's word for a value that it does not have, a negative and a figure out of range are absent."""
    if (gauge, word) in {(Gauge.TEMPERATURE, -1), (Gauge.MEMORY_USED, 0xFFFFFFFF)}:
        return  # a cold device, and 4 GiB
    odd: dict[str, Any] = {gauge.value: word}
    condition = Condition(**odd)

    assert {} == condition.figures()


def test_every_figure_has_its_bounds() -> None:
    """A gauge without bounds would let anything pass."""
    assert set(Gauge) == set(PLAUSIBLE)
    assert [gauge.value for gauge in Gauge] == [name for name in Condition._fields if name != "throttled"]
