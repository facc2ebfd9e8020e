"""What readings tell, on readings whose truth is known."""

from __future__ import annotations

import pytest

from tests.gpu.measuring.curves import integral_of, joules_at, joules_between, lag_seconds, moves_of, ticks_of
from tests.gpu.measuring.watching import Reading
from tests.nvml_standin import Gpu

SECOND = 1_000_000_000
# Low for 3.2 s and high for 3.2 s, over and over; the scenario's square wave begins high.
STEPS = Gpu(shape="square", watts=200.0, amplitude_watts=100.0, period_seconds=6.4, origin_ns=0)
EDGES = [round(3.2 * index * SECOND) for index in range(2, 6)]


def counted(tick_ns: int, lag_ns: int = 0, every_ns: int = 2_000_000) -> list[Reading]:
    """Readings of a count that jumps and trails, every two milliseconds for 25 s."""
    found = []
    for at_ns in range(0, 25 * SECOND, every_ns):
        shown_ns = max(0, at_ns - lag_ns)
        shown_ns -= shown_ns % tick_ns
        found.append(Reading(at_ns - 50_000, at_ns + 50_000, STEPS.true_joules(0, shown_ns)))
    return found


def gauged(window_ns: int, every_ns: int = 10_000_000) -> list[Reading]:
    """Readings of power, or of its mean over a window."""
    found = []
    for at_ns in range(window_ns, 25 * SECOND, every_ns):
        joules = STEPS.true_joules(at_ns - window_ns, at_ns)
        watts = joules * SECOND / window_ns if window_ns else STEPS.watts_at(at_ns)
        found.append(Reading(at_ns, at_ns, watts))
    return found


@pytest.mark.parametrize("tick_ns", [20_000_000, 100_000_000])
def test_the_period_of_a_count_is_found(tick_ns: int) -> None:
    """To the distance of two readings, with the cost of a reading beside it."""
    ticks = ticks_of(counted(tick_ns))
    assert ticks is not None

    assert ticks.period_seconds == pytest.approx(tick_ns / 1e9, abs=1e-9)
    assert (ticks.low_seconds, ticks.high_seconds) == pytest.approx((tick_ns / 1e9, tick_ns / 1e9), abs=0.002)
    assert ticks.moves == 25 * SECOND // tick_ns - 1
    assert ticks.smallest_joules == pytest.approx(100.0 * tick_ns / 1e9)
    assert (ticks.read_seconds, ticks.between_readings_seconds) == pytest.approx((0.000_1, 0.002))


def test_a_count_that_stands_still_has_no_period() -> None:
    """Nothing is made up for it."""
    assert None is ticks_of([Reading(index, index, 7.0) for index in range(100)])


@pytest.mark.parametrize("lag_ns", [0, 50_000_000, 200_000_000])
@pytest.mark.parametrize("edge_ns", EDGES)
def test_the_lag_of_a_count_is_found(lag_ns: int, edge_ns: int) -> None:
    """Where it trails by so long, it bends so much later; where it does not, at the edge."""
    found = lag_seconds(moves_of(counted(100_000_000, lag_ns)), edge_ns)

    assert found == pytest.approx(lag_ns / 1e9, abs=0.004)


@pytest.mark.parametrize("edge_ns", EDGES)
def test_the_mean_of_a_second_bends_half_a_second_late(edge_ns: int) -> None:
    """Integrated, it is what was drawn half a second before; power at moments is not late."""
    mean, momentary = (lag_seconds(integral_of(gauged(window)), edge_ns) for window in (SECOND, 0))

    assert (mean, momentary) == pytest.approx((0.5, 0.0), abs=0.01)


def test_no_lag_is_told_where_there_is_no_edge() -> None:
    """Neither where the load did not change, nor where nothing was read."""
    curve = moves_of(counted(100_000_000))

    assert [None, None] == [lag_seconds(curve, 1.4 * SECOND, 0.1, 1.0), lag_seconds(curve, 100 * SECOND)]


def test_energy_between_moments_is_that_of_the_readings() -> None:
    """The counter's on straight lines between its moves, a gauge's by trapezoid."""
    start_ns, end_ns = 4 * SECOND, 20 * SECOND
    truth = STEPS.true_joules(start_ns, end_ns)

    assert joules_between(moves_of(counted(100_000_000)), start_ns, end_ns) == pytest.approx(truth, rel=0.001)
    assert joules_between(integral_of(gauged(0)), start_ns, end_ns) == pytest.approx(truth, rel=0.001)


@pytest.mark.parametrize("at_ns", [-1.0, 3.5 * SECOND])
def test_no_energy_is_told_beyond_what_was_read(at_ns: float) -> None:
    """Before the first knot and after the last one nothing is known."""
    with pytest.raises(ValueError, match="outside of what was read"):
        joules_at([(0.0, 1.0), (3.0 * SECOND, 2.0)], at_ns)


def test_energy_at_the_ends_is_that_of_the_knots() -> None:
    """To the last bit."""
    curve = [(0.0, 1.0), (1.0, 3.0), (2.0, 4.0)]

    assert [1.0, 3.0, 4.0, 3.5] == [joules_at(curve, at) for at in (0.0, 1.0, 2.0, 1.5)]
