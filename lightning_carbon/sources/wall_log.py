"""The log of a wall meter, such as a smart plug's or a PDU's: a CSV file with times and watts, or times and energy.

The first line names the columns. Times are ISO 8601, in the zone of this machine where they have none, or seconds since
1970. A power is taken to hold until the next line; a reading of energy counts up.
"""

from __future__ import annotations

import csv
import math
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.errors import ConfigError
from lightning_carbon.records.fields import LATEST_SECONDS
from lightning_carbon.units import JOULES_IN, MEGA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_TIMES: Final = ("time", "timestamp", "date", "datetime", "last_changed", "last_updated")
_POWERS: Final = ("watts", "power", "power_w", "power_watts", "w", "apower", "active_power", "state", "value")
_ENERGIES: Final = {
    **dict.fromkeys(("energy_joules", "joules", "energy_j"), JOULES_IN["J"]),
    **dict.fromkeys(("energy_wh", "wh", "total_wh", "energy"), JOULES_IN["Wh"]),
    **dict.fromkeys(("energy_kwh", "kwh", "total_kwh"), JOULES_IN["kWh"]),
}
_MOST_BYTES: Final = 1 << 28
_MOST_WATTS: Final = float(MEGA)
_UNAVAILABLE: Final = frozenset({"", "unavailable", "unknown", "nan", "null", "none"})
"""What Home Assistant and others write while a plug is away; such a line ends the reading before it."""
_LONGEST_GAP_SECONDS: Final = 60.0
"""How long a reading of power holds at most: plugs that write changes alone are silent while nothing changes; ours."""


class WallLog(NamedTuple):
    """What a wall meter has shown.

    Args:
        spans: Start and end of each stretch between two lines, in seconds since 1970, with its mean power in watts.
    """

    spans: tuple[tuple[float, float, float], ...]

    def between(self, start: float, end: float) -> tuple[float, float]:
        """The energy of a time.

        Args:
            start: Its start, in seconds since 1970.
            end: Its end.

        Returns:
            Joules, and the share of the time that the log covers.
        """
        joules = covered = 0.0
        for first, last, watts in self.spans:
            seconds = min(last, end) - max(first, start)
            if seconds > 0:
                joules, covered = joules + watts * seconds, covered + seconds
        return joules, covered / (end - start) if end > start else 0.0


def read_wall_log(path: Path) -> WallLog:
    """Read the log of a wall meter.

    Raises:
        ConfigError: It cannot be read; the error names the line and the fix.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _bad(path, 0, f"it has more than {_MOST_BYTES:,} bytes; give the part of it that covers the run")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _log(path, csv.reader(file))
    except OSError as error:
        raise _bad(path, 0, f"it cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise _bad(path, 0, "it is no UTF-8 text; save it as CSV in UTF-8") from None


def _log(path: Path, lines: Iterator[list[str]]) -> WallLog:
    readings: list[tuple[float, float | None]] = []
    time = figure = -1
    joules_each: float | None = None
    number = 0
    while True:
        number += 1
        try:
            cells = next(lines, None)
        except csv.Error as error:
            raise _bad(path, number, f"it is no line of a CSV file ({error})") from None
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue
        if time < 0:
            time, figure, joules_each = _columns(path, number, cells)
            continue
        if len(cells) <= max(time, figure):
            raise _bad(path, number, f"it has {len(cells)} cells, and the first line names more columns")
        at, value = _time(path, number, cells[time]), _figure(path, number, cells[figure])
        if readings and at < readings[-1][0]:
            raise _bad(path, number, "its time is before that of the line above; sort the lines by time")
        readings.append((at, value))
    if len(readings) < 2:  # noqa: PLR2004 - a stretch has two ends
        raise _bad(path, 0, "it has fewer than two readings")
    spans = tuple(_spans(path, readings, joules_each))
    if not spans:
        raise _bad(path, 0, "no two readings of it follow each other in time")
    return WallLog(spans)


def _columns(path: Path, number: int, cells: Sequence[str]) -> tuple[int, int, float | None]:
    names = [cell.strip().casefold().replace(" ", "_") for cell in cells]
    time = next((names.index(name) for name in _TIMES if name in names), None)
    power = next((names.index(name) for name in _POWERS if name in names), None)
    energy = next((name for name in _ENERGIES if name in names), None)
    if time is None or (power is None and energy is None):
        wanted = "a column `time`, and `watts` or `energy_wh` (or kwh)"
        raise _bad(path, number, f"it has to name the columns, {wanted}; it has {', '.join(names[:9])}")
    if power is not None:
        return time, power, None
    assert energy is not None  # noqa: S101 - else the error above
    return time, names.index(energy), _ENERGIES[energy]


def _time(path: Path, number: int, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = datetime.fromisoformat(text.strip()).astimezone().timestamp()
        except (ValueError, OverflowError, OSError):
            raise _bad(path, number, f"{text[:40]!r} is no time; give ISO 8601 or seconds since 1970") from None
    if not 0 < seconds < LATEST_SECONDS:
        raise _bad(path, number, f"{text[:40]!r} is no time since 1970; give seconds, not milliseconds")
    return seconds


def _figure(path: Path, number: int, text: str) -> float | None:
    if text.strip().casefold() in _UNAVAILABLE:
        return None
    try:
        figure = float(text)
    except ValueError:
        raise _bad(path, number, f"{text[:40]!r} is no number; give it without a unit, with a decimal point") from None
    if not (math.isfinite(figure) and figure >= 0):
        raise _bad(path, number, f"{text[:40]!r} is no power or energy, which are 0 or more")
    return figure


def _spans(
    path: Path, readings: Sequence[tuple[float, float | None]], joules_each: float | None
) -> Iterator[tuple[float, float, float]]:
    for (first, before), (last, after) in pairwise(readings):
        if last == first or before is None:
            continue
        watts, end = before, min(last, first + _LONGEST_GAP_SECONDS)
        if joules_each is not None:
            if after is None or after < before:
                continue  # the meter began again at 0
            watts, end = (after - before) * joules_each / (last - first), last
        if watts > _MOST_WATTS:
            raise _bad(path, 0, f"it shows {watts:,.0f} W; give watts, not milliwatts")
        yield first, end, watts


def _bad(path: Path, line: int, fix: str) -> ConfigError:
    place = f"line {line}: " if line else ""
    return ConfigError("wall", str(path), f"{place}{fix}.")
