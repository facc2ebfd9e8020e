"""Recorded readings, played back as sources: a machine's measurements can be metered again on any other.

A trace is a CSV file (RFC 4180, UTF-8) with a reading on each line, in the order of time:

=====================  ================================================================================================
column                 is
=====================  ================================================================================================
``t_seconds``          when, counted from the start of the recording; up to nine decimals
``domain``             the id of the domain, such as ``gpu:GPU-5a0b...``
``kind``               ``gpu``, ``package``, ``dram``, ``psys`` or ``host``
``name``               for people
``joules``             what a counter stood at, up to six decimals; empty for a gauge
``watts``              what a gauge showed; empty for a counter
``parent``             optional: the id of the domain that includes it
``provenance``         optional: ``counter``, ``integrated`` or ``modelled``
``uncertainty_ratio``  optional: the half width of the range, as a share
``wraps_at_joules``    optional: where a counter starts again from zero
``max_watts``          optional: the most that the hardware draws by its limit
``window_seconds``     optional: how long a time a gauge shows the mean of
=====================  ================================================================================================

The description of a domain is read from its first line. :class:`TraceWriter` writes such a file; :func:`replay` reads
it.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lightning_carbon.energy.readings import CounterReading, Domain, GaugeReading, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, RecordError, SourceLost
from lightning_carbon.ports import EnergyCounter
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Energy, Power
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lightning_carbon.ports import Clock, Source

REQUIRED_COLUMNS = ("t_seconds", "domain", "kind", "name", "joules", "watts")
OPTIONAL_COLUMNS = (
    "parent",
    "provenance",
    "uncertainty_ratio",
    "wraps_at_joules",
    "max_watts",
    "window_seconds",
)


class TraceWriter:
    """Writes readings of sources as a trace.

    Args:
        stream: The file; open for text with ``newline=""``. The header is written at once.
        sources: The sources to read.
        clock: The clock that stamps the readings; the trace starts at zero now.
    """

    def __init__(self, stream: TextIO, sources: Iterable[Source], clock: Clock) -> None:
        self._rows = csv.writer(stream)
        self._rows.writerow(REQUIRED_COLUMNS + OPTIONAL_COLUMNS)
        self._sources = list(sources)
        self._clock = clock
        self._start_ns = clock.now_ns()

    def sample(self) -> None:
        """Read every source once and write a line for each that answers; a lost source is not read again."""
        for source in list(self._sources):
            try:
                before_ns = self._clock.now_ns()
                value = source.read_energy() if isinstance(source, EnergyCounter) else source.read_power()
                at_ns = (before_ns + self._clock.now_ns()) // 2 - self._start_ns
            except ReadFailed:
                continue
            except SourceLost:
                self._sources.remove(source)
                continue
            self._write(source.sensor, at_ns, value)

    def _write(self, sensor: Sensor, at_ns: int, value: Energy | Power) -> None:
        domain, wraps_at = sensor.domain, sensor.wraps_at
        self._rows.writerow(
            [
                _decimal(at_ns, NANOSECONDS_PER_SECOND),
                domain.id,
                domain.kind.value,
                domain.name,
                _decimal(value.microjoules, MICROJOULES_PER_JOULE) if isinstance(value, Energy) else "",
                repr(value.watts) if isinstance(value, Power) else "",
                domain.parent or "",
                sensor.provenance.value,
                repr(sensor.uncertainty_ratio),
                "" if wraps_at is None else _decimal(wraps_at.microjoules, MICROJOULES_PER_JOULE),
                "" if sensor.max_power is None else repr(sensor.max_power.watts),
                repr(sensor.window_seconds) if sensor.window_seconds else "",
            ]
        )


class _Playhead:
    """The position in a trace, which all its sources share, and which starts with the first reading."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start_ns: int | None = None

    def elapsed_ns(self) -> int:
        now = self._clock.now_ns()
        if self._start_ns is None:
            self._start_ns = now
        return now - self._start_ns


class ReplayCounter:
    """The counter of a domain of a trace; an :class:`~lightning_carbon.ports.EnergyCounter`.

    Args:
        sensor: What it says of itself.
        readings: What was recorded, in the order of time; not empty.
        elapsed_ns: Gives the time since the trace began to play, in nanoseconds.
    """

    def __init__(self, sensor: Sensor, readings: Sequence[CounterReading], elapsed_ns: Callable[[], int]) -> None:
        self._sensor = sensor
        self._readings = readings
        self._cursor = _Cursor([reading.at_ns for reading in readings], elapsed_ns)

    @property
    def sensor(self) -> Sensor:
        """What it said of itself when it was recorded."""
        return self._sensor

    def read_energy(self) -> Energy:
        """The last count recorded up to now, or the first.

        Raises:
            SourceLost: The trace is over. Its last count is given once after the end, so that none is missed.
        """
        return self._readings[self._cursor.index()].energy


class ReplayGauge:
    """The gauge of a domain of a trace; a :class:`~lightning_carbon.ports.PowerGauge`.

    Args:
        sensor: What it says of itself.
        readings: What was recorded, in the order of time; not empty.
        elapsed_ns: Gives the time since the trace began to play, in nanoseconds.
    """

    def __init__(self, sensor: Sensor, readings: Sequence[GaugeReading], elapsed_ns: Callable[[], int]) -> None:
        self._sensor = sensor
        self._readings = readings
        self._cursor = _Cursor([reading.at_ns for reading in readings], elapsed_ns)

    @property
    def sensor(self) -> Sensor:
        """What it said of itself when it was recorded."""
        return self._sensor

    def read_power(self) -> Power:
        """The last power recorded up to now, or the first.

        Raises:
            SourceLost: The trace is over. Its last power is given once after the end, so that none is missed.
        """
        return self._readings[self._cursor.index()].power


class _Cursor:
    def __init__(self, stamps_ns: Sequence[int], elapsed_ns: Callable[[], int]) -> None:
        self._stamps_ns = stamps_ns
        self._elapsed_ns = elapsed_ns
        self._is_over = False

    def index(self) -> int:
        if self._is_over:
            raise SourceLost("the trace is over")
        elapsed_ns = self._elapsed_ns()
        self._is_over = elapsed_ns > self._stamps_ns[-1]
        return max(0, bisect_right(self._stamps_ns, elapsed_ns) - 1)


@dataclass(slots=True)
class _Track:
    sensor: Sensor
    is_counter: bool
    counts: list[CounterReading] = field(default_factory=list)
    powers: list[GaugeReading] = field(default_factory=list)


def replay(trace: str | Path | Iterable[str], clock: Clock) -> list[Source]:
    """Make sources that play a trace back at the pace of a clock, from their first reading on.

    Args:
        trace: A file, or its lines.
        clock: The clock of the playback; the meter's.

    Returns:
        A source for each domain, in the order of their first lines.

    Raises:
        RecordError: A line cannot be read, which the error names, or there is no line.
        OSError: The file cannot be opened.
    """
    if isinstance(trace, str | Path):
        with Path(trace).open(encoding="utf-8", newline="") as stream:
            tracks = _tracks(stream)
    else:
        tracks = _tracks(trace)
    elapsed_ns = _Playhead(clock).elapsed_ns
    return [
        ReplayCounter(track.sensor, track.counts, elapsed_ns)
        if track.is_counter
        else ReplayGauge(track.sensor, track.powers, elapsed_ns)
        for track in tracks
    ]


def _tracks(lines: Iterable[str]) -> list[_Track]:
    rows = csv.DictReader(lines)
    missing = set(REQUIRED_COLUMNS) - set(rows.fieldnames or ())
    if missing:
        raise RecordError(f"line 1: a trace needs the columns {', '.join(sorted(missing))}")
    tracks: dict[str, _Track] = {}
    last_ns = 0
    for row in rows:
        try:
            at_ns = _whole(row["t_seconds"], NANOSECONDS_PER_SECOND)
            if at_ns < last_ns:
                raise ValueError("t_seconds falls")  # noqa: TRY301  (told with its line, below)
            _take(tracks, row, at_ns)
        except (ValueError, TypeError, InvalidOperation) as error:
            raise RecordError(f"line {rows.line_num}: {error}") from error
        last_ns = at_ns
    if not tracks:
        raise RecordError("the trace holds no reading")
    return list(tracks.values())


def _take(tracks: dict[str, _Track], row: Mapping[str, str], at_ns: int) -> None:
    is_counter = bool(row["joules"])
    if is_counter == bool(row["watts"]):
        raise ValueError("give either joules or watts")
    track = tracks.get(row["domain"])
    if track is None:
        track = tracks[row["domain"]] = _Track(_sensor(row, is_counter=is_counter), is_counter)
    if track.is_counter != is_counter:
        raise ValueError(f"{row['domain']} has joules on some lines and watts on others")
    if is_counter:
        track.counts.append(CounterReading(at_ns, Energy(_whole(row["joules"], MICROJOULES_PER_JOULE))))
        return
    track.powers.append(GaugeReading(at_ns, Power(_number(row["watts"]))))


def _sensor(row: Mapping[str, str], *, is_counter: bool) -> Sensor:
    if not row["domain"]:
        raise ValueError("the domain has no id")
    wraps_at, max_watts = row.get("wraps_at_joules"), row.get("max_watts")
    usual = Provenance.COUNTER if is_counter else Provenance.INTEGRATED
    return Sensor(
        Domain(Kind(row["kind"]), row["domain"], row["name"], row.get("parent") or None),
        Provenance(row.get("provenance") or usual),
        _number(row.get("uncertainty_ratio") or "0"),
        "replayed from a trace",
        Energy(_whole(wraps_at, MICROJOULES_PER_JOULE)) if wraps_at else None,
        Power(_number(max_watts)) if max_watts else None,
        _number(row.get("window_seconds") or "0"),
    )


def _number(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{text} is not a number of at least zero")
    return value


def _decimal(whole: int, parts_per_unit: int) -> str:
    """A non-negative whole number of parts as a decimal number of units, exactly."""
    return f"{whole // parts_per_unit}.{whole % parts_per_unit:0{len(str(parts_per_unit)) - 1}d}"


def _whole(text: str, parts_per_unit: int) -> int:
    """The inverse of :func:`_decimal`; further decimals are rounded."""
    value = Decimal(text) * parts_per_unit
    if not value.is_finite() or value < 0:
        raise ValueError(f"{text} is not a number of at least zero")
    return int(value.to_integral_value())
