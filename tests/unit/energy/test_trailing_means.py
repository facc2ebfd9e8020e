"""A gauge that shows the mean of its last second: the energy is put where it was used, and none is left at the end."""

from __future__ import annotations

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.curve import FOREVER_NS
from lightning_carbon.energy.readings import GaugeReading
from lightning_carbon.energy.timeline import GaugeTimeline
from lightning_carbon.units import Energy, Power
from tests.strategies import MILLISECOND, SECOND

EVERY = 20 * MILLISECOND


class Load:
    """Levels of power, one after the other.

    Args:
        levels: Watts and nanoseconds of each; the first one lasts from long before.
    """

    def __init__(self, levels: list[tuple[float, int]]) -> None:
        self._levels = [(levels[0][0], 10 * SECOND + levels[0][1]), *levels[1:]]
        self.end_ns = sum(span for _, span in levels)

    def joules(self, at_ns: int) -> float:
        """Energy from long before up to a moment."""
        left, joules = at_ns + 10 * SECOND, 0.0
        for watts, span in self._levels:
            joules += watts * min(max(left, 0), span) / SECOND
            left -= span
        return joules + self._levels[-1][0] * max(left, 0) / SECOND

    def mean(self, at_ns: int) -> Power:
        """The mean power of the second before a moment."""
        return Power(self.joules(at_ns) - self.joules(at_ns - SECOND))


levels = st.lists(
    st.tuples(st.floats(0, 700), st.integers(1_000 * MILLISECOND, 3_000 * MILLISECOND)), min_size=1, max_size=6
)


def read(load: Load, until_ns: int) -> GaugeTimeline:
    """The open timeline of the gauge on this load."""
    timeline = GaugeTimeline(max_gap_ns=2 * SECOND, window_ns=SECOND)
    for at_ns in range(0, until_ns + 1, EVERY):
        timeline.append(GaugeReading(at_ns, load.mean(at_ns)))
    return timeline


@given(levels)
def test_a_run_that_ends_on_an_even_load_has_all_its_energy(levels: list[tuple[float, int]]) -> None:
    """Where the last second and a half were even, the total is right, whatever the load did before."""
    watts, span = levels[-1]
    load = Load([*levels[:-1], (watts, span + SECOND // 2)])
    end_ns = load.end_ns // EVERY * EVERY
    timeline = read(load, end_ns)
    timeline.close(end_ns)
    # A step of the load is a ramp of the mean; the trapezoid cuts the corner at either end of it.
    slack = 700 * (EVERY / SECOND) ** 2 / 4 * len(levels)

    assert timeline.between(0, end_ns).joules == pytest.approx(load.joules(end_ns) - load.joules(0), abs=slack)
    assert timeline.coverage_ratio(0, end_ns) == 1.0


@given(levels, st.integers(0, 3 * SECOND))
def test_a_run_may_end_at_any_moment(levels: list[tuple[float, int]], after_ns: int) -> None:
    """Up to an eighth of a window of the swing is open where the load changed within the last second."""
    load = Load(levels)
    end_ns = max(load.end_ns - after_ns, EVERY) // EVERY * EVERY
    timeline = read(load, end_ns)
    timeline.end()
    slack = 700 * (1 / 8 + EVERY / SECOND * len(levels))

    assert timeline.between(0, end_ns).joules == pytest.approx(load.joules(end_ns) - load.joules(0), abs=slack)


def test_a_step_of_the_load_is_found_where_it_was() -> None:
    """From nothing to 300 W after two seconds: the four seconds before and after have what they used, to a blur."""
    load = Load([(0.0, 2 * SECOND), (300.0, 4 * SECOND)])
    timeline = read(load, 6 * SECOND)
    timeline.end()

    assert timeline.between(0, 2 * SECOND).joules == pytest.approx(300 / 8, rel=0.1)
    assert timeline.between(0, 1_500 * MILLISECOND) == Energy.ZERO
    assert timeline.between(2_500 * MILLISECOND, 6 * SECOND).joules == pytest.approx(1_050, rel=0.001)


@given(levels, st.integers(10, 200))
def test_the_settled_past_stays(levels: list[tuple[float, int]], count: int) -> None:
    """Up to half a window before the last reading nothing changes, whatever comes, the end and trimming included."""
    load = Load(levels)
    timeline = read(load, min(count * EVERY, load.end_ns))
    mark = timeline.watermark_ns
    before = timeline.height(mark), timeline.covered(mark)
    timeline.trim(mark)
    for at_ns in range(count * EVERY, load.end_ns, EVERY):
        timeline.append(GaugeReading(at_ns, load.mean(at_ns)))
    timeline.close(load.end_ns)

    assert before == (timeline.height(mark), timeline.covered(mark))


def test_its_end_is_reached_with_the_last_reading() -> None:
    """The end of a run need not wait for half a window: what the last reading says of it is drawn then."""
    timeline = read(Load([(100.0, 2 * SECOND)]), 2 * SECOND)

    assert timeline.reached(2 * SECOND)
    assert not timeline.reached(2 * SECOND + 1)
    assert timeline.watermark_ns == 1_500 * MILLISECOND
    timeline.end()
    assert timeline.reached(FOREVER_NS)


def test_a_gap_is_not_filled_at_the_end() -> None:
    """Readings too far apart cover nothing; the window of the last one is drawn on its later half alone."""
    timeline = GaugeTimeline(max_gap_ns=2 * SECOND, window_ns=SECOND)
    for at_ns in (0, SECOND, 10 * SECOND):
        timeline.append(GaugeReading(at_ns, Power(100)))
    timeline.end()

    assert Energy.from_joules(150) == timeline.between(-SECOND, 10 * SECOND)
    assert timeline.coverage_ratio(500 * MILLISECOND, 9_500 * MILLISECOND) == 0.0
    assert timeline.coverage_ratio(9_500 * MILLISECOND, 10 * SECOND) == 1.0


@pytest.mark.parametrize("readings", [1, 30])
def test_a_gauge_that_comes_back_leaves_a_gap(readings: int) -> None:
    """What a reading says of the time before the gauge was taken up again is not energy of the time after."""
    timeline = read(Load([(100.0, 2 * SECOND)]), 2 * SECOND)
    timeline.end()
    before = timeline.height(FOREVER_NS)
    for number in range(readings):
        reading = GaugeReading(10 * SECOND + number * 100 * MILLISECOND, Power(100))
        if number == 0:
            timeline.resume(reading)
        else:
            timeline.append(reading)
    timeline.end()
    seconds = (readings - 1) * 0.1

    assert before == timeline.height(10 * SECOND)
    assert timeline.between(2 * SECOND, 20 * SECOND).joules == pytest.approx(100 * seconds)


def test_a_mean_that_is_not_shown_covers_nothing() -> None:
    """Neither before it nor, where it is the last, its own half window."""
    timeline = GaugeTimeline(max_gap_ns=10 * SECOND, window_ns=SECOND)
    for second, watts in enumerate((100.0, 100.0, nan, nan)):
        timeline.append(GaugeReading(second * SECOND, Power(watts)))
    timeline.close(4 * SECOND)
    curve = timeline.curve
    assert curve is not None

    assert Energy.from_joules(100.0) == Energy(curve.height(4 * SECOND))
    assert SECOND == curve.covered(4 * SECOND)
