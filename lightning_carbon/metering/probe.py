"""A source with its timeline: reading, stamping, appending, and noticing its loss."""

from __future__ import annotations

import sys
from math import isnan, nan
from typing import TYPE_CHECKING, NoReturn, SupportsInt, cast

from lightning_carbon.energy.cadence import Cadence
from lightning_carbon.energy.plausibility import GIVE_UP_NS, ceiling_of
from lightning_carbon.energy.readings import CounterReading, GaugeReading, Provenance
from lightning_carbon.energy.succession import Succession
from lightning_carbon.energy.timeline import STILL_AFTER_NS, CounterTimeline, GaugeTimeline
from lightning_carbon.errors import NoNews, ReadFailed, SourceLost
from lightning_carbon.metering.crosscheck import DEAD_NS, SILENT_NS, CrossCheck, Retry
from lightning_carbon.ports import is_counter, is_share
from lightning_carbon.records.journal import SensorBeat
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy, Power
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.energy.timeline import Timeline
    from lightning_carbon.metering.condition_watch import ConditionWatch
    from lightning_carbon.ports import Clock, PowerGauge, Source

PATIENCE_NS = 2 * NANOSECONDS_PER_SECOND
"""How long a source may fail, or hang, before it is lost."""

_WRAPS_SECONDS = 2.0
"""A counter that may wrap within this time is read often; the smallest of RAPL takes half a minute."""
_LARGEST = sys.float_info.max
_NOTHING = Power(nan)
"""What a gauge shows that has nothing to show."""


def _ceiling_of(sensor: Sensor) -> Power | None:
    # A model may catch up, as the processor time of an ended process comes at once.
    return None if sensor.provenance is Provenance.MODELLED else ceiling_of(sensor)


def _line_of(source: Source, max_gap_ns: int, still_after_ns: int) -> CounterTimeline | GaugeTimeline:
    """A timeline for the readings of a source."""
    sensor = source.sensor
    if is_counter(source):
        return CounterTimeline(
            wraps_at=sensor.wraps_at,
            ticking=sensor.provenance is Provenance.COUNTER,
            ceiling=_ceiling_of(sensor),
            max_gap_ns=max(GIVE_UP_NS, max_gap_ns * 2 // 5),
            still_after_ns=still_after_ns,
        )
    return GaugeTimeline(max_gap_ns=max_gap_ns, window_ns=round(sensor.window_seconds * NANOSECONDS_PER_SECOND))


def _reading_of(amount: Energy | Power | None, at_ns: int) -> CounterReading | GaugeReading | None:
    if amount is None:
        return None
    return CounterReading(at_ns, amount) if isinstance(amount, Energy) else GaugeReading(at_ns, amount)


class Probe:
    """Reads a source onto a timeline, and switches to another source of the same domain that turns out to be better.

    Args:
        source: The source to read.
        clock: The clock that stamps readings, with the middle of the call, since a call may be slow.
        max_gap_ns: The longest time between two readings of a gauge that they cover.
        fallback: The source that a counter is checked against, and that takes over where the counter turns out to be
            broken.
        later: Tries for a better source; raises as long as there is none.
    """

    __slots__ = (
        "_ask",
        "_cadence",
        "_crosscheck",
        "_failing_since_ns",
        "_has_refused",
        "_held_ns",
        "_is_gauge",
        "_line",
        "_most_watts",
        "_now_ns",
        "_ratio",
        "_reading",
        "_retry",
        "_share",
        "_whole_count",
        "_whole_line",
        "_whole_moved_ns",
        "_whole_reading",
        "_wraps_soon",
        "condition",
        "is_measured_gauge",
        "lost",
        "lost_at_ns",
        "reading_since_ns",
        "remark",
        "replaced",
        "replaced_at_ns",
        "sensor",
        "timeline",
        "whole_sensor",
    )

    def __init__(
        self,
        source: Source,
        clock: Clock,
        max_gap_ns: int,
        *,
        fallback: Source | None = None,
        later: Callable[[], Source] | None = None,
    ) -> None:
        self._now_ns = clock.now_ns
        self.sensor: Sensor = source.sensor
        self._line: CounterTimeline | GaugeTimeline
        self._ask: Callable[[], Energy] | Callable[[], Power]
        self._reading: Callable[..., CounterReading] | Callable[..., GaugeReading]
        is_modelled = self.sensor.provenance is Provenance.MODELLED
        ceiling = _ceiling_of(self.sensor)
        # Looked up once rather than ten times a second: after the pause between two readings the processor's caches are
        # cold, and every attribute costs ten times as much as in a benchmark's loop.
        self._share = source if is_share(source) else None
        whole = source if self._share is None else self._share.whole
        #: The sensor of the whole, where this is a share, or its own sensor.
        self.whole_sensor = whole.sensor
        self._held_ns = STILL_AFTER_NS
        witness: Probe | None = None
        if fallback is not None and is_counter(whole) and self.whole_sensor.provenance is Provenance.COUNTER:
            witness = Probe(fallback, clock, max_gap_ns)
            has_power = witness.whole_sensor.provenance is not Provenance.MODELLED
            self._held_ns += DEAD_NS if has_power else SILENT_NS
        self._line = _line_of(source, max_gap_ns, self._held_ns)
        self._whole_line = None if self._share is None else _line_of(whole, max_gap_ns, self._held_ns)
        self._whole_reading: CounterReading | GaugeReading | None = None
        self._whole_moved_ns = -1
        self._whole_count: int | None = None
        if is_counter(source):
            self._ask, self._reading = source.read_energy, CounterReading
            self._is_gauge = False
        else:
            self._ask, self._reading = cast("PowerGauge", source).read_power, GaugeReading
            self._is_gauge = True
        self._most_watts = _LARGEST if ceiling is None else ceiling.watts
        wraps_at = whole.sensor.wraps_at
        self._wraps_soon = wraps_at is not None and wraps_at.joules < self._most_watts * _WRAPS_SECONDS
        #: Whether it is a power sensor whose readings have to be dense for a good integral.
        self.is_measured_gauge = self._is_gauge and not is_modelled
        self.lost: str | None = None
        self.lost_at_ns: int | None = None
        self.reading_since_ns: int | None = None
        #: A warning about odd readings, until it has been given.
        self.remark: str | None = None
        self._has_refused = False
        self._failing_since_ns: int | None = None
        #: The timeline of all intervals, which is the same object for the whole run.
        self.timeline: Timeline = self._line if fallback is None and later is None else Succession(self._line)
        self._cadence = Cadence()
        self._crosscheck: CrossCheck[Probe] | None = None
        counter = self._line if self._whole_line is None else self._whole_line
        if witness is not None and isinstance(counter, CounterTimeline):
            self._crosscheck = CrossCheck(counter, witness, self.sensor.domain.kind, now_ns=clock.now_ns())
        self._retry: Retry[Probe] | None = None
        if later is not None:
            self._retry = Retry(later, lambda better: Probe(better, clock, max_gap_ns, fallback=source), clock.now_ns())
        self._ratio: float | None = None
        #: The gauges of the device, where it has any; they stay when another source takes over.
        self.condition: ConditionWatch | None = None
        #: The reason why another source has taken over, and the moment.
        self.replaced: str | None = None
        self.replaced_at_ns: int | None = None

    @property
    def counter_to_power_ratio(self) -> float | None:
        """The counted energy over the integrated power, where both were read."""
        return self._ratio if self._crosscheck is None else self._crosscheck.ratio

    @property
    def whole_timeline(self) -> Timeline:
        """The timeline of the whole, where this is a share, or its own."""
        return self.timeline if self._whole_line is None else self._whole_line

    def told(self, start_ns: int) -> SensorBeat | None:
        """The facts that the run has shown about the source, for the record, or ``None``.

        Args:
            start_ns: When the run started.
        """
        ratio, sensor = self.counter_to_power_ratio, self.sensor
        if self.replaced_at_ns is None:
            return None if ratio is None else SensorBeat(ratio)
        return SensorBeat(
            counter_to_power_ratio=ratio,
            replaced=self.replaced,
            replaced_ns=max(0, self.replaced_at_ns - start_ns),
            provenance=sensor.provenance.value,
            uncertainty_ratio=sensor.uncertainty_ratio,
            method=sensor.method,
            accuracy=sensor.accuracy,
        )

    @property
    def cadence_ns(self) -> int | None:
        """How far apart its news are, as its readings showed; a mean is none sooner than its window is over."""
        seen_ns = self._cadence.ns
        return None if seen_ns is None else max(seen_ns, round(self.sensor.window_seconds * NANOSECONDS_PER_SECOND))

    @property
    def alive(self) -> bool:
        """Whether the source is still read."""
        return self.lost is None and not self._line.ended

    @property
    def busy_since_ns(self) -> int | None:
        """Since when a reading of it, or of its gauges, has not come back; ``None`` between readings."""
        held = None if self.condition is None else self.condition.reading_since_ns
        return self.reading_since_ns if held is None else held

    def drop_condition(self) -> bool:
        """Give up gauges whose reading hangs; whether it is they that hang, and not the source itself."""
        if self.condition is None or self.condition.reading_since_ns is None:
            return False
        self.condition.drop()
        return True

    @property
    def wants_close_look(self) -> bool:
        """Whether frequent readings would narrow down when its counter jumps."""
        return isinstance(self._line, CounterTimeline) and self._line.learning

    @property
    def in_doubt_until_ns(self) -> int | None:
        """When one more reading decides whether a jump of its counter came before the last; ``None`` without doubt."""
        return self._line.in_doubt_until_ns

    @property
    def is_watched(self) -> bool:
        """Whether it needs frequent readings: it fails, is checked or wraps soon, or a share depends on who uses it."""
        return (
            self._wraps_soon
            or self._share is not None
            or self._failing_since_ns is not None
            or (self._retry is not None and self._retry.is_due)
            or (self._crosscheck is not None and self._crosscheck.is_close)
            or self._line.is_held
        )

    def read(self) -> CounterReading | GaugeReading | None:
        """Take a reading from a source that may be slow or failing, without appending it.

        Returns:
            The reading; ``None`` where it failed or is impossible. A source that is gone, or has failed for two
            seconds, is lost.
        """
        before_ns = self.reading_since_ns = self._now_ns()
        if self._retry is not None:
            self._retry.attempt(before_ns)
            before_ns = self._now_ns()
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
            reading = self._reading(stamp_ns, amount)
            if self._share is not None:
                self._whole_reading = _reading_of(self._share.seen, stamp_ns)
        except SourceLost as error:
            self.lose(str(error) or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, the training goes on
            return self._failed(before_ns, error)
        else:
            if self._crosscheck is not None:
                self._crosscheck.look(stamp_ns)
            return reading
        finally:
            self.reading_since_ns = None
        return None

    def append(self, reading: CounterReading | GaugeReading) -> None:
        """Put a reading on the timeline; a source whose readings cannot be energy is lost."""
        line, checked = self._line, reading
        figure = reading.energy.microjoules if isinstance(reading, CounterReading) else reading.power.watts
        if not isnan(figure):
            self._cadence.note(reading.at_ns, figure)
        is_held = False
        if self._whole_line is not None and self._whole_reading is not None:
            checked, self._whole_reading = self._whole_reading, None
            self._whole_line.append(checked)  # type: ignore[arg-type]
            is_held = self._crosscheck is not None and self._is_held(checked)
        if not is_held:
            line.append(reading)  # type: ignore[arg-type]
        reason = line.fault
        if self._crosscheck is not None and reason is None:
            reason = self._crosscheck.judge(checked)  # type: ignore[arg-type]
        if reason is not None:
            self._give_way(reason)
        if self._retry is not None and self._retry.better is not None:
            self._replace(self._retry.better, "the better sensor, which had no answer at first, has one now")

    def _is_held(self, whole: CounterReading | GaugeReading) -> bool:
        """Whether the share is held back, since its counter stands still and may turn out to be dead."""
        if not isinstance(whole, CounterReading):
            return False
        if whole.energy.microjoules != self._whole_count:
            self._whole_count, self._whole_moved_ns = whole.energy.microjoules, whole.at_ns
            return False
        return whole.at_ns - self._whole_moved_ns <= self._held_ns

    def _give_way(self, reason: str) -> None:
        """Read the second source instead of a broken counter; without a second source, the counter is lost."""
        witness = None if self._crosscheck is None else self._crosscheck.witness
        if witness is None or not witness.alive:
            self.lose(reason)
        else:
            self._replace(witness, reason)

    def _replace(self, successor: Probe, reason: str) -> None:
        self._ratio = self._ratio if self._crosscheck is None else self._crosscheck.ratio_at_the_end
        self._cadence = Cadence()
        self._share = self._whole_line = None
        self._crosscheck, self._retry = successor._crosscheck, None
        self._ask, self._reading, self._line = successor._ask, successor._reading, successor._line
        self._is_gauge, self._most_watts = successor._is_gauge, successor._most_watts
        self.is_measured_gauge = successor.is_measured_gauge
        self.sensor = replace(successor.sensor, domain=self.sensor.domain)
        if isinstance(self.timeline, Succession):
            self.timeline.replace(successor._line)
        self.replaced, self.replaced_at_ns = reason, self._now_ns()
        self.remark = f"{reason}; goes on by {self.sensor.method}"

    def lose(self, reason: str) -> None:
        """Give the source up, with a reason for the record; the timeline ends at its last reading."""
        if self.lost is None:
            self.lost = reason
            self.lost_at_ns = self._now_ns()

    def take_up(self, reading: CounterReading | GaugeReading) -> None:
        """Read a source again that was given up during a slow reading; the time between is not covered.

        Args:
            reading: The late reading; it counts from now on, as the time before it has been settled.
        """
        amount = reading.energy if isinstance(reading, CounterReading) else reading.power
        self._line.resume(self._reading(self._now_ns(), amount))  # type: ignore[arg-type]
        self.lost = self.lost_at_ns = None

    def _failed(self, before_ns: int, error: Exception) -> GaugeReading | None:
        """What a reading that failed leaves: of a gauge that has nothing to show for now, a reading without a power."""
        if self._is_gauge and isinstance(error, NoNews):
            self._failing_since_ns = None
            return GaugeReading(self._now_ns(), _NOTHING)
        since_ns, reason = self._failing_since_ns, str(error) or type(error).__name__
        if since_ns is None:
            self._failing_since_ns = before_ns
        elif self._now_ns() - since_ns > PATIENCE_NS:
            self.lose(f"failed for {PATIENCE_NS // NANOSECONDS_PER_SECOND} s: {reason}")
        return None

    def _whole(self, count: object) -> Energy:
        """The energy of a count of another type.

        Raises:
            ReadFailed: It is no number, negative, or not finite.
        """
        if not isinstance(count, SupportsInt) or not 0 <= float(count) < float("inf"):  # type: ignore[arg-type]
            self._refuse(count, "microjoules")
        return Energy(int(count))

    def _refuse(self, value: object, unit: str) -> NoReturn:
        most = f"; it draws {self._most_watts:.0f} W at most" if self._is_gauge else ""
        reason = f"its sensor showed {value!r} {unit}, which is no reading{most}"
        if not self._has_refused:
            self._has_refused, self.remark = True, f"{reason}; said once"
        raise ReadFailed(reason)
