"""One source with its timeline: reads, stamps, appends, and knows when the source is lost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn, SupportsInt

from lightning_carbon.energy.plausibility import GIVE_UP_NS, ceiling_of
from lightning_carbon.energy.readings import CounterReading, GaugeReading, Provenance
from lightning_carbon.energy.timeline import CounterTimeline, GaugeTimeline
from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.ports import EnergyCounter
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.ports import Clock, Source
    from lightning_carbon.units import Power

PATIENCE_NS = 2 * NANOSECONDS_PER_SECOND
"""A source that has failed, or hung, for so long is lost."""

_LARGEST = sys.float_info.max


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
        "_is_gauge",
        "_most_watts",
        "_now_ns",
        "_reading",
        "is_measured_gauge",
        "lost",
        "lost_at_ns",
        "reading_since_ns",
        "remark",
        "sensor",
        "timeline",
    )

    def __init__(self, source: Source, clock: Clock, max_gap_ns: int) -> None:
        self._now_ns = clock.now_ns
        self.sensor: Sensor = source.sensor
        self.timeline: CounterTimeline | GaugeTimeline
        self._ask: Callable[[], Energy] | Callable[[], Power]
        self._reading: Callable[..., CounterReading] | Callable[..., GaugeReading]
        is_modelled = self.sensor.provenance is Provenance.MODELLED
        # A model may catch up: the processor time of a process that has ended comes at once.
        ceiling = None if is_modelled else ceiling_of(self.sensor)
        # Looked up once rather than ten times a second: after the pause between two readings nothing of it is in the
        # processor's caches, and every step of the way costs ten times what a benchmark in a loop shows.
        if isinstance(source, EnergyCounter):
            self.timeline = CounterTimeline(
                wraps_at=self.sensor.wraps_at,
                ticking=self.sensor.provenance is Provenance.COUNTER,
                ceiling=ceiling,
                max_gap_ns=max(GIVE_UP_NS, max_gap_ns * 2 // 5),
            )
            self._ask, self._reading = source.read_energy, CounterReading
            self._is_gauge = False
        else:
            self.timeline = GaugeTimeline(max_gap_ns=max_gap_ns)
            self._ask, self._reading = source.read_power, GaugeReading
            self._is_gauge = True
        self._most_watts = _LARGEST if ceiling is None else ceiling.watts
        #: Whether it is a power sensor whose readings have to be dense to be integrated well.
        self.is_measured_gauge = self._is_gauge and not is_modelled
        self.lost: str | None = None
        self.lost_at_ns: int | None = None
        self.reading_since_ns: int | None = None
        #: What is odd about the readings, until somebody has told it.
        self.remark: str | None = None
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
            The reading, or ``None`` where it failed or cannot be. A source that is gone, or has failed for two seconds,
            is lost.
        """
        before_ns = self.reading_since_ns = self._now_ns()
        try:
            amount = self._ask()
            stamp_ns = (before_ns + self._now_ns()) // 2
            if self._is_gauge:
                watts = amount.watts  # type: ignore[union-attr]
                if not 0 <= watts <= self._most_watts:
                    self._refuse(watts, "W")
            else:
                count = amount.microjoules  # type: ignore[union-attr]
                if type(count) is not int or count < 0:
                    amount = self._whole(count)
            self._failing_since_ns = None
            return self._reading(stamp_ns, amount)
        except SourceLost as error:
            self.lose(str(error) or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - whatever a driver throws, the training goes on
            self._fail(before_ns, str(error) or type(error).__name__)
        finally:
            self.reading_since_ns = None
        return None

    def append(self, reading: CounterReading | GaugeReading) -> None:
        """Put a reading on the timeline; a source whose readings cannot be energy is lost."""
        timeline = self.timeline
        timeline.append(reading)  # type: ignore[arg-type]
        if timeline.fault is not None:
            self.lose(timeline.fault)

    def lose(self, reason: str) -> None:
        """Give the source up, for a reason that the record will tell; the timeline ends at its last reading."""
        if self.lost is None:
            self.lost = reason
            self.lost_at_ns = self._now_ns()

    def take_up(self, reading: CounterReading | GaugeReading) -> None:
        """Read a source again that was given up while a reading took too long; the time between is not covered.

        Args:
            reading: The reading that came late; it counts from now on, as what lies before it has been settled.
        """
        amount = reading.energy if isinstance(reading, CounterReading) else reading.power
        self.timeline.resume(self._reading(self._now_ns(), amount))  # type: ignore[arg-type]
        self.lost = self.lost_at_ns = None

    def _fail(self, before_ns: int, reason: str) -> None:
        since_ns = self._failing_since_ns
        if since_ns is None:
            self._failing_since_ns = before_ns
        elif self._now_ns() - since_ns > PATIENCE_NS:
            self.lose(f"failed for {PATIENCE_NS // NANOSECONDS_PER_SECOND} s: {reason}")

    def _whole(self, count: object) -> Energy:
        """The energy that a count of another type stands for.

        Raises:
            ReadFailed: It is no number, negative, or not finite.
        """
        if not isinstance(count, SupportsInt) or not 0 <= float(count) < float("inf"):  # type: ignore[arg-type]
            self._refuse(count, "microjoules")
        return Energy(int(count))

    def _refuse(self, value: object, unit: str) -> NoReturn:
        most = f"; it draws {self._most_watts:.0f} W at most" if self._is_gauge else ""
        self.remark = f"its sensor showed {value!r} {unit}, which is no reading{most}"
        raise ReadFailed(self.remark)
