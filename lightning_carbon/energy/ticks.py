"""When a counter moved that has been seen to move between two readings.

The energy counters of GPUs do not rise all the time: they jump, on data-centre parts about every 100 ms, and stand
still in between. A reading tells only that the jump fell somewhere between it and the reading before. To put the knot
of the curve at the reading would bend the curve by up to a whole jump, worst when readings and jumps have nearly the
same period: then one interval seems to hold no jump and the next one two.

So the period is learnt from a few jumps that frequent readings have caught. From then on two ranges are carried along
and cut by every pair of readings that brackets a jump: where the last jump was, and how long the period is. A jump is
put in the middle of what is left, so never outside its bracket: what was seen always wins over what was learnt. A
counter that moves at every reading has no jumps that we could see, and is taken at its word.

Now and then a reading falls into the very range in which a jump is expected. What it shows may then end with that jump
or with the one before, and a wrong guess misplaces the knot by a period. :meth:`TickGrid.doubt` tells, and one more
reading soon after settles it, and leaves a range that is all the narrower.
"""

from __future__ import annotations

from typing import NamedTuple

ENOUGH_TICKS = 10
"""After so many jumps caught by frequent readings, the period is known well enough for seldom ones."""

_LIKELY = 0.5
"""Where nothing else decides: the last jump before a reading is the latest whose range lies by more than this share
between the two readings."""

_VAGUE = 0.1
"""How wide the range of a jump may grow before it is worth a closer look (a share of the period)."""

_CLOSE = 0.5
"""A jump counts as watched closely when the two readings around it are no further apart (a share of the period)."""

_WATCH = 0.05
"""How many of all jumps may be watched closely in the long run, so that a counter without a steady beat, or with one
too fast to be worth it, does not keep the sampler busy."""

_DRIFT = 0.02
"""By how much a learnt period may be off after the jumps have contradicted it (a share of the period)."""


class _Jump(NamedTuple):
    """A jump that may have been the last one before a reading."""

    ticks: int
    """How many periods after the last known one."""
    earliest: float
    latest: float


class Doubt(NamedTuple):
    """A jump that two readings leave open: it may have come before the second of them, or is yet to come.

    Args:
        until_ns: It comes no later than this.
        next_ns: The jump that follows it comes no sooner than this.
    """

    until_ns: float
    next_ns: float


class TickGrid:
    """Learns the period of a counter's jumps and places them."""

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
        """Say whether it is open which jump was the last of those that two readings bracket.

        Args:
            after_ns: The last reading that did not show it.
            until_ns: The first reading that did.

        Returns:
            The jump that is in doubt, or ``None`` where there is none.
        """
        if self._period is None:
            return None
        jumps = self._possible(after_ns, until_ns, self._period)
        if len(jumps) < 2 or jumps[0].latest <= until_ns:  # noqa: PLR2004 - one jump there must have been
            return None
        return Doubt(jumps[0].latest, jumps[0].earliest + self._period[0])

    def place(self, after_ns: int, until_ns: int, *, came: bool | None = None) -> int:
        """Say when a jump fell that two readings bracket; the last one, if there were several.

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
        """Take the mean beat from jumps that were seen to follow each other, so that no jump can be missing between."""
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
        """Start over from a jump that came unexpected: the beat is not strict, and only its mean is known."""
        self._first = self._last = (float(after_ns), float(until_ns))
        self._seen += 1
        self._count = 0
        mean = self._beats_ns / self._beats
        self._period = (mean * (1 - _DRIFT), mean * (1 + _DRIFT))


def _choose(jumps: list[_Jump], after_ns: int, until_ns: int, *, came: bool | None) -> _Jump:
    """Take the latest jump, unless it is known, or likely, to have come only later."""
    last = jumps[0]
    if came is None:
        inside = min(last.latest, until_ns) - max(last.earliest, after_ns)
        came = inside > _LIKELY * (last.latest - last.earliest)
    return last if came or len(jumps) == 1 else jumps[1]
