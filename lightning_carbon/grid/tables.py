"""The packaged tables of the grid, each read once, when it is first needed.

Each file of :file:`data` names its origin, date, licence and changes at its head, and :file:`tools/build_grid.py` makes
it. The files stay apart because their licences do: :file:`zones.csv` is a database under the ODbL, which asks that what
is derived from it keeps its licence.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORLD: Final = "WORLD"

# Beside the code rather than through importlib.resources, which costs 5 ms to import; pip always unpacks a wheel.
_DATA: Final = Path(__file__).with_name("data")
_YEARS_LATELY: Final = 3


@dataclass(frozen=True, slots=True)
class YearlyFactors:
    """The yearly means of a place by one publisher.

    Args:
        code: The code of the place.
        iso3: Its ISO 3166-1 alpha-3 code; that of the zone where it is none.
        name: Its English name.
        grams: The means in gCO2e/kWh, by year.
        basis: The emissions counted, and whose.
        source: The publisher.
        licence: The licence of the data.
    """

    code: str
    iso3: str
    name: str
    grams: Mapping[int, float]
    basis: str
    source: str
    licence: str

    def nearest(self, year: int | None) -> int:
        """The published year that is nearest to a year, the later of two; the newest for ``None``."""
        newest = max(self.grams)
        return newest if year is None else min(self.grams, key=lambda known: (abs(known - year), -known))

    def years_around(self, year: int | None) -> list[int]:
        """The years that may describe a year: itself, or the last three published where it is not out yet."""
        if year is None or year > max(self.grams):
            return sorted(self.grams)[-_YEARS_LATELY:]
        return [self.nearest(year)]

    def around(self, year: int | None) -> list[float]:
        """The means of the years that may describe a year."""
        return [self.grams[known] for known in self.years_around(year)]


@dataclass(frozen=True, slots=True)
class CloudRegion:
    """A region of a cloud.

    Args:
        cloud: ``"aws"``, ``"azure"`` or ``"gcp"``.
        region: The provider's name of it.
        location: The place, as the provider calls it.
        place: The code of the country, or of the part of it.
        grams: The grid factor that the provider publishes, in gCO2e/kWh; ``None`` where it publishes none.
        year: The year of that factor.
    """

    cloud: str
    region: str
    location: str
    place: str
    grams: float | None
    year: int | None

    @property
    def code(self) -> str:
        """The name by which a user asks for it, such as ``"aws:eu-north-1"``."""
        return f"{self.cloud}:{self.region}"


@cache
def countries() -> Mapping[str, YearlyFactors]:
    """Ember's factors by alpha-2 code, the world first."""
    return {row["code"]: _country(row) for row in _rows("countries.csv")}


@cache
def newest_of_countries() -> tuple[float, ...]:
    """The newest factor of each country, the world left out, in ascending order; no other figure is taken apart."""
    lines = (line for line in _lines("countries.csv") if not line.startswith((f"{WORLD},", "code,")))
    return tuple(sorted(float(line.rstrip().rstrip(",").rpartition(",")[2]) for line in lines))


@cache
def world() -> YearlyFactors:
    """Ember's factors of the world."""
    lines = _lines("countries.csv")
    columns, figures = (next(lines).rstrip().split(",") for _ in range(2))  # the table begins with the world
    return _country(dict(zip(columns, figures, strict=True)))


@cache
def zones() -> Mapping[str, YearlyFactors]:
    """The factors of Electricity Maps by zone: countries and parts of them."""
    source, licence = "Electricity Maps via CO2.js 0.19.0", "ODbL 1.0"
    return {
        row["code"]: YearlyFactors(
            row["code"], row["code"], row["name"], _by_year(row), "life-cycle, consumption", source, licence
        )
        for row in _rows("zones.csv")
    }


@cache
def parts() -> Mapping[str, YearlyFactors]:
    """Official factors of parts of countries: US states, eGRID subregions and Chinese provinces."""
    return {
        row["code"]: YearlyFactors(
            row["code"],
            row["code"],
            row["name"],
            {int(row["year"]): float(row["grams_per_kilowatt_hour"])},
            row["basis"],
            row["source"],
            row["licence"],
        )
        for row in _rows("parts.csv")
    }


@cache
def clouds() -> Mapping[str, CloudRegion]:
    """The regions of clouds by what a user types, such as ``"aws:eu-north-1"``."""
    listed = (
        CloudRegion(
            row["cloud"],
            row["region"],
            row["location"],
            row["place"],
            float(row["grams_per_kilowatt_hour"]) if row["year"] else None,
            int(row["year"]) if row["year"] else None,
        )
        for row in _rows("clouds.csv")
    )
    return {region.code: region for region in listed}


def _country(row: Mapping[str, str]) -> YearlyFactors:
    source, licence = "Ember (2026) via Our World in Data", "CC BY 4.0"
    return YearlyFactors(
        row["code"], row["iso3"], row["name"], _by_year(row), "life-cycle, generation", source, licence
    )


def _by_year(row: Mapping[str, str]) -> dict[int, float]:
    return {int(column): float(text) for column, text in row.items() if text and column.isdecimal()}


def _rows(name: str) -> Iterator[dict[str, str]]:
    import csv

    yield from csv.DictReader(_lines(name))


def _lines(name: str) -> Iterator[str]:
    """The lines of a table, that of its columns first."""
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        yield from (line for line in file if not line.startswith("#"))
