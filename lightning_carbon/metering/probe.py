"""One source with its timeline: reads, stamps, appends, and knows when the source is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import CounterReading, GaugeReading, Provenance
from lightning_carbon.energy.timeline import CounterTimeline, GaugeTimeline
from lightning_carbon.errors import SourceLost
from lightning_carbon.ports import EnergyCounter

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.ports import Clock, Source
    from lightning_carbon.units import Energy, Power

PATIENCE_NS = 2_000_000_000
"""A source that has failed, or hung, for so long is lost."""


class Probe:
    """Reads one source onto one timeline.

    Args:
        source: What is read.
        clock: What stamps the readings: with the middle of the call, since a call may be slow.
        max_gap_ns: How far apart two readings of a gauge may be.
    """

    __slots__ = (
        "_ask",
        "_failing_since_ns",
        "_now_ns",
        "_reading",
        "is_measured_gauge",
        "lost",
        "lost_at_ns",
        "reading_since_ns",
        "sensor",
        "timeline",
    )

    def __init__(self, source: Source, clock: Clock, max_gap_ns: int) -> None:
        self._now_ns = clock.now_ns
        self.sensor: Sensor = source.sensor
        self.timeline: CounterTimeline | GaugeTimeline
        self._ask: Callable[[], Energy] | Callable[[], Power]
        self._reading: Callable[..., CounterReading] | Callable[..., GaugeReading]
        # Looked up once rather than ten times a second: after the pause between two readings nothing of it is in the
        # processor's caches, and every step of the way costs ten times what a benchmark in a loop shows.
        if isinstance(source, EnergyCounter):
            ticking = self.sensor.provenance is Provenance.COUNTER
            self.timeline = CounterTimeline(wraps_at=self.sensor.wraps_at, ticking=ticking)
            self._ask, self._reading = source.read_energy, CounterReading
        else:
            self.timeline = GaugeTimeline(max_gap_ns=max_gap_ns)
            self._ask, self._reading = source.read_power, GaugeReading
        #: Whether it is a power sensor whose readings have to be dense to be integrated well.
        self.is_measured_gauge = isinstance(self.timeline, GaugeTimeline) and self.sensor.provenance.is_measured
        self.lost: str | None = None
        self.lost_at_ns: int | None = None
        self.reading_since_ns: int | None = None
        self._failing_since_ns: int | None = None

    @property
    def alive(self) -> bool:
        """Whether it is still read."""
        return self.lost is None and not self.timeline.ended

    @property
    def wants_close_look(self) -> bool:
        """Whether frequent readings would teach when its counter jumps."""
        return isinstance(self.timeline, CounterTimeline) and self.timeline.learning

    def read(self) -> CounterReading | GaugeReading | None:
        """Take one reading, slow or failing as the source may be; appends nothing.

        Returns:
            The reading, or ``None`` where it failed. A source that is gone, or has failed for two seconds, is lost.
        """
        before_ns = self.reading_since_ns = self._now_ns()
        try:
            amount = self._ask()
            stamp_ns = (before_ns + self._now_ns()) // 2
            self._failing_since_ns = None
            return self._reading(stamp_ns, amount)
        except SourceLost as error:
            self.lose(str(error) or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - whatever a driver throws, the training goes on
            since_ns = self._failing_since_ns
            if since_ns is None:
                self._failing_since_ns = before_ns
            elif self._now_ns() - since_ns > PATIENCE_NS:
                self.lose(f"failed for {PATIENCE_NS // 1_000_000_000} s: {str(error) or type(error).__name__}")
        finally:
            self.reading_since_ns = None
        return None

    def append(self, reading: CounterReading | GaugeReading) -> None:
        """Put a reading on the timeline."""
        self.timeline.append(reading)  # type: ignore[arg-type]

    def lose(self, reason: str) -> None:
        """Give the source up, for a reason that the record will tell; the timeline ends at its last reading."""
        if self.lost is None:
            self.lost = reason
            self.lost_at_ns = self._now_ns()
