"""``lightning-carbon grid show``: what is known of a place, and of its years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.cli.output import show
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.factors import intensity_of, published
from lightning_carbon.grid.pue import pue_of_cloud
from lightning_carbon.records.fields import plain
from lightning_carbon.records.numbers import digits
from lightning_carbon.report.sheets import Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.carbon.intensity import Intensity
    from lightning_carbon.cli.forms import Form
    from lightning_carbon.grid.tables import YearlyFactors

SCHEMA: Final = 1
_LATELY: Final = 10


def show_place(place: str, year: int | None, *, form: Form) -> None:
    """Print the factor of a place, and what each publisher has of its years.

    Args:
        place: The place, as for ``region``.
        year: The year; the newest for ``None``.
        form: The form of the output.

    Raises:
        ConfigError: There is no such place.
    """
    try:
        found = intensity_of(place, year)
        publishers = published(place)
    except ConfigError as error:
        raise ConfigError("place", place, error.fix) from None
    tables = [Sheet(_title(found), ("", ""), "<<", tuple(_facts(found, year)))]
    if publishers:
        tables.append(_years(publishers))
    mapping = {
        "schema": SCHEMA,
        "intensity": plain(found),
        "published": [
            {
                "name": publisher.name,
                "source": publisher.source,
                "basis": publisher.basis,
                "licence": publisher.licence,
                "grams_co2e_per_kilowatt_hour": {
                    str(known): publisher.grams[known] for known in sorted(publisher.grams)
                },
            }
            for publisher in publishers
        ],
    }
    show(form, tables, mapping, label="place")


def _title(found: Intensity) -> str:
    return f"Electricity of {found.place}"


def _facts(found: Intensity, year: int | None) -> Iterator[tuple[str, str]]:
    nearest = f" (the nearest to {year} that is published)" if year not in {None, found.year} else ""
    yield "Carbon intensity", f"{found.value:g} gCO2e/kWh"
    yield "Range", f"{digits(found.low)} to {digits(found.high)} gCO2e/kWh"
    if found.span:
        yield "The range spans", found.span
    if found.year is not None:
        yield "Year", f"{found.year}{nearest}"
    yield "Place", found.region
    yield "Counts", found.basis
    if found.scopes:
        yield "Scopes", found.scopes
    yield "Source", found.source + (f", {found.licence}" if found.licence else "")
    pue = pue_of_cloud(found.typed)
    if pue is not None:
        yield "PUE", f"{pue.value:g} ({pue.low:g} to {pue.high:g}); {pue.source}"


def _years(publishers: tuple[YearlyFactors, ...]) -> Sheet:
    known = sorted({year for publisher in publishers for year in publisher.grams})[-_LATELY:]
    head = ("Year", *(f"{publisher.source.partition(' via ')[0]}, {publisher.name}" for publisher in publishers))
    rows = tuple(
        (str(year), *(f"{publisher.grams[year]:g}" if year in publisher.grams else "" for publisher in publishers))
        for year in known
    )
    notes = tuple(f"{publisher.source}: {publisher.basis}; {publisher.licence}" for publisher in publishers)
    return Sheet("gCO2e/kWh by year", head, "<" + ">" * len(publishers), rows, notes)
