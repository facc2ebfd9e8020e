"""A rising curve of energy over time, and how much of that time readings cover.

Every energy that is ever reported is a difference of two heights of such a curve. Differences telescope, so however a
run is cut into intervals, the parts add up to the whole, to the microjoule. Between two knots the curve is a straight
line; its heights are whole microjoules, rounded down, so it never falls.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

FOREVER_NS = 2**63 - 1
"""The watermark of a curve that has ended."""


class EnergyCurve:
    """Cumulative energy and cumulative covered time, as two piecewise linear functions on the same knots.

    Args:
        start_ns: Where the curve begins, at height zero.
    """

    __slots__ = ("_at", "_covered", "_energy")

    def __init__(self, start_ns: int) -> None:
        self._at = [start_ns]
        self._energy = [0]
        self._covered = [0]

    @property
    def start_ns(self) -> int:
        """The first moment that the curve still knows; moves forward only by :meth:`trim`."""
        return self._at[0]

    @property
    def end_ns(self) -> int:
        """The last knot."""
        return self._at[-1]

    @property
    def knots(self) -> int:
        """How many knots are kept."""
        return len(self._at)

    def rise(self, to_ns: int, microjoules: int, *, covered: bool = True) -> None:
        """Add a knot.

        Args:
            to_ns: Where; a knot that is not after the last raises the last instead.
            microjoules: By how much the energy rises since the last knot; not negative.
            covered: Whether readings cover the time since the last knot.
        """
        if to_ns <= self._at[-1]:
            self._energy[-1] += microjoules
            return
        self._covered.append(self._covered[-1] + (to_ns - self._at[-1] if covered else 0))
        self._energy.append(self._energy[-1] + microjoules)
        self._at.append(to_ns)

    def height(self, at_ns: int) -> int:
        """Cumulative microjoules at a moment; flat before the first and after the last knot."""
        return self.at(at_ns)[0]

    def covered(self, at_ns: int) -> int:
        """Cumulative covered nanoseconds at a moment; flat before the first and after the last knot."""
        return self.at(at_ns)[1]

    def at(self, at_ns: int) -> tuple[int, int]:
        """Height and covered time at a moment, for half of what it costs to ask for each."""
        times, energy, covered = self._at, self._energy, self._covered
        if at_ns >= times[-1]:
            return energy[-1], covered[-1]
        if at_ns <= times[0]:
            return energy[0], covered[0]
        right = bisect_left(times, at_ns)
        left = right - 1
        into_ns, span_ns = at_ns - times[left], times[right] - times[left]
        return (
            energy[left] + (energy[right] - energy[left]) * into_ns // span_ns,
            covered[left] + (covered[right] - covered[left]) * into_ns // span_ns,
        )

    def knots_around(self, start_ns: int, end_ns: int) -> list[int]:
        """The knots between two moments, with the last before the first and the first after the other."""
        return self._at[max(bisect_right(self._at, start_ns) - 1, 0) : bisect_left(self._at, end_ns) + 1]

    def trim(self, before_ns: int) -> None:
        """Forget the knots that no moment from ``before_ns`` on needs."""
        keep = bisect_left(self._at, before_ns)
        if keep < len(self._at) and self._at[keep] > before_ns:
            keep -= 1
        keep = max(0, min(keep, len(self._at) - 1))
        if keep:
            del self._at[:keep], self._energy[:keep], self._covered[:keep]
