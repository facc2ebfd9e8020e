"""How near the curve comes to a truth that is known, read as the sampler reads.

The counters here count a closed form of time. They are read every 100 ms, dithered over half of that by the golden
ratio, and every 5 ms while the timeline asks for it.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_carbon.energy.readings import CounterReading
from lightning_carbon.energy.timeline import CounterTimeline
from lightning_carbon.units import Energy
from tests.strategies import MILLISECOND, SECOND

START_NS = 10**15
TICK = 100 * MILLISECOND
STEP = 20 * MILLISECOND
RUN = 5 * SECOND
GOLDEN = 0.618034


def follow(count: Callable[[int], float], span_ns: int = RUN) -> tuple[CounterTimeline, int]:
    """Read a counter, given as joules at a moment, for a run and a second more; and count the extra readings."""
    timeline = CounterTimeline()
    regular = _regular()
    at_ns, extra = next(regular), 0
    while at_ns < START_NS + span_ns + SECOND:
        # A driver shows whole millijoules (nvmlDeviceGetTotalEnergyConsumption).
        timeline.append(CounterReading(at_ns, Energy.from_millijoules(int(count(at_ns) * 1_000))))
        if timeline.learning:
            at_ns += 5 * MILLISECOND
            extra += 1
        else:
            at_ns = next(stamp for stamp in regular if stamp > at_ns)
    return timeline, extra


def _regular() -> Iterator[int]:
    number = 0
    while True:
        yield START_NS + round((number + number * GOLDEN % 1 / 2) * TICK)
        number += 1


def jumping(watts: float, jumps: list[float]) -> Callable[[int], float]:
    """A counter of constant power that moves at these moments only."""
    return lambda at_ns: watts * (jumps[bisect_right(jumps, at_ns) - 1] - jumps[0]) / SECOND


def beat(tick: int, phase: int, span_ns: int = RUN, jitter: float = 0.0, seed: int = 0) -> list[float]:
    """Moments that lie a tick apart, give or take a jitter."""
    uneven = random.Random(seed)
    number = -((phase + SECOND) // tick) - 2
    moments: list[float] = []
    while not moments or moments[-1] < START_NS + span_ns + 2 * SECOND:
        moments.append(START_NS + phase + number * tick + uneven.uniform(-jitter, jitter))
        number += 1
    return moments


def steps_of(timeline: CounterTimeline, span_ns: int = RUN) -> list[float]:
    """The energy of steps of 20 ms that fill the run, in joules."""
    edges = range(START_NS, START_NS + span_ns, STEP)
    return [timeline.between(edge, edge + STEP).joules for edge in edges]


def error_of(steps: list[float], watts: float) -> float:
    """The mean error of steps of constant power, as a share."""
    truth = watts * STEP / SECOND
    return mean(abs(step - truth) for step in steps) / truth


@given(phase=st.integers(0, TICK - 1), watts=st.floats(50, 1_500))
def test_a_counter_that_ticks_every_100_ms(phase: int, watts: float) -> None:
    """A run of 5 s is right to 0.3 %, steps of 20 ms are right to 5 % on average, and none reads nothing."""
    timeline, _ = follow(jumping(watts, beat(TICK, phase)))
    steps = steps_of(timeline)

    assert timeline.watermark_ns >= START_NS + RUN
    assert timeline.between(START_NS, START_NS + RUN).joules == pytest.approx(watts * 5, rel=0.003)
    assert error_of(steps, watts) < 0.05
    assert min(steps) > 0.5 * watts * STEP / SECOND


@given(tick=st.integers(20 * MILLISECOND, 200 * MILLISECOND), data=st.data())
@settings(max_examples=50)
def test_a_counter_that_ticks_at_any_period(tick: int, data: st.DataObject) -> None:
    """The period is learnt, not known: neither a fast tick nor a slow one bends the steps or the total."""
    phase = data.draw(st.integers(0, tick - 1))
    timeline, _ = follow(jumping(300, beat(tick, phase)))

    assert timeline.between(START_NS, START_NS + RUN).joules == pytest.approx(1_500, rel=0.01)
    assert error_of(steps_of(timeline), 300) < 0.05


@given(watts=st.floats(50, 1_500))
@settings(max_examples=25)
def test_a_counter_that_counts_all_the_time(watts: float) -> None:
    """Without jumps a run of 5 s is right to 0.01 %, and no extra readings are asked for after the first few."""
    timeline, extra = follow(lambda at_ns: watts * (at_ns - START_NS) / SECOND)

    assert timeline.between(START_NS, START_NS + RUN).joules == pytest.approx(watts * 5, rel=0.0001)
    assert extra < 5
    assert timeline.period_ns is None


@pytest.mark.parametrize("jitter_ms", [0.05, 0.5, 2, 10])
def test_a_counter_without_a_steady_beat(jitter_ms: float) -> None:
    """Jumps that come early and late cost accuracy of single steps, not of the total, and few extra readings."""
    span_ns = 20 * SECOND
    for seed in range(5):
        jumps = beat(TICK, seed * 17 * MILLISECOND, span_ns, jitter_ms * MILLISECOND, seed)
        timeline, extra = follow(jumping(300, jumps), span_ns)

        assert timeline.between(START_NS, START_NS + span_ns).joules == pytest.approx(6_000, rel=0.005)
        assert error_of(steps_of(timeline, span_ns), 300) < 0.02 + 0.03 * jitter_ms
        assert extra < 40 * 20


def test_power_that_changes_is_followed() -> None:
    """A square wave of 1 s keeps its energy in the half that it was used in, but for the jumps that span an edge."""

    def square(at_ns: float) -> float:
        whole, part = divmod(at_ns - START_NS + 10 * SECOND, SECOND)
        return whole * 200 + min(part / SECOND, 0.5) * 400

    jumps = beat(TICK, 43 * MILLISECOND)
    timeline, _ = follow(lambda at_ns: square(jumps[bisect_right(jumps, at_ns) - 1]))
    high = sum(
        timeline.between(START_NS + second * SECOND, START_NS + second * SECOND + SECOND // 2).joules
        for second in range(5)
    )

    assert timeline.between(START_NS, START_NS + RUN).joules == pytest.approx(1_000, rel=0.03)
    assert 800 < high <= 1_000
