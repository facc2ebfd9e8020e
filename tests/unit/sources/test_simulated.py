"""Sources whose truth is known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError
from lightning_carbon.sources.simulated import (
    Constant,
    Saw,
    SimulatedCounter,
    SimulatedGauge,
    SimulatedGPU,
    Sine,
    Square,
    Waveform,
)
from lightning_carbon.testing import ManualClock
from lightning_carbon.units import Energy

watts = st.floats(0, 1000)
periods = st.floats(0.01, 100)
waveforms: st.SearchStrategy[Waveform] = st.one_of(
    st.builds(Constant, watts),
    st.builds(lambda low, swing, period: Sine(low + swing, swing, period), watts, watts, periods),
    st.builds(Square, watts, watts, periods, st.floats(0, 1)),
    st.builds(Saw, watts, watts, periods),
)


@given(waveforms, st.floats(0, 200), st.floats(0.01, 3))
def test_energy_is_the_integral_of_power(wave: Waveform, start: float, periods: float) -> None:
    """Summing the power in small steps comes to the energy that the closed form gives."""
    steps = 2000
    length = periods * getattr(wave, "period_seconds", 1.0)
    width = length / steps
    total = math.fsum(wave.watts(start + (step + 0.5) * width) * width for step in range(steps))
    jumps = 2 * periods + 2  # each of 1000 W at most, anywhere in its step

    assert wave.joules(start + length) - wave.joules(start) == pytest.approx(total, abs=1000 * width / 2 * jumps)


@given(waveforms, st.lists(st.floats(0, 10), max_size=20))
def test_energy_never_falls(wave: Waveform, spans: list[float]) -> None:
    """As power is never negative, neither is the energy of any span."""
    heights = [wave.joules(seconds) for seconds in itertools.accumulate(spans, initial=0.0)]

    assert all(low <= high + 1e-6 for low, high in itertools.pairwise(heights))


@given(waveforms, st.integers(0, 10**11), st.integers(1, 10**9))
def test_a_ticking_counter_shows_the_truth_of_its_last_tick(wave: Waveform, elapsed_ns: int, tick_ns: int) -> None:
    """Between ticks a counter stands still, at the exact energy of the tick before."""
    clock = ManualClock(start_ns=77)
    counter = SimulatedCounter(clock, wave, tick_ns / 1e9)
    clock.advance(nanoseconds=elapsed_ns)

    assert counter.truth(77, 77 + elapsed_ns - elapsed_ns % tick_ns) == counter.read_energy()


def test_a_counter_wraps_where_it_says() -> None:
    """The count starts again from zero at ``wraps_at``."""
    clock = ManualClock()
    counter = SimulatedCounter(clock, watts=100, wraps_at=Energy.from_joules(30))
    clock.advance(seconds=1)

    assert Energy.from_joules(10) == counter.read_energy()


def test_gpus_are_told_apart_by_their_index() -> None:
    """Two simulated GPUs are two domains."""
    ids = {SimulatedGPU(index=index).sensor.domain.id for index in range(2)}

    assert {"gpu:simulated-0", "gpu:simulated-1"} == ids


def test_without_a_clock_time_is_the_machine_s() -> None:
    """A source made without a clock moves by itself."""
    counter = SimulatedCounter(watts=1000)
    readings = [counter.read_energy() for _ in range(1000)]

    assert readings[0] < readings[-1]


def test_a_gauge_shows_the_power_of_now() -> None:
    """Low in the first part of a square's period, high in the rest."""
    clock = ManualClock()
    gauge = SimulatedGauge(clock, Square(10, 90, period_seconds=1))
    shown = []
    for _ in range(4):
        shown.append(gauge.read_power().watts)
        clock.advance(seconds=0.5)

    assert [10, 90, 10, 90] == shown


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: SimulatedGPU(watts=-1), "level_watts"),
        (lambda: SimulatedGPU(watts=math.nan), "level_watts"),
        (lambda: SimulatedGPU(tick_seconds=math.inf), "tick_seconds"),
        (lambda: Sine(10, 20, 1), "mean_watts"),
        (lambda: Square(1, 2, 0), "period_seconds"),
        (lambda: Square(1, 2, 1, high_ratio=1.5), "1 - high_ratio"),
        (lambda: Saw(1, -2, 1), "high_watts"),
    ],
)
def test_impossible_power_is_refused(make: Callable[[], object], argument: str) -> None:
    """A power that nothing can have is an error at once, which names the argument."""
    with pytest.raises(ConfigError) as caught:
        make()

    assert argument == caught.value.argument
