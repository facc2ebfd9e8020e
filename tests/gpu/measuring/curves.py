"""What readings tell: how often a count moves, how late it does, and how much energy lies between two moments. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression, median, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.gpu.measuring.watching import Reading

Curve = list[tuple[float, float]]
"""Moments in nanoseconds, rising, and the energy in joules that had been used up to each."""

_SECOND_NS = 1e9
_ENOUGH = 4
"""So many knots make a line that one of them does not decide."""
SETTLING_SECONDS = 1.2
"""For so long after an edge of the load nothing is looked at: the mean of a second passes through it meanwhile."""
LINE_SECONDS = 1.8
"""So long are the two lines that are laid, before the edge and after what follows it."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """How a count moves.

    Args:
        moves: How often it was seen to.
        period_seconds: The time between two moves, the median.
        low_seconds: The 5th percentile of it.
        high_seconds: The 95th.
        smallest_joules: The least that it rose by.
        between_readings_seconds: The time between two readings, the median: no period is known better than this.
        read_seconds: How long a reading takes, the median.
        slowest_read_seconds: The 99th percentile of it.
    """

    moves: int
    period_seconds: float
    low_seconds: float
    high_seconds: float
    smallest_joules: float
    between_readings_seconds: float
    read_seconds: float
    slowest_read_seconds: float


def ticks_of(readings: Sequence[Reading]) -> Ticks | None:
    """How a count moves; ``None`` where it was seen to move less than four times."""
    knots = moves_of(readings)
    if len(knots) < _ENOUGH:
        return None
    gaps = [(later - earlier) / _SECOND_NS for (earlier, _), (later, _) in pairwise(knots)]
    percentiles = quantiles(gaps, n=20, method="inclusive")
    reads = [(reading.after_ns - reading.before_ns) / _SECOND_NS for reading in readings]
    return Ticks(
        moves=len(knots),
        period_seconds=median(gaps),
        low_seconds=percentiles[0],
        high_seconds=percentiles[-1],
        smallest_joules=min(later - earlier for (_, earlier), (_, later) in pairwise(knots)),
        between_readings_seconds=median(
            (later.at_ns - before.at_ns) / _SECOND_NS for before, later in pairwise(readings)
        ),
        read_seconds=median(reads),
        slowest_read_seconds=quantiles(reads, n=100, method="inclusive")[-1],
    )


def moves_of(readings: Sequence[Reading]) -> Curve:
    """The moves of a count: each in the middle of the two readings around it, with what it then stood at."""
    return [
        ((earlier.before_ns + later.after_ns) / 2, later.value)
        for earlier, later in pairwise(readings)
        if later.value > earlier.value
    ]


def integral_of(readings: Sequence[Reading]) -> Curve:
    """The energy under readings of power, by trapezoid."""
    curve, joules = [], 0.0
    for index, reading in enumerate(readings):
        if index:
            before = readings[index - 1]
            joules += (reading.value + before.value) / 2 * (reading.at_ns - before.at_ns) / _SECOND_NS
        curve.append((float(reading.at_ns), joules))
    return curve


def joules_at(curve: Curve, at_ns: float) -> float:
    """The energy up to a moment, on straight lines between the knots.

    Raises:
        ValueError: The moment is before the first knot or after the last one.
    """
    if not curve or not curve[0][0] <= at_ns <= curve[-1][0]:
        message = f"{at_ns:.0f} is outside of what was read"
        raise ValueError(message)
    place = min(bisect_right(curve, at_ns, key=lambda knot: knot[0]), len(curve) - 1)
    (left, low), (right, high) = curve[place - 1], curve[place]
    return low + (high - low) * (at_ns - left) / (right - left)


def joules_between(curve: Curve, start_ns: float, end_ns: float) -> float:
    """The energy between two moments."""
    return joules_at(curve, end_ns) - joules_at(curve, start_ns)


def lag_seconds(
    curve: Curve,
    edge_ns: float,
    settling_seconds: float = SETTLING_SECONDS,
    line_seconds: float = LINE_SECONDS,
) -> float | None:
    """How long after an edge of the load the curve bends: where the lines before and after it meet.

    A count that trails by some time bends that much later. The mean of a window bends half the window later. Power
    that rises slowly, as a GPU's does while its clocks rise, bends later, too: the lag has that in it.

    Args:
        curve: The energy up to each moment.
        edge_ns: When the load began, or ended.
        settling_seconds: For so long after it nothing is looked at.
        line_seconds: How long the two lines are.

    Returns:
        Seconds; ``None`` where too little was read around the edge, or the two lines are one.
    """
    near, length = settling_seconds * _SECOND_NS, line_seconds * _SECOND_NS
    around = [(at - edge_ns, joules) for at, joules in curve]
    before = _line([knot for knot in around if -length <= knot[0] <= 0])
    after = _line([knot for knot in around if near <= knot[0] <= near + length])
    if before is None or after is None:
        return None
    (slope, height), (later_slope, later_height) = before, after
    if abs(later_slope - slope) < 0.02 * max(abs(slope), abs(later_slope)):
        return None
    return (height - later_height) / (later_slope - slope) / _SECOND_NS


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Slope and height at zero of the line of least squares."""
    if len(points) < _ENOUGH:
        return None
    slope, height = linear_regression([x for x, _ in points], [y for _, y in points])
    return slope, height
