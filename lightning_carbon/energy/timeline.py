"""Timelines: readings of one domain, appended in order, become a curve that later readings do not change.

A timeline promises three things. Energy is conserved: the curve rises by exactly what the sensor counted. The past is
settled: up to :attr:`~Timeline.watermark_ns` no later reading changes a height. And silence is not filled: over time
that no reading covers, the curve stays flat and the coverage falls.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.curve import FOREVER_NS, EnergyCurve
from lightning_carbon.energy.plausibility import GIVE_UP_NS, RESTARTED, CountCheck
from lightning_carbon.energy.ticks import Doubt, TickGrid
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from lightning_carbon.energy.readings import CounterReading, GaugeReading
    from lightning_carbon.units import Power

STILL_AFTER_NS = NANOSECONDS_PER_SECOND
"""After so long without a move, a counter counts as standing still, and not as between two jumps: GPU counters jump
every 20 to 100 ms, RAPL's every millisecond."""

_NANOWATT_SECONDS = NANOSECONDS_PER_SECOND // MICROJOULES_PER_JOULE


class Timeline:
    """What counter and gauge timelines share: a curve, its settled part, and its end."""

    __slots__ = ("_ended", "curve", "fault")

    def __init__(self) -> None:
        self.curve: EnergyCurve | None = None
        self._ended = False
        #: Why the readings are not energy, once they have shown that.
        self.fault: str | None = None

    @property
    def watermark_ns(self) -> int:
        """Up to here heights are final; :data:`FOREVER_NS` once the timeline has ended; -1 before the first reading."""
        if self._ended:
            return FOREVER_NS
        return self.curve.end_ns if self.curve is not None else -1

    @property
    def ended(self) -> bool:
        """Whether no more readings are taken."""
        return self._ended

    def height(self, at_ns: int) -> int:
        """Cumulative microjoules at a moment; only differences have a meaning."""
        return self.curve.height(at_ns) if self.curve else 0

    def covered(self, at_ns: int) -> int:
        """Cumulative covered nanoseconds at a moment; only differences have a meaning."""
        return self.curve.covered(at_ns) if self.curve else 0

    def at(self, at_ns: int) -> tuple[int, int]:
        """Height and covered time at a moment."""
        return (0, 0) if self.curve is None else self.curve.at(at_ns)

    def between(self, start_ns: int, end_ns: int) -> Energy:
        """The energy of an interval that ends at or before the watermark."""
        return Energy(self.height(end_ns) - self.height(start_ns))

    def coverage_ratio(self, start_ns: int, end_ns: int) -> float:
        """The share of an interval that readings cover, from 0 to 1; 1 for an empty interval."""
        if end_ns <= start_ns:
            return 1.0
        return (self.covered(end_ns) - self.covered(start_ns)) / (end_ns - start_ns)

    def _resume(self, at_ns: int) -> bool:
        """Take readings again; the time up to here is not covered. False where there was no reading before."""
        self._ended = False
        if self.curve is None:
            return False
        self.curve.rise(at_ns, 0, covered=False)
        return True

    def reached(self, at_ns: int) -> bool:
        """Whether no later reading can tell more of the time up to a moment."""
        return self.watermark_ns >= at_ns

    def trim(self, before_ns: int) -> None:
        """Forget the heights that no interval from ``before_ns`` on needs, which keeps memory flat over a long run."""
        if self.curve:
            self.curve.trim(before_ns)

    def close(self, at_ns: int) -> None:
        """End the timeline at a moment that readings have reached; time after its last reading is not covered."""
        del at_ns
        self._ended = True

    def end(self) -> None:
        """Take no more readings: the curve stays where it is, and time from here on counts as not covered."""
        self.close(self.watermark_ns)


class CounterTimeline(Timeline):
    """The timeline of an energy counter: a knot only where the counter moved.

    A :class:`~lightning_carbon.energy.plausibility.CountCheck` holds back an impossible count until later counts show
    whether it was a glitch, which leaves no trace, or a reset, between whose two readings no time is covered.

    Args:
        wraps_at: The count at which the counter starts again from zero, if it does.
        ticking: Whether the counter may jump at a period of its own that is worth learning; false for models, which
            really stand still when they seem to.
        ceiling: The power that the hardware cannot exceed; ``None`` where it is not known.
        max_gap_ns: Between readings further apart than this, the counter may have wrapped more than once.
        still_after_ns: After so long without a move, the counter is taken to stand still.
    """

    __slots__ = (
        "_check",
        "_doubt",
        "_first_move",
        "_grid",
        "_last_ns",
        "_seen_ns",
        "_start_ns",
        "_still_after_ns",
        "_sum",
    )

    def __init__(
        self,
        *,
        wraps_at: Energy | None = None,
        ticking: bool = True,
        ceiling: Power | None = None,
        max_gap_ns: int = GIVE_UP_NS,
        still_after_ns: int = STILL_AFTER_NS,
    ) -> None:
        super().__init__()
        self._still_after_ns = still_after_ns
        self._check = CountCheck(ceiling, wraps_at, max_gap_ns)
        self._grid = TickGrid() if ticking else None
        self._start_ns = self._last_ns = self._seen_ns = -1
        self._sum = 0
        self._first_move: tuple[int, int, int] | None = None
        self._doubt: tuple[Doubt, int, int] | None = None

    @property
    def period_ns(self) -> float | None:
        """The period of the counter's jumps, where it jumps and has been watched closely enough to tell."""
        return self._grid.period_ns if self._grid else None

    @property
    def learning(self) -> bool:
        """Whether frequent readings would still narrow down when the counter jumps."""
        if self._ended or self._grid is None:
            return False
        if self._doubt is not None:
            return True
        return self.curve is None or (self._grid.period_ns is not None and self._grid.vague)

    @property
    def in_doubt_until_ns(self) -> int | None:
        """When one more reading decides whether a jump came before the last; ``None`` without doubt."""
        return None if self._doubt is None or self._ended else round(self._doubt[0].until_ns)

    @property
    def is_held(self) -> bool:
        """Whether counts are held back, until later counts explain them."""
        return self._check.is_held

    def append(self, reading: CounterReading) -> None:
        """Take a reading; a reading that is not after the last is ignored.

        Args:
            reading: The count and when it was read.
        """
        at_ns = reading.at_ns
        if self._ended or at_ns <= self._seen_ns:
            return
        self._seen_ns = at_ns
        rise = self._check.rise(at_ns, reading.energy.microjoules)
        if rise >= 0:
            self._take(at_ns, rise)
        elif rise == RESTARTED:
            self._restart()
        else:
            self.fault = self._check.fault

    def resume(self, reading: CounterReading) -> None:
        """Take readings again after the end, starting with this reading; the time since the last is not covered."""
        at_ns = self._seen_ns = reading.at_ns
        if not self._resume(at_ns):
            self._start_ns = self._last_ns = at_ns
            if self._grid is None:
                self.curve = EnergyCurve(at_ns)
        self._last_ns = at_ns
        self._check.start_over(at_ns, reading.energy.microjoules)

    def _take(self, at_ns: int, rise: int) -> None:
        """Take a rise that is believed."""
        if self._start_ns < 0:
            self._start_ns = self._last_ns = at_ns
            if self._grid is None:
                self.curve = EnergyCurve(at_ns)
            return
        if self._doubt is not None:
            self._decide(self._doubt[0], at_ns, rise)
        if rise:
            self._move(at_ns, rise)
        elif self._grid is None or at_ns - self._known_ns() > self._still_after_ns:
            self._undoubt()
            self._rise(at_ns)
        self._last_ns = at_ns

    def close(self, at_ns: int) -> None:
        """End the timeline at a moment that readings have reached, without waiting for a further jump."""
        if not self._ended and self._start_ns >= 0:
            if self._check.conclude() == RESTARTED:
                self._restart()
            self._undoubt()
            self._rise(min(at_ns, self._last_ns))
        self._ended = True

    def end(self) -> None:
        """Take no more readings; time up to the last is covered."""
        self.close(self._seen_ns)

    def _known_ns(self) -> int:
        if self.curve is not None:
            return self.curve.end_ns
        return self._first_move[1] if self._first_move else self._start_ns

    def _move(self, at_ns: int, rise: int) -> None:
        self._sum += rise
        doubt = self._grid.doubt(self._last_ns, at_ns) if self._grid else None
        if doubt is not None:
            self._doubt = (doubt, self._last_ns, at_ns)
            return
        placed = self._grid.place(self._last_ns, at_ns) if self._grid else at_ns
        if self.curve is None and self._first_move is None:
            self._first_move = (self._last_ns, at_ns, rise)
        else:
            self._rise(placed)

    def _decide(self, doubt: Doubt, at_ns: int, rise: int) -> None:
        """Let the next reading decide which jump was the last before the reading that left it open."""
        if rise == 0:
            if at_ns >= doubt.until_ns:  # nothing moved while it had to come, so it had come already
                self._undoubt(came=True)
        elif at_ns < doubt.next_ns:  # no other can have moved the count
            self._undoubt(came=False)
        else:
            self._undoubt()

    def _undoubt(self, *, came: bool | None = None) -> None:
        if self._doubt is not None and self._grid is not None:
            _, after_ns, until_ns = self._doubt
            self._doubt = None
            self._rise(self._grid.place(after_ns, until_ns, came=came))

    def _settle(self) -> EnergyCurve:
        """Draw the beginning of the curve, once it is known whether the counter jumps.

        The first count was reached at the jump before the first reading. With the period known, the curve starts there,
        so that the part of the first jump that was counted before the meter started is left out.
        """
        if self.curve is not None:
            return self.curve
        start_ns = self._start_ns
        if self._first_move is None:
            self.curve = EnergyCurve(start_ns)
            return self.curve
        after_ns, jump_ns, rise = self._first_move
        if self.period_ns is not None:
            jump_ns = (after_ns + 1 + jump_ns) // 2
            start_ns = min(start_ns, jump_ns - round(self.period_ns))
        self.curve = EnergyCurve(start_ns)
        self.curve.rise(jump_ns, rise)
        return self.curve

    def _rise(self, to_ns: int, *, covered: bool = True) -> None:
        """Draw the curve up to a moment, with all the energy counted by then."""
        curve = self._settle()
        curve.rise(to_ns, self._sum - curve.height(FOREVER_NS), covered=covered)

    def _restart(self) -> None:
        """Go on after a reset: the time since the last believed reading is not covered."""
        (at_ns, _), *later = self._check.replayed
        self._undoubt()
        self._rise(self._last_ns)
        self._rise(at_ns, covered=False)
        self._last_ns = at_ns
        for later_ns, rise in later:
            self._take(later_ns, rise)


class GaugeTimeline(Timeline):
    """The timeline of a power gauge: the trapezoid between readings that are close enough, and that show a power.

    A gauge that averages over a window shows the power in the middle of that window. Its readings are placed there, so
    the curve ends half a window before the last reading. Once no more readings come, the last half is drawn from the
    mean that the last reading gives for its whole window.

    Args:
        max_gap_ns: Two readings further apart than this do not cover the time between them.
        window_ns: How long the window is that a reading is the mean of; 0 for a power at a moment.
    """

    __slots__ = ("_half_ns", "_last", "_max_gap_ns", "_remainder")

    is_held = False
    in_doubt_until_ns: Final = None

    def __init__(self, *, max_gap_ns: int, window_ns: int = 0) -> None:
        super().__init__()
        self._max_gap_ns = max_gap_ns
        self._half_ns = window_ns // 2
        self._last: GaugeReading | None = None
        self._remainder = 0.0

    def append(self, reading: GaugeReading) -> None:
        """Take a reading; a reading that is not after the last is ignored.

        Args:
            reading: The power and when it was read.
        """
        last = self._last
        if self._ended or (last is not None and reading.at_ns <= last.at_ns):
            return
        self._last = reading
        if last is None or self.curve is None:
            self.curve = EnergyCurve(reading.at_ns - self._half_ns)
            return
        span_ns = reading.at_ns - last.at_ns
        mean_watts = (last.power.watts + reading.power.watts) / 2
        is_apart = span_ns > self._max_gap_ns or isnan(mean_watts)
        if is_apart or (self._half_ns and last.at_ns - self._half_ns < self.curve.end_ns):
            self._skip(reading.at_ns - self._half_ns)
            return
        exact = mean_watts * span_ns / _NANOWATT_SECONDS + self._remainder
        whole = int(exact)
        self._remainder = exact - whole
        self.curve.rise(reading.at_ns - self._half_ns, whole)

    def resume(self, reading: GaugeReading) -> None:
        """Take readings again after the end, starting with this reading; the time since the last is not covered."""
        self._last = reading
        if not self._resume(reading.at_ns):
            self.curve = EnergyCurve(reading.at_ns)

    def reached(self, at_ns: int) -> bool:
        """Whether a reading was taken at this moment or after it."""
        return self._ended or (self._last is not None and self._last.at_ns >= at_ns)

    def trim(self, before_ns: int) -> None:
        """Forget the heights that are not needed, save the last half window, which the end of the next window needs."""
        super().trim(before_ns - self._half_ns)

    def close(self, at_ns: int) -> None:
        """End the timeline; what lies after its last reading is not covered."""
        last, curve = self._last, self.curve
        if self._half_ns and last is not None and curve is not None and not (self._ended or isnan(last.power.watts)):
            self._draw_last_half(last, curve)
        super().close(at_ns)

    def _draw_last_half(self, last: GaugeReading, curve: EnergyCurve) -> None:
        """Let the curve rise by the mean power of the last window over that window."""
        middle_ns = curve.end_ns
        if middle_ns > last.at_ns - self._half_ns:
            return  # resumed a moment ago: this reading also averages over the time before that
        before_ns = middle_ns - self._half_ns
        whole = int(last.power.watts * 2 * self._half_ns / _NANOWATT_SECONDS)
        if curve.covered(middle_ns) - curve.covered(before_ns) == self._half_ns:
            drawn = curve.height(middle_ns) - curve.height(before_ns)
        else:
            drawn = whole // 2
        curve.rise(last.at_ns, max(whole - drawn, 0))

    def _skip(self, to_ns: int) -> None:
        if self.curve is not None and to_ns > self.curve.end_ns:
            self.curve.rise(to_ns, 0, covered=False)
