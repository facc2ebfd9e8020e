"""One sensor gives way to another: the curve goes on where it was, and nothing that was told of it changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.curve import FOREVER_NS
from lightning_carbon.energy.readings import CounterReading, GaugeReading
from lightning_carbon.energy.succession import Succession
from lightning_carbon.energy.timeline import CounterTimeline, GaugeTimeline
from lightning_carbon.units import Energy, Power
from tests.strategies import MILLISECOND, SECOND

TICK = 100 * MILLISECOND


def count(timeline: CounterTimeline, first: int, last: int, watts: int = 100, zero: int = 0) -> None:
    """Let a counter be read at these ticks."""
    for tick in range(first, last + 1):
        timeline.append(CounterReading(tick * TICK, Energy(zero + watts * 100_000 * tick)))


def show(timeline: GaugeTimeline, first: int, last: int, watts: float = 100.0) -> None:
    """Let a gauge be read at these ticks."""
    for tick in range(first, last + 1):
        timeline.append(GaugeReading(tick * TICK, Power(watts)))


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 10**12), st.booleans(), st.integers(0, 50))
def test_a_gauge_takes_over_from_a_counter(before: int, after: int, zero: int, is_read: bool, trim: int) -> None:  # noqa: FBT001
    """Each has its own energy, the past stays, and no time is left out where the gauge was read already."""
    counter, gauge = CounterTimeline(ticking=False), GaugeTimeline(max_gap_ns=SECOND)
    timeline = Succession(counter)
    count(counter, 0, before, zero=zero)
    settled = [(timeline.height(at), timeline.covered(at)) for at in range(0, before * TICK, TICK)]
    if is_read:
        show(gauge, 0, before, 300.0)
    timeline.replace(gauge)
    show(gauge, before + 1, before + after, 300.0)
    same = [(timeline.height(at), timeline.covered(at)) for at in range(0, before * TICK, TICK)]
    timeline.trim(min(trim, before + after) * TICK)
    timeline.end()
    missing = 0 if is_read else 1

    assert settled == same
    assert Energy(10_000_000 * before + 30_000_000 * (after - missing)) == Energy(timeline.height(FOREVER_NS))
    assert (before + after - missing) * TICK == timeline.covered(FOREVER_NS)
    assert timeline.ended


def test_a_counter_takes_over_from_a_model() -> None:
    """Until it has moved, all up to where it took over is settled, and nothing after it; then its word counts."""
    model, counter = GaugeTimeline(max_gap_ns=SECOND), CounterTimeline()
    timeline = Succession(model)
    show(model, 0, 10)
    counter.append(CounterReading(10 * TICK, Energy(0)))
    timeline.replace(counter)
    held = (timeline.watermark_ns, timeline.height(FOREVER_NS), timeline.covered(20 * TICK))
    timeline.trim(5 * TICK)
    count(counter, 11, 30, 200, zero=-200_000_000)
    timeline.close(30 * TICK)

    assert (10 * TICK, 100_000_000, 10 * TICK) == held
    assert timeline.reached(30 * TICK)
    assert Energy.from_joules(50) == timeline.between(5 * TICK, 10 * TICK)
    assert timeline.between(10 * TICK, 30 * TICK).joules == pytest.approx(400, rel=0.06)


def test_a_dead_counter_gives_way_before_anything_was_told() -> None:
    """A counter that never moved has no energy of its own: the whole run is the gauge's."""
    counter, gauge = CounterTimeline(), GaugeTimeline(max_gap_ns=SECOND)
    timeline = Succession(counter)
    count(counter, 0, 5, 0, zero=77)
    show(gauge, 0, 5, 300.0)
    nothing = timeline.watermark_ns
    timeline.replace(gauge)
    show(gauge, 6, 20, 300.0)

    assert (-1, 20 * TICK) == (nothing, timeline.watermark_ns)
    assert Energy.from_joules(600) == timeline.between(0, 20 * TICK)


def test_a_sensor_that_has_told_nothing_leaves_no_trace() -> None:
    """A second one that is replaced before it settles anything, is as if it had not been."""
    model, counter, gauge = GaugeTimeline(max_gap_ns=SECOND), CounterTimeline(), GaugeTimeline(max_gap_ns=SECOND)
    timeline = Succession(model)
    show(model, 0, 10)
    timeline.replace(counter)
    show(gauge, 9, 12, 300.0)
    timeline.replace(gauge)

    assert Energy.from_joules(160) == timeline.between(0, 12 * TICK)


def test_three_sensors_in_a_row() -> None:
    """Every moment has the word of the one that was there."""
    first, second, third = (GaugeTimeline(max_gap_ns=SECOND) for _ in range(3))
    timeline = Succession(first)
    show(first, 0, 10, 100.0)
    show(second, 9, 10, 200.0)
    timeline.replace(second)
    show(second, 11, 20, 200.0)
    show(third, 19, 20, 300.0)
    timeline.replace(third)
    show(third, 21, 30, 300.0)

    assert [100, 200, 300] == [timeline.between(at, at + SECOND).joules for at in (0, SECOND, 2 * SECOND)]
    assert timeline.coverage_ratio(0, 3 * SECOND) == 1.0
