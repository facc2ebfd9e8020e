"""The same energy elsewhere, as a table and as plain values: for estimates, runs and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.records.numbers import CO2E, NOTHING, amount, digits, percent, span
from lightning_carbon.report.sheets import Column, Sheet, sheet_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.carbon.what_if import Elsewhere


def elsewhere_sheet(title: str, rows: Sequence[Elsewhere], *, here: str, notes: Sequence[str] = ()) -> Sheet:
    """The same energy under each alternative, in the order given.

    Args:
        title: The title of the table.
        rows: The alternatives, of which one is the present place.
        here: The word in the place of a saving for the present place, such as ``"planned"``.
        notes: The notes below the table.
    """

    def saved(there: Elsewhere) -> str:
        if there.is_here:
            return here
        if there.saved_ratio is None:
            return NOTHING
        return percent(there.saved_ratio) if there.saved_ratio >= 0 else f"{percent(-there.saved_ratio)} more"

    columns: list[Column[Elsewhere]] = [
        Column("Place", lambda there: there.name, "<"),
        Column("gCO2e/kWh", lambda there: digits(there.footprint.intensity.value)),
        Column("CO2e", lambda there: amount(there.footprint.value.grams, CO2E)),
        Column("Range", _range),
        Column("Saved", saved),
    ]
    if len({there.footprint.pue for there in rows}) > 1:
        columns.insert(2, Column("PUE", lambda there: f"{there.footprint.pue.value:g}"))
    return sheet_of(title, rows, columns, notes=notes)


def elsewhere_mapping(there: Elsewhere) -> dict[str, object]:
    """An alternative as plain values; an unknown figure has no key."""
    priced, intensity = there.footprint, there.footprint.intensity
    mapping: dict[str, object] = {
        "place": there.name,
        "region": intensity.region,
        "grams_co2e_per_kilowatt_hour": intensity.value,
        "year": intensity.year,
        "pue": priced.pue.value,
        "grams_co2e": {"value": priced.value.grams, "low": priced.low.grams, "high": priced.high.grams},
        "saved_grams_co2e": there.saved_grams_co2e,
    }
    if there.saved_ratio is not None:
        mapping["saved_ratio"] = there.saved_ratio
    return mapping


def _range(there: Elsewhere) -> str:
    priced = there.footprint
    return span(priced.low.grams, priced.high.grams, CO2E, like=priced.value.grams)
