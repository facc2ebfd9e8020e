"""How often a sensor has news: what lasts less than that can be told only by how long it took."""

from __future__ import annotations

from collections import deque
from typing import Final

_MOST: Final = 63
"""So many distances between news are kept, the last ones; some seconds of them."""


class Cadence:
    """The distance between readings that differ from the one before, as they came.

    A sensor that is read more often than it has news shows the same again in between. One that has none, since what it
    meters does not change, is taken to have news with every reading.
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
            at_ns: When it was taken.
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
        """The median distance between news, or between readings where there were none; ``None`` before two of them."""
        known = self._news or self._reads
        return sorted(known)[len(known) // 2] if known else None
