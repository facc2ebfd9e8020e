"""Carbon intensity of electricity by country: the packaged table of yearly factors.

The table is :file:`data/country_factors.csv`: Ember's yearly life-cycle factors by way of Our World in Data, CC BY 4.0.
Its header says how it was made. The factors are of generation inside a country, location-based (GHG Protocol Scope 2
Guidance, 2015): trade across borders and certificates are not in them.

A yearly mean is not the factor of the hours of a run. How far off it is depends on those hours, and the year of the run
is often not published yet. Each row therefore carries the least and the greatest yearly mean of its country over the
last three years.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_carbon.carbon.intensity import Intensity
from lightning_carbon.errors import UnknownRegion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WORLD = "WORLD"

# Beside the code rather than through importlib.resources, which costs 5 ms to import; pip always unpacks a wheel.
_TABLE = Path(__file__).with_name("data") / "country_factors.csv"

# Names that people type for a country to which ISO 3166 gives another. They become hints in an error, never a guess.
_COLLOQUIAL = {
    "AMERICA": "US",
    "BRITAIN": "GB",
    "EL": "GR",  # Greece, in the European Union's own code
    "ENGLAND": "GB",
    "GLOBAL": WORLD,
    "GREAT BRITAIN": "GB",
    "HOLLAND": "NL",
    "KOREA": "KR",
    "SCOTLAND": "GB",
    "UK": "GB",
    "WALES": "GB",
}
_SUBDIVISION = r"([A-Z]{2,3})[-_ ]?(?:[-_].+|\d+)$"  # US-CA, us-east-1, SE3
_LONGEST_CODE = 3
_MOST_HINTS = 3
_CLOSE = 0.65
_UNKNOWN_PLACE = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Factor:
    """One row of the table.

    Args:
        iso2: ISO 3166-1 alpha-2 code, or ``"WORLD"``.
        iso3: ISO 3166-1 alpha-3 code, or ``"WORLD"``.
        name: The English name.
        year: The year that the value describes.
        grams_per_kilowatt_hour: The yearly mean, in gCO2e/kWh.
        low: The least yearly mean of the last three published years, in gCO2e/kWh.
        high: The greatest of them, in gCO2e/kWh.
        basis: The emissions counted.
        source: Its publisher.
    """

    iso2: str
    iso3: str
    name: str
    year: int
    grams_per_kilowatt_hour: float
    low: float
    high: float
    basis: str
    source: str


def regions() -> tuple[Factor, ...]:
    """List the whole table: the world first, then the countries by alpha-2 code."""
    return _table()


def intensity_of(region: str | None) -> Intensity:
    """Look up the carbon intensity of a place.

    Args:
        region: An ISO 3166-1 alpha-2 or alpha-3 code or ``"WORLD"``, in either case. ``None`` where the place
            of the run is not known.

    Returns:
        The newest yearly factor of that place. For ``None``, the world's average, marked as assumed, with the range in
        which nine of ten countries of the table lie (5th to 95th percentile, each country counted once), since the run
        may have been in any of them.

    Raises:
        UnknownRegion: The table has no such code; the message lists near matches.
    """
    if region is None:
        world = _rows_by_code()[WORLD]
        low, high = _range_over_countries(_table())
        return _intensity(world, low, high, assumed=True)
    row = _rows_by_code().get(region.strip().upper())
    if row is None:
        raise UnknownRegion(region, _near(region))
    return _intensity(row, row.low, row.high, assumed=False)


def _intensity(row: Factor, low: float, high: float, *, assumed: bool) -> Intensity:
    return Intensity(
        value=row.grams_per_kilowatt_hour,
        low=low,
        high=high,
        source=row.source,
        year=row.year,
        basis=row.basis,
        region=row.iso3,
        assumed=assumed,
    )


def _range_over_countries(rows: Iterable[Factor]) -> tuple[float, float]:
    values = sorted(row.grams_per_kilowatt_hour for row in rows if row.iso3 != WORLD)
    low, high = (_quantile(values, share) for share in _UNKNOWN_PLACE)
    return low, high


def _quantile(ordered: Sequence[float], share: float) -> float:
    # statistics.quantiles does this too, and takes 10 ms to import.
    below, rest = divmod(share * (len(ordered) - 1), 1)
    index = int(below)
    step = ordered[min(index + 1, len(ordered) - 1)] - ordered[index]
    return ordered[index] + rest * step


def _near(region: str) -> list[str]:
    """The codes that may be meant, best guess first, as ``"SE (Sweden)"``."""
    typed = region.strip().upper()
    hints = (row.iso2 if row.iso3 == WORLD else f"{row.iso2} ({row.name})" for row in _guesses(typed))
    return list(dict.fromkeys(hints))[:_MOST_HINTS]


def _guesses(typed: str) -> list[Factor]:
    from difflib import get_close_matches

    by_code = _rows_by_code()
    part = re.match(_SUBDIVISION, typed)
    code = _COLLOQUIAL.get(typed) or (part[1] if part else None)
    if code in by_code:
        return [by_code[code]]
    by_name = {row.name.upper(): row for row in _table()}
    named = [row for name, row in by_name.items() if typed and name.startswith(typed)]
    if len(typed) < _LONGEST_CODE or (named and len(typed) == _LONGEST_CODE):
        return named  # every code of two letters resembles ten others
    if len(typed) == _LONGEST_CODE:
        return [by_code[match] for match in get_close_matches(typed, by_code, cutoff=_CLOSE)]
    named += [row for name, row in by_name.items() if typed in name]
    return named + [by_name[match] for match in get_close_matches(typed, by_name, cutoff=_CLOSE)]


@cache
def _rows_by_code() -> dict[str, Factor]:
    return {code: row for row in _table() for code in (row.iso2, row.iso3)}


@cache
def _table() -> tuple[Factor, ...]:
    import csv

    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        next(rows)  # the column names
        return tuple(
            Factor(iso2, iso3, name, int(year), float(value), float(low), float(high), basis, source)
            for iso2, iso3, name, year, value, low, high, basis, source in rows
        )
