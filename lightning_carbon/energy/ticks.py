"""Placing the jumps of a counter in time: when a counter moved that was seen to have moved between two readings.

The energy counters of GPUs do not rise steadily: they jump, on data-centre parts about every 100 ms, and stand still in
between. A reading only tells that the jump fell somewhere between it and the reading before. A knot of the curve at the
reading would bend the curve by up to a whole jump, worst when readings and jumps have nearly the same period: then one
interval seems to hold no jump and the next two jumps.

So the period is learnt from a few jumps that frequent readings have caught. From then on two ranges are kept, of the
moment of the last jump and of the period, and every pair of readings that brackets a jump narrows both. A jump is
placed in the middle of its range, so never outside its bracket: observation always overrules what was learnt. A counter
that moves at every reading has no visible jumps, and its readings are taken as they are.

Now and then a reading falls into the very range in which a jump is expected. The count may then include that jump or
not, and a wrong guess misplaces the knot by a period. :meth:`TickGrid.doubt` reports such a case, and one more reading
soon after decides it and narrows the range further.
"""

from __future__ import annotations

from typing import NamedTuple

ENOUGH_TICKS = 10
"""The number of jumps, caught by frequent readings, after which the period is known well enough for rare readings."""

_LIKELY = 0.5
"""Where nothing else decides, the last jump before a reading is the latest of whose range more than this share lies
between the two readings."""

_VAGUE = 0.1
"""How wide the range of a jump may grow before it is worth a closer look (a share of the period)."""

_CLOSE = 0.5
"""A jump counts as watched closely when the two readings around it are no further apart (a share of the period)."""

_WATCH = 0.05
"""The share of all jumps that may be watched closely in the long run, so a counter without a steady period, or with a
very short one, does not keep the sampler busy."""

_DRIFT = 0.02
"""The uncertainty of a learnt period after the jumps have contradicted it (a share of the period)."""


class _Jump(NamedTuple):
    """A jump that may have been the last before a reading."""

    ticks: int
    """The number of periods since the last known jump."""
    earliest: float
    latest: float


class Doubt(NamedTuple):
    """A jump that two readings leave open: it came before the second reading, or is yet to come.

    Args:
        until_ns: The jump comes no later than this.
        next_ns: The jump that follows it comes no sooner than this.
    """

    until_ns: float
    next_ns: float


class TickGrid:
    """Learns the period of a counter's jumps, and places them in time."""

    __slots__ = (
        "_beats",
        "_beats_ns",
        "_count",
        "_first",
        "_jumps",
        "_last",
        "_period",
        "_seen",
        "_watched",
        "_watched_ns",
    )

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._period: tuple[float, float] | None = None
        self._count = 0
        self._seen = self._watched = self._beats = 0
        self._beats_ns = self._watched_ns = 0.0
        self._jumps: tuple[int, int, list[_Jump]] | None = None

    @property
    def period_ns(self) -> float | None:
        """The learnt period, or ``None`` while there is none."""
        return (self._period[0] + self._period[1]) / 2 if self._period else None

    @property
    def vague(self) -> bool:
        """Whether frequent readings around the next jump would tell much better where jumps fall."""
        if self._period is None:
            return True
        if self._watched > 2 * ENOUGH_TICKS + _WATCH * self._seen:
            return False
        return self._count < ENOUGH_TICKS or self._last[1] - self._last[0] > _VAGUE * self._period[0]

    def doubt(self, after_ns: int, until_ns: int) -> Doubt | None:
        """Find the jump, if any, that may or may not be among those that two readings bracket.

        Args:
            after_ns: The last reading that did not show it.
            until_ns: The first reading that did.

        Returns:
            The jump that is in doubt, or ``None`` where there is none.
        """
        if self._period is None:
            return None
        jumps = self._possible(after_ns, until_ns, self._period)
        if len(jumps) < 2 or jumps[0].latest <= until_ns:  # noqa: PLR2004 - at least one jump came
            return None
        return Doubt(jumps[0].latest, jumps[0].earliest + self._period[0])

    def place(self, after_ns: int, until_ns: int, *, came: bool | None = None) -> int:
        """The moment of the jump that two readings bracket; the last jump, if there were several.

        Args:
            after_ns: The last reading that did not show it; not before the ``until_ns`` of the jump before.
            until_ns: The first reading that did; after ``after_ns``.
            came: Whether the jump that :meth:`doubt` named had come by ``until_ns``; ``None`` where nobody knows.

        Returns:
            A moment after ``after_ns`` and not after ``until_ns``.
        """
        if self._period is None:
            return self._learn(after_ns, until_ns)
        self._watch(after_ns, until_ns, self._period[0])
        jumps = self._possible(after_ns, until_ns, self._period)
        if jumps:
            self._last = self._cut(after_ns, until_ns, self._period, jump=_choose(jumps, after_ns, until_ns, came=came))
        else:
            self._restart(after_ns, until_ns)
        self._jumps = None
        return min(max(round(sum(self._last) / 2), after_ns + 1), until_ns)

    def _learn(self, after_ns: int, until_ns: int) -> int:
        first, self._first = self._first, (float(after_ns), float(until_ns))
        if first is None:
            return until_ns
        low, high = after_ns - first[1], until_ns - first[0]
        if low <= 0 or high - low > low:  # readings this far apart cannot distinguish jumps from a steady rise
            return until_ns
        self._last, self._first = self._first, first
        self._period, self._count = (low, high), 1
        self._watched, self._watched_ns = 1, (after_ns + until_ns) / 2
        self._beats, self._beats_ns = 1, (low + high) / 2
        return (after_ns + 1 + until_ns) // 2

    def _watch(self, after_ns: int, until_ns: int, shortest_ns: float) -> None:
        """Take the mean period from jumps that were seen to follow each other, with none missed between them."""
        if until_ns - after_ns > _CLOSE * shortest_ns:
            return
        jump_ns = (after_ns + until_ns) / 2
        if self._watched_ns + 2 * shortest_ns > until_ns:
            self._beats_ns += jump_ns - self._watched_ns
            self._beats += 1
        self._watched_ns = jump_ns
        self._watched += 1

    def _possible(self, after_ns: int, until_ns: int, period: tuple[float, float]) -> list[_Jump]:
        """The jumps that may have been the last before a reading, the latest first.

        Every counter comes here with every jump, so :meth:`place` takes what :meth:`doubt` has found.
        """
        if self._jumps is not None and self._jumps[:2] == (after_ns, until_ns):
            return self._jumps[2]
        earliest, latest = self._last
        shortest, longest = period
        about = max(1, int((2 * until_ns - earliest - latest) / (shortest + longest)))
        jumps = []
        for ticks in range(about + 1, max(about - 2, 0), -1):
            start, end = earliest + ticks * shortest, latest + ticks * longest
            if start < end and start < until_ns and end > after_ns:
                jumps.append(_Jump(ticks, start, end))
        self._jumps = (after_ns, until_ns, jumps)
        return jumps

    def _cut(self, after_ns: int, until_ns: int, period: tuple[float, float], *, jump: _Jump) -> tuple[float, float]:
        """Cut the range of the jump and of the period by one bracket."""
        low, high = max(jump.earliest, after_ns), min(jump.latest, until_ns)
        first = self._first or self._last
        self._seen += jump.ticks
        self._count += jump.ticks
        self._period = (
            max(period[0], (low - first[1]) / self._count),
            min(period[1], (high - first[0]) / self._count),
        )
        return low, high

    def _restart(self, after_ns: int, until_ns: int) -> None:
        """Start over from an unexpected jump: the period is not strict, and only its mean is known."""
        self._first = self._last = (float(after_ns), float(until_ns))
        self._seen += 1
        self._count = 0
        mean = self._beats_ns / self._beats
        self._period = (mean * (1 - _DRIFT), mean * (1 + _DRIFT))


def _choose(jumps: list[_Jump], after_ns: int, until_ns: int, *, came: bool | None) -> _Jump:
    """Take the latest jump, unless it is known, or likely, to have come later."""
    last = jumps[0]
    if came is None:
        inside = min(last.latest, until_ns) - max(last.earliest, after_ns)
        came = inside > _LIKELY * (last.latest - last.earliest)
    return last if came or len(jumps) == 1 else jumps[1]
