"""The pace of readings: when the sensors that count for themselves are read next.

A counter loses nothing by a late reading: what it has counted is there at the next reading. Readings tell when the
energy was used, so they have to be close where somebody asks for a short time: a step, a row, the moment that a phase
begins. Else the journal alone needs them, half a second apart.
"""

from __future__ import annotations

from typing import Final

from lightning_carbon.units import NANOSECONDS_PER_SECOND

SPARSE_SECONDS: Final = 0.5
"""The interval of readings that only the journal needs, and its own interval: a killed run loses what came since."""
EDGE_SECONDS: Final = 0.25
"""How long readings stay close after the begin of a phase, in which a counter of a GPU jumps twice."""
READINGS_A_ROW: Final = 2
"""The least number of readings between two rows, so that every row has news."""

_GOLDEN: Final = 0.6180339887498949


class Pace:
    """Plans the next reading.

    Readings are spread over the interval by the golden ratio rather than evenly: a load or a counter with nearly the
    same period would otherwise always be caught at the same point.

    Args:
        interval_ns: The interval of close readings.
        is_sparse: Whether readings are closer than half a second only where a row or a phase needs it.
        now_ns: The moment, when the first reading is due.
    """

    __slots__ = ("_apart_ns", "_base_ns", "_close_until_ns", "_longest_ns", "_row_ns", "_turn", "due_ns", "interval_ns")

    def __init__(self, interval_ns: int, *, is_sparse: bool, now_ns: int = 0) -> None:
        self.interval_ns = interval_ns
        #: When the next reading is due.
        self.due_ns = now_ns
        sparse_ns = round(SPARSE_SECONDS * NANOSECONDS_PER_SECOND)
        self._longest_ns = max(interval_ns, sparse_ns) if is_sparse else interval_ns
        self._base_ns = self._close_until_ns = self._row_ns = now_ns
        self._apart_ns = 0
        self._turn = 0

    def restart(self, now_ns: int) -> None:
        """Be due now, and count from here."""
        self._base_ns = self.due_ns = now_ns
        self._turn = 0

    def is_close(self, now_ns: int) -> bool:
        """Whether readings are as close as they get."""
        return self._longest_ns == self.interval_ns or now_ns < self._close_until_ns

    def row(self, now_ns: int) -> None:
        """Note that a row is asked for: the time since the last foretells the next."""
        self._row_ns, self._apart_ns = now_ns, now_ns - self._row_ns

    def stay_close(self, now_ns: int, seconds: float = EDGE_SECONDS) -> bool:
        """Keep readings close for some time from now on, as a phase begins.

        Args:
            now_ns: The moment.
            seconds: For how long.

        Returns:
            Whether the next reading was too far away for that, and is due now.
        """
        self._close_until_ns = now_ns + round(seconds * NANOSECONDS_PER_SECOND)
        if self.due_ns <= now_ns + self.interval_ns:
            return False
        self.due_ns = now_ns
        return True

    def read(self, now_ns: int, *, is_watched: bool) -> None:
        """Note a reading, and plan the next; missed turns are skipped, not made up for.

        Args:
            now_ns: The moment.
            is_watched: Whether a sensor needs close readings, as its counter is checked.
        """
        apart_ns = self.interval_ns
        if not is_watched and not self.is_close(now_ns):
            rows_ns = max(self._apart_ns, now_ns - self._row_ns) // READINGS_A_ROW
            apart_ns = max(apart_ns, min(self._longest_ns, rows_ns))
        turn = self._turn = max(self._turn + 1, (now_ns - self._base_ns) // self.interval_ns)
        if apart_ns > self.interval_ns:
            self.due_ns = now_ns + apart_ns + round((turn * _GOLDEN % 1 - 0.5) * self.interval_ns)
            return
        self.due_ns = now_ns
        while self.due_ns <= now_ns:
            self.due_ns = self._base_ns + round((turn + turn * _GOLDEN % 1 / 2) * self.interval_ns)
            turn += 1
        self._turn = turn - 1
