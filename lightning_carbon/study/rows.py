"""A single row type for published and measured trainings, and the columns of their tables. Pure.

A row has the columns of the study's Table 3: hardware, power, hours, energy, CO2e, cost. An unknown figure is ``None``
and shows as a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from math import floor, log10
from typing import Any

from lightning_carbon.records.numbers import NOTHING
from lightning_carbon.report.sheets import Column, Sheet, sheet_of
from lightning_carbon.study.printed import Printed
from lightning_carbon.units import CarbonMass
from lightning_carbon.values import dataclass

_DIGITS = 3
_LITTLE = 1e-3

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """The computed figures of a row, each ``None`` where an input of it is not known.

    Args:
        kwh_pue: Energy of the site in kWh: that of the computers times the PUE.
        co2e_lbs: CO2e in pounds.
        co2e_kg: The same in kilograms.
        cloud_usd: The cost of the accelerators in a cloud, low and high, in USD.
        electricity_usd: The cost of the site's electricity, in USD.
    """

    kwh_pue: float | None = None
    co2e_lbs: float | None = None
    co2e_kg: float | None = None
    cloud_usd: Pair | None = None
    electricity_usd: float | None = None


@dataclass(frozen=True, slots=True)
class FigureRanges:
    """The low and the high end of a row's figures, by interval arithmetic; ``None`` where there is no such figure.

    Args:
        kwh_pue: The range of the site's energy, in kWh.
        co2e_lbs: The range of the CO2e, in pounds.
        co2e_kg: The same in kilograms.
        electricity_usd: The range of the electricity's cost, in USD.
    """

    kwh_pue: Pair | None = None
    co2e_lbs: Pair | None = None
    co2e_kg: Pair | None = None
    electricity_usd: Pair | None = None


@dataclass(frozen=True, slots=True)
class PrintedFigures:
    """The printed figures of a row; ``None`` where nothing was printed.

    Args:
        hours: How long the training took, in hours.
        kwh_pue: Energy with PUE, in kWh.
        co2e_lbs: CO2e in pounds.
        cloud_usd: Cost in a cloud, low and high, in USD.
        electricity_usd: Cost of electricity, in USD.
    """

    hours: Printed | None = None
    kwh_pue: Printed | None = None
    co2e_lbs: Printed | None = None
    cloud_usd: tuple[Printed, Printed] | None = None
    electricity_usd: Printed | None = None

    def closes(self, computed: Figures | None) -> bool | None:
        """Whether every printed figure equals the computed figure, rounded to the printed digits.

        Hours are an input and are not judged.

        Args:
            computed: The computed figures.

        Returns:
            ``None`` where nothing was printed.
        """
        known = computed or Figures()
        lows = [None, None] if known.cloud_usd is None else list(known.cloud_usd)
        pairs = [
            (self.kwh_pue, known.kwh_pue),
            (self.co2e_lbs, known.co2e_lbs),
            (self.electricity_usd, known.electricity_usd),
            *zip(self.cloud_usd or (), lows, strict=False),
        ]
        verdicts = [printed.closes(figure) for printed, figure in pairs if printed is not None]
        return all(verdicts) if verdicts else None


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A row of a table.

    Args:
        id: A name for machines, unique in its table.
        name: The model, for people.
        table: The number of its table in the study; ``None`` for rows that are not from the study.
        hardware: Accelerator and count, such as ``"P100 x8"``; ``None`` where that has no meaning.
        hours: How long the whole training takes; ``None`` where that has no meaning.
        power_watts: Mean power of all of it, without PUE; ``None`` where it is not known.
        computed: The computed figures; ``None`` where there are none.
        printed: The printed figures; ``None`` where there are none.
        provenance: How the power came about, such as ``"counter"``; ``None`` for published power.
        range: The ranges of the computed figures; ``None`` where the inputs have none.
        notes: The notes on it, a sentence each.
    """

    id: str
    name: str
    table: int | None = None
    hardware: str | None = None
    hours: float | None = None
    power_watts: float | None = None
    computed: Figures | None = None
    printed: PrintedFigures | None = None
    provenance: str | None = None
    range: FigureRanges | None = None
    notes: tuple[str, ...] = ()

    @property
    def closes(self) -> bool | None:
        """Whether the computed figures equal the printed figures; ``None`` where nothing was printed."""
        return None if self.printed is None else self.printed.closes(self.computed)

    def as_mapping(self) -> dict[str, Any]:
        """The row as plain values (JSON types only); provenance, range and notes only where there are any."""
        mapping: dict[str, Any] = {
            "table": self.table,
            "id": self.id,
            "name": self.name,
            "hardware": self.hardware,
            "hours": self.hours,
            "power_watts": self.power_watts,
            "computed": None if self.computed is None else _plain(asdict(self.computed)),
            "printed": None if self.printed is None else _printed(self.printed),
            "closes": self.closes,
        }
        if self.provenance is not None:
            mapping["provenance"] = self.provenance
        if self.range is not None:
            mapping["range"] = _plain(asdict(self.range))
        if self.notes:
            mapping["notes"] = list(self.notes)
        return mapping


def number(value: float | None, decimals: int = 1) -> str:
    """A figure with separated thousands; below 1 with three digits, and below a thousandth with an exponent.

    Args:
        value: The figure; ``None`` shows as a dash.
        decimals: The number of decimals, at least one.
    """
    if value is None:
        return NOTHING
    if 0 < abs(value) < _LITTLE:
        return f"{value:.{_DIGITS - 1}e}"
    small = 0 < abs(value) < 1
    return f"{value:,.{max(decimals, _DIGITS - 1 - floor(log10(abs(value)))) if small else decimals}f}"


def pair(values: Pair | None, decimals: int = 1) -> str:
    """Two figures as a span; a dash where there are none."""
    return NOTHING if values is None else f"{number(values[0], decimals)} – {number(values[1], decimals)}"


def _beside(text: str, printed: str | None) -> str:
    return text if printed is None else f"{text} ({printed})"


def _printed_text(row: StudyRow, name: str) -> str | None:
    value = getattr(row.printed, name, None)
    if isinstance(value, tuple):
        return " – ".join(figure.text for figure in value)
    return value.text if isinstance(value, Printed) else None


def _hours(row: StudyRow) -> str:
    if row.hours is None:
        return NOTHING
    printed = None if row.printed is None else row.printed.hours
    differs = printed is not None and printed.value != row.hours
    return _beside(f"{row.hours:,.10g}", printed.text if differs and printed else None)


def _computed(name: str) -> Callable[[StudyRow], str]:
    def cell(row: StudyRow) -> str:
        value = getattr(row.computed, name, None)
        text = pair(value) if isinstance(value, tuple) else number(value)
        return _beside(text, _printed_text(row, name))

    return cell


def tonnes(computed: Figures | None) -> str:
    """The CO2e in tonnes; a dash where it is not known."""
    kilograms = None if computed is None else computed.co2e_kg
    return number(None if kilograms is None else CarbonMass.from_kilograms(kilograms).tonnes, 3)


_VERDICTS = {True: "yes", False: "no", None: NOTHING}

StudyColumn = Column[StudyRow]
"""A column of a table of study rows."""

NAME = StudyColumn("Model", lambda row: row.name, "<")
HARDWARE = StudyColumn("Hardware", lambda row: row.hardware or NOTHING, "<")
POWER = StudyColumn("Power, W", lambda row: number(row.power_watts, 2))
HOURS = StudyColumn("Hours", _hours)
ENERGY = StudyColumn("kWh × PUE", _computed("kwh_pue"))
POUNDS = StudyColumn("CO2e, lb", _computed("co2e_lbs"))
KILOGRAMS = StudyColumn("CO2e, kg", _computed("co2e_kg"))
TONNES = StudyColumn("CO2e, t", lambda row: tonnes(row.computed))
CLOUD = StudyColumn("Cloud, USD", _computed("cloud_usd"))
ELECTRICITY = StudyColumn("Electricity, USD", _computed("electricity_usd"))
CLOSES = StudyColumn("Closes", lambda row: _VERDICTS[row.closes], "<")
PROVENANCE = StudyColumn("Power is", lambda row: row.provenance or NOTHING, "<")
RANGE = StudyColumn("CO2e, kg, range", lambda row: pair(None if row.range is None else row.range.co2e_kg))

MODELS = (NAME, HARDWARE, POWER, HOURS, ENERGY, POUNDS, KILOGRAMS, TONNES, CLOUD, ELECTRICITY, CLOSES)
"""The columns of the study's Tables 3 and 4, in three units, with the printed figures."""
EMISSIONS = (StudyColumn("Consumption", NAME.cell, "<"), POUNDS, KILOGRAMS, TONNES, CLOSES)
"""The columns of the study's Table 1."""


def study_sheet(
    title: str, rows: Sequence[StudyRow], columns: Sequence[StudyColumn] = MODELS, *, notes: Sequence[str] = ()
) -> Sheet:
    """Write rows as cells, with printed figures in brackets beside computed figures.

    Args:
        title: The title of the table.
        rows: Its rows.
        columns: Its columns.
        notes: The notes on the whole table; the notes on rows follow, each sentence once.
    """
    return sheet_of(title, rows, columns, notes=[*notes, *(note for row in rows for note in row.notes)])


def _printed(figures: PrintedFigures) -> dict[str, Any]:
    """The printed numbers, by the names of the computed figures."""
    values = {field.name: getattr(figures, field.name) for field in fields(figures)}
    return {name: _numbers(value) for name, value in values.items()}


def _numbers(value: Printed | tuple[Printed, Printed] | None) -> float | list[float] | None:
    if isinstance(value, tuple):
        return [figure.number for figure in value]
    return None if value is None else value.number


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
