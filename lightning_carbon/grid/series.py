"""The one reader of files with carbon intensities over time: CSV and, with pyarrow, Parquet.

A file is hostile until it is read here: only regular files of a bounded size are opened, and a value that cannot be
right (negative, off by a thousand, two values for one moment) is refused with its line. What is merely unordered,
repeated, empty or missing is put in order or left out, and the notes of the series say how much of it.
"""

from __future__ import annotations

import csv
import math
import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Final

from lightning_carbon.carbon.intensity import MAX_GRAMS, MIN_DOUBTLESS_GRAMS
from lightning_carbon.carbon.series import IntensitySeries, steps_of
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.layouts import FUELS, STORAGE, Layout, fuel_of, layout_of
from lightning_carbon.grid.stamps import ZoneMeaning, has_no_zone, moment_of
from lightning_carbon.systems import OPEN_FLAGS
from lightning_carbon.units import GRAMS_PER_KILOGRAM
from lightning_carbon.values import dataclass, field

MOST_BYTES: Final = 64 * 2**20
"""The most bytes of a file; ten years of five-minute values have about half."""
_EMPTY: Final = frozenset({"", "-", "n/a", "n/e", "na", "nan", "null", "none"})
_SHOWN: Final = 40

Rows = Iterable[tuple[int, Sequence[str]]]


@dataclass(slots=True)
class _Found:
    """The values of a file while it is read."""

    path: str
    argument: str
    layout: Layout
    grams: dict[float, tuple[float, int]] = field(default_factory=dict)
    areas: dict[str, None] = field(default_factory=dict)
    megawatts: dict[float, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    empty: int = 0
    repeated: int = 0
    unordered: int = 0
    skipped: int = 0
    before: float | None = None
    line: int = 0

    def refuse(self, why: str) -> ConfigError:
        """An error that names the file."""
        return ConfigError(self.argument, self.path, why)


def read_series(path: os.PathLike[str] | str, *, argument: str = "intensity") -> IntensitySeries:
    """Read a file of carbon intensities.

    Args:
        path: A CSV file, or Parquet by the ending ``.parquet``.
        argument: The name of the argument that holds the path, for errors.

    Returns:
        The series; its notes say what was left out.

    Raises:
        ConfigError: The file cannot be read, or cannot be right; the message names the line and the fix.
    """
    shown = os.fspath(path).strip()
    where = Path(shown).expanduser()
    try:
        data = _bytes_of(where)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(argument, shown, f"{reason}; give a CSV file with moments and gCO2e/kWh.") from None
    rows = _parquet_rows(data, shown, argument) if where.suffix.lower() == ".parquet" else _csv_rows(data)
    try:
        return _series_of(rows, shown, argument)
    except csv.Error as error:
        raise ConfigError(argument, shown, f"it is no CSV: {error}; give lines of moment,gCO2e/kWh.") from None


def _series_of(rows: Rows, shown: str, argument: str) -> IntensitySeries:
    lines = iter(rows)
    head = next((cells for _, cells in lines), ())
    layout = layout_of(head)
    if isinstance(layout, str):
        raise ConfigError(argument, shown, layout)
    found = _Found(shown, argument, layout)
    for number, cells in lines:
        if any(cell.strip() for cell in cells):
            found.line = number
            _take(found, cells)
    notes = [*layout.notes, *_mixed(found)]
    if len(found.areas) > 1:
        zones = ", ".join(list(found.areas)[:5])
        raise found.refuse(f"it has several zones ({zones}); keep the rows of a single zone.")
    if not found.grams:
        raise found.refuse("it has no value; give at least one row with a moment and its gCO2e/kWh.")
    _check_size_of_unit(found)
    starts, ends, grams = steps_of((at, value) for at, (value, _) in found.grams.items())
    name = f"{Path(shown).name} ({layout.name})" if layout.name else Path(shown).name
    counts = (
        (found.empty, "without a value left out"),
        (found.repeated, "twice in the file, with the same value"),
        (found.unordered, "out of order, put in order"),
        (found.skipped, "of an hour that does not exist in spring left out"),
    )
    notes += [f"{count:,} row{'s' if count > 1 else ''} {what}" for count, what in counts if count]
    gaps = sum(later > end for end, later in zip(ends, starts[1:], strict=False))
    notes += [f"{gaps:,} gap{'s' if gaps > 1 else ''} between rows"] if gaps else []
    return IntensitySeries(
        *(starts, ends, grams),
        source=name,
        basis=layout.basis,
        signal=layout.signal,
        region=next(iter(found.areas), ""),
        licence=layout.licence,
        notes=tuple(notes),
    )


def _take(found: _Found, cells: Sequence[str]) -> None:
    """Take a row of the file."""
    layout = found.layout
    needed = max(layout.moment, layout.value or 0, layout.fuel or 0, layout.generated or 0)
    if len(cells) <= needed:
        raise found.refuse(f"line {found.line} has {len(cells)} cells, and needs {needed + 1}; is it cut off?")
    text = cells[layout.moment]
    at = moment_of(text, layout.zone, found.before if layout.fuel is None else None)
    if at is None:
        if layout.zone is ZoneMeaning.CENTRAL_EUROPE and moment_of(text, ZoneMeaning.UTC) is not None:
            found.skipped += 1
            return
        why = "has no zone" if has_no_zone(text) else "is no moment"
        fix = "write it as 2025-01-31T13:00+01:00, or name the column 'timestamp (UTC)' where it is UTC."
        raise found.refuse(f"{text[:_SHOWN]!r} in line {found.line} {why}; {fix}")
    if found.before is not None and at < found.before:
        found.unordered += 1
    found.before = at
    if layout.area is not None and len(cells) > layout.area and cells[layout.area].strip():
        found.areas[cells[layout.area].strip()] = None
    if layout.value is None:
        _take_generation(found, at, cells)
        return
    grams = _number(found, cells[layout.value])
    if grams is None:
        found.empty += 1
    else:
        _note(found, at, grams * layout.factor)


def _note(found: _Found, at: float, grams: float) -> None:
    if grams < 0:
        raise found.refuse(
            f"line {found.line} has {grams:g} gCO2e/kWh, below zero; leave out what is no carbon intensity."
        )
    if grams > MAX_GRAMS:
        least = grams / GRAMS_PER_KILOGRAM
        fix = f"was {least:g} meant? Name the unit in the column, such as 'kgCO2e/MWh' (the same as gCO2e/kWh)."
        raise found.refuse(
            f"line {found.line} has {grams:g} gCO2e/kWh, more than any supply of electricity emits; {fix}"
        )
    known = found.grams.get(at)
    if known is None:
        found.grams[at] = grams, found.line
    elif math.isclose(known[0], grams):
        found.repeated += 1
    else:
        both = f"{known[0]:g} (line {known[1]}) and {grams:g} (line {found.line})"
        fix = "leave one; an hour that occurs twice in autumn needs its offset, as in 2025-10-26T02:00+01:00."
        raise found.refuse(f"two values for one moment, {both}; {fix}")


def _take_generation(found: _Found, at: float, cells: Sequence[str]) -> None:
    layout, mix = found.layout, found.megawatts[at]
    if layout.fuel is not None and layout.generated is not None:
        pairs = [(fuel_of(cells[layout.fuel]), cells[layout.generated])]
    else:
        pairs = [(fuel, cells[place]) for place, fuel in layout.mix.items() if place < len(cells)]
    for fuel, text in pairs:
        megawatts = _number(found, text)
        if megawatts is not None:
            mix[fuel] = max(0.0, megawatts)  # a station at rest draws a little


def _mixed(found: _Found) -> list[str]:
    """Turn generation by fuel into intensities; returns what is to be said of it."""
    known = unknown = 0.0
    without: dict[str, None] = {}
    for at, mix in found.megawatts.items():
        counted = {fuel: megawatts for fuel, megawatts in mix.items() if fuel in FUELS}
        total = sum(counted.values())
        lacking = {fuel: megawatts for fuel, megawatts in mix.items() if fuel not in FUELS and fuel != STORAGE}
        known, unknown = known + total, unknown + sum(lacking.values())
        without.update(dict.fromkeys(fuel for fuel, megawatts in lacking.items() if megawatts))
        if total > 0:
            found.grams[at] = sum(FUELS[fuel] * megawatts for fuel, megawatts in counted.items()) / total, 0
        else:
            found.empty += 1
    if not unknown:
        return []
    share = 100 * unknown / (known + unknown)
    return [f"{share:.2g} % of the generation ({', '.join(without)}) has no factor of the IPCC and counts as the rest"]


def _check_size_of_unit(found: _Found) -> None:
    """Ask about a file that is most likely in kg, where neither its publisher nor its column says the unit."""
    middle = median(grams for grams, _ in found.grams.values())
    if not found.layout.name and 0 < middle < MIN_DOUBTLESS_GRAMS:
        meant = f"were {middle * GRAMS_PER_KILOGRAM:g} meant? Name the column 'kgCO2e/kWh' then."
        raise found.refuse(f"half of its values are below {middle:g} gCO2e/kWh, which no supply emits; {meant}")


def _number(found: _Found, text: str) -> float | None:
    plain = text.strip()
    if plain.lower() in _EMPTY:
        return None
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")  # a decimal comma; a comma between thousands would be quoted, and has a point
    try:
        value = float(plain)
    except ValueError:
        value = math.inf
    if not math.isfinite(value) or "_" in plain:
        raise found.refuse(
            f"{text[:_SHOWN]!r} in line {found.line} is no number; leave the cell empty where none is known."
        )
    return value


def _bytes_of(path: Path) -> bytes:
    """The whole of a regular file of a bounded size.

    Raises:
        OSError: It cannot be read, or is something else.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening a FIFO would hang, and a device may have no end
        raise OSError(None, "it is no file")
    with os.fdopen(os.open(path, os.O_RDONLY | OPEN_FLAGS), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(None, "it is no file")
        if found.st_size > MOST_BYTES:
            raise OSError(None, f"it is larger than {MOST_BYTES // 2**20} MiB")
        return file.read(MOST_BYTES)


def _csv_rows(data: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    """The lines of a CSV file that are no comments, with their numbers."""
    text = data.decode("utf-8-sig", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    separator = max(",;\t", key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
    for cells in reader:
        if cells and not cells[0].startswith("#"):
            yield reader.line_num, cells


def _parquet_rows(data: bytes, shown: str, argument: str) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows of a Parquet file as text, its columns' names first.

    Raises:
        ConfigError: There is no pyarrow, or it cannot read the file.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        fix = "Parquet needs pyarrow: pip install 'lightning-carbon[parquet]', or give a CSV file."
        raise ConfigError(argument, shown, fix) from None
    try:
        table = parquet.read_table(pa.BufferReader(data))
        rows = [list(table.column_names), *(list(row.values()) for row in table.to_pylist())]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise ConfigError(argument, shown, f"it is no Parquet: {error}") from None
    for number, cells in enumerate(rows):
        yield number, ["" if cell is None else _text(cell) for cell in cells]


def _text(cell: object) -> str:
    from datetime import date

    return cell.isoformat() if isinstance(cell, date) else str(cell)
