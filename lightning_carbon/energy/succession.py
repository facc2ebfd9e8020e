"""The timeline of a domain whose sensor is replaced in mid-run by another of the same hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.energy.timeline import Timeline

if TYPE_CHECKING:
    from lightning_carbon.energy.timeline import CounterTimeline, GaugeTimeline


class _Piece(NamedTuple):
    """The timeline of one sensor, up to where the next sensor took over."""

    timeline: Timeline
    until_ns: int
    microjoules: int
    """The microjoules to be added to its heights."""
    covered_ns: int
    """The nanoseconds to be added to its covered time."""


class Succession(Timeline):
    """The timelines of one domain, each continuing from where the one before was settled.

    Args:
        first: The timeline of the first sensor.
    """

    __slots__ = ("_covered_ns", "_from_ns", "_is_joined", "_microjoules", "_past", "present")

    def __init__(self, first: CounterTimeline | GaugeTimeline) -> None:
        super().__init__()
        #: The timeline of the sensor that is read now.
        self.present = first
        self._past: list[_Piece] = []
        self._from_ns = self._microjoules = self._covered_ns = 0
        self._is_joined = True

    def replace(self, successor: CounterTimeline | GaugeTimeline) -> None:
        """Continue with another timeline from where the present timeline is settled.

        Args:
            successor: The timeline of a sensor that is read already, so that no time is left without a reading.
        """
        until_ns = self.watermark_ns
        if not self._is_joined:  # the sensor in between has given no reading
            self.present = successor
            return
        self._past.append(_Piece(self.present, until_ns, self._microjoules, self._covered_ns))
        self.present = successor
        self._from_ns = until_ns
        self._is_joined = False
        self._join()

    @property
    def watermark_ns(self) -> int:
        """Up to here heights are final."""
        return self.present.watermark_ns if self._join() else self._from_ns

    @property
    def ended(self) -> bool:
        """Whether no more readings are taken."""
        return self.present.ended

    def height(self, at_ns: int) -> int:
        """Cumulative microjoules at a moment; only differences have a meaning."""
        return self.at(at_ns)[0]

    def covered(self, at_ns: int) -> int:
        """Cumulative covered nanoseconds at a moment; only differences have a meaning."""
        return self.at(at_ns)[1]

    def at(self, at_ns: int) -> tuple[int, int]:
        """Height and covered time at a moment."""
        if not self._past:
            return self.present.at(at_ns)
        timeline, at_ns, microjoules, covered_ns = self._piece(at_ns)
        height, covered = timeline.at(at_ns)
        return height + microjoules, covered + covered_ns

    def reached(self, at_ns: int) -> bool:
        """Whether no later reading can tell more of the time up to a moment."""
        return self.present.reached(at_ns)

    def trim(self, before_ns: int) -> None:
        """Forget the heights that no interval from ``before_ns`` on needs."""
        for piece in self._past:
            piece.timeline.trim(before_ns)
        if self._join():
            self.present.trim(before_ns)

    def close(self, at_ns: int) -> None:
        """End the timeline at a moment that readings have reached."""
        self.present.close(at_ns)

    def end(self) -> None:
        """Take no more readings."""
        self.present.end()

    def _piece(self, at_ns: int) -> _Piece:
        for piece in self._past:
            if at_ns <= piece.until_ns:
                return piece._replace(until_ns=at_ns)
        if self._join():
            return _Piece(self.present, at_ns, self._microjoules, self._covered_ns)
        return self._past[-1]

    def _join(self) -> bool:
        """Join the present curve to the end of the one before, as soon as its height there is final."""
        if not self._is_joined and self.present.watermark_ns >= self._from_ns:
            last = self._past[-1]
            from_ns = self._from_ns
            (height, covered), (own_height, own_covered) = last.timeline.at(from_ns), self.present.at(from_ns)
            self._microjoules = height + last.microjoules - own_height
            self._covered_ns = covered + last.covered_ns - own_covered
            self._is_joined = True
        return self._is_joined
