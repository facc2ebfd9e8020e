"""A source that was given up and comes back: the time between is not covered, and what was told of it stays."""

from __future__ import annotations

import pytest

from lightning_carbon.energy.readings import CounterReading, GaugeReading
from lightning_carbon.energy.timeline import CounterTimeline, GaugeTimeline
from lightning_carbon.units import Energy, Power
from tests.strategies import SECOND


@pytest.mark.parametrize("ticking", [False, True])
def test_a_counter_that_comes_back_goes_on_from_there(ticking: bool) -> None:  # noqa: FBT001
    """What it counted while nobody read it is not energy of the run, as that time was settled without it."""
    timeline = CounterTimeline(ticking=ticking)
    for second in range(5):
        timeline.append(CounterReading(second * SECOND, Energy(100 * second)))
    timeline.end()
    before = timeline.height(10 * SECOND)
    timeline.resume(CounterReading(9 * SECOND, Energy(900)))
    for second in range(10, 16):
        timeline.append(CounterReading(second * SECOND, Energy(100 * second)))
    timeline.end()

    assert before == timeline.height(9 * SECOND) == 400
    assert (Energy(600), 1.0) == (
        timeline.between(9 * SECOND, 15 * SECOND),
        timeline.coverage_ratio(9 * SECOND, 15 * SECOND),
    )
    assert timeline.coverage_ratio(4 * SECOND, 9 * SECOND) == 0.0


def test_a_gauge_that_comes_back_goes_on_from_there() -> None:
    """Between its last reading before and the first after nothing is covered, and nothing is added."""
    timeline = GaugeTimeline(max_gap_ns=10 * SECOND)
    for at_ns in (0, SECOND):
        timeline.append(GaugeReading(at_ns, Power(100)))
    timeline.end()
    timeline.resume(GaugeReading(3 * SECOND, Power(100)))
    timeline.append(GaugeReading(4 * SECOND, Power(100)))

    assert Energy.from_joules(200) == timeline.between(0, 4 * SECOND)
    assert timeline.coverage_ratio(1 * SECOND, 3 * SECOND) == 0.0
    assert not timeline.ended


@pytest.mark.parametrize("ticking", [False, True])
def test_a_counter_that_first_answers_late_begins_there(ticking: bool) -> None:  # noqa: FBT001
    """A source that hung at its very first reading is metered from its first answer on."""
    timeline = CounterTimeline(ticking=ticking)
    timeline.end()
    for second in range(3, 8):
        reading = CounterReading(second * SECOND, Energy(100 * second))
        if second == 3:
            timeline.resume(reading)
        else:
            timeline.append(reading)
    timeline.end()

    assert Energy(400) == timeline.between(0, 7 * SECOND)
    assert pytest.approx(4 / 7) == timeline.coverage_ratio(0, 7 * SECOND)


def test_a_gauge_that_first_answers_late_begins_there() -> None:
    """A gauge that hung at its very first reading is metered from its first answer on."""
    timeline = GaugeTimeline(max_gap_ns=10 * SECOND)
    timeline.end()
    timeline.resume(GaugeReading(3 * SECOND, Power(100)))
    timeline.append(GaugeReading(4 * SECOND, Power(100)))

    assert Energy.from_joules(100) == timeline.between(0, 4 * SECOND)
