"""What readings tell about a source."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.cli.doctor.watch import Reading, sum_up, watch
from lightning_carbon.energy.readings import Sensor
from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.testing import ManualClock, ScriptedCounter, ScriptedGauge
from lightning_carbon.units import Energy

if TYPE_CHECKING:
    from collections.abc import Callable

MS = 1_000_000
CLOCK = ManualClock()
COUNTER = ScriptedCounter(CLOCK)
GAUGE = ScriptedGauge(CLOCK, lambda _seconds: 1.0)


def readings(value: Callable[[int], float], every_ns: int = 2 * MS, cost_ns: int = 20_000) -> list[Reading]:
    """A second of readings of something whose value is a function of time."""
    stamps = range(0, 1_000 * MS, every_ns)
    return [Reading(at - cost_ns // 2, at + cost_ns - cost_ns // 2, value(at)) for at in stamps]


def ticking(watts: float, tick_ns: int, phase_ns: int = 0) -> Callable[[int], float]:
    """Microjoules of a counter that moves at multiples of its tick."""
    return lambda at_ns: round(watts * ((at_ns + phase_ns) // tick_ns * tick_ns) / 1000)


@given(tick_ms=st.integers(10, 150), phase_ns=st.integers(0, 150 * MS), watts=st.floats(1, 2_000))
def test_tick_and_power_of_a_ticking_counter_are_found(tick_ms: int, phase_ns: int, watts: float) -> None:
    """Whatever its tick and wherever the watch begins, both come out within what the readings can tell."""
    seen = sum_up(COUNTER, readings(ticking(watts, tick_ms * MS, phase_ns)))

    assert seen.tick_seconds == pytest.approx(tick_ms / 1000, abs=0.0011)
    assert seen.watts == pytest.approx(watts, rel=0.025)
    assert not seen.tick_is_upper_bound


def test_a_counter_that_always_moves_has_a_bound_for_a_tick() -> None:
    """What moves at every reading may move more often than that."""
    seen = sum_up(COUNTER, readings(ticking(300, 1)))

    assert (0.002, True, 499) == (seen.tick_seconds, seen.tick_is_upper_bound, seen.moves)
    assert seen.watts == pytest.approx(300)


def test_a_counter_that_stands_still_has_neither_tick_nor_power() -> None:
    """Nothing is invented for a counter that did not move."""
    seen = sum_up(COUNTER, readings(lambda _at: 5_000_000))

    assert (500, 0, None, None) == (seen.readings, seen.moves, seen.tick_seconds, seen.watts)


def test_a_gauge_shows_its_mean_and_how_often_it_changes() -> None:
    """A gauge that changes every 20 ms between 100 and 300 W."""
    seen = sum_up(GAUGE, readings(lambda at: 100.0 if at // (20 * MS) % 2 else 300.0))

    assert (200.0, 0.02, 49) == (seen.watts, seen.tick_seconds, seen.moves)


def test_the_cost_of_a_reading_is_the_usual_one() -> None:
    """A reading that was slow once does not count."""
    taken = readings(ticking(300, 100 * MS))
    taken[7] = Reading(taken[7].before_ns, taken[7].after_ns + MS, taken[7].value)

    assert 2e-5 == sum_up(COUNTER, taken).read_seconds


def test_a_wrap_in_that_very_second_does_not_spoil_the_power() -> None:
    """A count that starts again from zero is left out of the mean rather than subtracted."""
    count = ticking(300, 10 * MS)
    seen = sum_up(COUNTER, readings(lambda at: count(at) % 200_000_000))

    assert seen.watts == pytest.approx(300, rel=0.02)


def test_failures_and_losses_are_told() -> None:
    """A source that fails, one that is lost and one that works are told apart."""
    failing, lost, fine = ScriptedCounter(CLOCK), ScriptedCounter(CLOCK), ScriptedCounter(CLOCK)
    failing.fails_with = ReadFailed("not now")
    lost.fails_with = SourceLost("fell off the bus")
    seen = watch([failing, lost, fine], 0.05)

    assert ["not now", "fell off the bus", ""] == [look.trouble for look in seen]
    assert [False, True, False] == [look.gone for look in seen]
    assert [0, 0] == [look.readings for look in seen[:2]]
    assert (True, True) == (seen[0].failed > 0, seen[2].readings > 0)


class Hanging:
    """A counter whose readings do not come back until told to."""

    def __init__(self) -> None:
        self.release = threading.Event()

    @property
    def sensor(self) -> Sensor:
        """As of any counter."""
        return COUNTER.sensor

    def read_energy(self) -> Energy:
        """Wait."""
        self.release.wait()
        return Energy(1)


def test_a_reading_that_hangs_does_not_hold_up_the_others() -> None:
    """The others are watched to the end, and the one that hangs is said to."""
    hanging = Hanging()
    try:
        seen = watch([hanging, ScriptedCounter(CLOCK)], 0.05, patience_seconds=0.05)
    finally:
        hanging.release.set()

    assert [True, False] == [look.gone for look in seen]
    assert [0, True] == [seen[0].readings, seen[1].readings > 0]
    assert "has not come back" in seen[0].trouble
