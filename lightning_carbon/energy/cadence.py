"""The cadence of a sensor: intervals shorter than the time between its new values are known by their length alone."""

from __future__ import annotations

from collections import deque
from typing import Final

_MOST: Final = 63
"""The most distances between new values that are kept, some seconds' worth."""


class Cadence:
    """The distances between readings that differ from the reading before.

    A sensor that is read more often than it updates repeats its value in between. A sensor whose value never changes,
    as its hardware draws constant power, is taken to update with every reading.
    """

    __slots__ = ("_last_value", "_news", "_news_ns", "_read_ns", "_reads")

    def __init__(self) -> None:
        self._reads: deque[int] = deque(maxlen=_MOST)
        self._news: deque[int] = deque(maxlen=_MOST)
        self._read_ns: int | None = None
        self._news_ns: int | None = None
        self._last_value: float | None = None

    def note(self, at_ns: int, value: float) -> None:
        """Take a reading.

        Args:
            at_ns: When the reading was taken.
            value: The count or the power that it showed.
        """
        if self._read_ns is not None:
            self._reads.append(at_ns - self._read_ns)
            if value != self._last_value:
                if self._news_ns is not None:
                    self._news.append(at_ns - self._news_ns)
                self._news_ns = at_ns
        self._read_ns, self._last_value = at_ns, value

    @property
    def ns(self) -> int | None:
        """The median distance between new values, else between readings; ``None`` before the second."""
        known = self._news or self._reads
        return sorted(known)[len(known) // 2] if known else None
