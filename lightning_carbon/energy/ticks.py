"""When did a counter move that was seen to have moved between two readings?

The energy counters of GPUs do not rise all the time: they jump, on data-centre parts about every 100 ms, and stand still
in between. A reading tells only that the jump fell somewhere between it and the reading before. To put the knot of the
curve at the reading would bend the curve by up to a whole jump, worst when readings and jumps have nearly the same
period: then one interval seems to hold no jump and the next one two.

So the period is learnt from a few jumps that frequent readings have caught. From then on two ranges are carried along and
cut by every pair of readings that brackets a jump: where the last jump was, and how long the period is. A jump is put in
the middle of what is left, so never outside its bracket: what was seen always wins over what was learnt. A counter that
moves at every reading has no jumps that we could see, and is taken at its word.
"""

from __future__ import annotations

ENOUGH_TICKS = 10
"""After so many jumps caught by frequent readings, the period is known well enough for seldom ones."""

_LIKELY = 0.5
"""The last jump before a reading is the latest one whose range lies by at least this share between the two readings."""

_VAGUE = 0.1
"""How wide the range of a jump may grow before it is worth a closer look (a share of the period)."""

_DRIFT = 0.02
"""By how much a learnt period may be off after the jumps have contradicted it (a share of the period)."""


class TickGrid:
    """Learns the period of a counter's jumps and places them."""

    __slots__ = ("_count", "_first", "_last", "_period")

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._period: tuple[float, float] | None = None
        self._count = 0

    @property
    def period_ns(self) -> float | None:
        """The learnt period, or ``None`` while there is none."""
        return (self._period[0] + self._period[1]) / 2 if self._period else None

    @property
    def vague(self) -> bool:
        """Whether frequent readings around the next jump would tell much better where jumps fall."""
        if self._period is None or self._count < ENOUGH_TICKS:
            return True
        return self._last[1] - self._last[0] > _VAGUE * self._period[0]

    def place(self, after_ns: int, until_ns: int) -> int:
        """Say when a jump fell that two readings bracket.

        Args:
            after_ns: The last reading that did not show it; not before the ``until_ns`` of the jump before.
            until_ns: The first reading that did; after ``after_ns``.

        Returns:
            A moment after ``after_ns`` and not after ``until_ns``.
        """
        if self._period is None:
            return self._learn(after_ns, until_ns)
        low, high = self._predict(after_ns, until_ns, self._period)
        self._last = (low, high)
        return min(max(round((low + high) / 2), after_ns + 1), until_ns)

    def _learn(self, after_ns: int, until_ns: int) -> int:
        first, self._first = self._first, (float(after_ns), float(until_ns))
        if first is None:
            return until_ns
        low, high = after_ns - first[1], until_ns - first[0]
        if low <= 0 or high - low > low:  # the readings are too far apart to tell jumps from a steady rise
            return until_ns
        self._last, self._first = self._first, first
        self._period, self._count = (low, high), 1
        return (after_ns + 1 + until_ns) // 2

    def _predict(self, after_ns: int, until_ns: int, period: tuple[float, float]) -> tuple[float, float]:
        """Cut the range of the jump and of the period by one bracket."""
        middle = (period[0] + period[1]) / 2
        ticks = max(1, int((until_ns - sum(self._last) / 2) / middle))
        best = 0.0
        for count in range(ticks + 1, max(ticks - 2, 0), -1):
            earliest, latest = self._last[0] + count * period[0], self._last[1] + count * period[1]
            inside = (min(latest, until_ns) - max(earliest, after_ns)) / (latest - earliest)
            if inside > best:
                best, chosen, low, high = inside, count, max(earliest, after_ns), min(latest, until_ns)
            if best > _LIKELY:
                break
        if not best:  # not strictly periodic, or a jump was missed: start over from here, near what was known
            self._first, self._count = (float(after_ns), float(until_ns)), 0
            self._period = (middle * (1 - _DRIFT), middle * (1 + _DRIFT))
            return self._first
        self._count += chosen
        first = self._first or self._last
        self._period = (
            max(period[0], (low - first[1]) / self._count),
            min(period[1], (high - first[0]) / self._count),
        )
        return low, high
