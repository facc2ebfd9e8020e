"""Measured rows beside published rows, and the notes on a measurement. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.readings import kind_word
from lightning_carbon.records.numbers import NOTHING, digits, percent
from lightning_carbon.report.sheets import Column, Sheet, sheet_of
from lightning_carbon.study.measured.measurement import DomainPower, to_mapping
from lightning_carbon.study.published.tables import TABLE_3
from lightning_carbon.study.rows import (
    CLOUD,
    ELECTRICITY,
    ENERGY,
    HARDWARE,
    HOURS,
    KILOGRAMS,
    NAME,
    POUNDS,
    POWER,
    PROVENANCE,
    RANGE,
    StudyColumn,
    StudyRow,
    number,
    study_sheet,
)
from lightning_carbon.units import NANOSECONDS_PER_SECOND, SECONDS_PER_HOUR, Energy, Power
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lightning_carbon.study.measured.measurement import Measurement
    from lightning_carbon.study.method import Method


def _hours(row: StudyRow) -> str:
    """Published hours as they are; hours that follow from a speed, with its digits."""
    if row.table is not None or row.hours is None:
        return HOURS.cell(row)
    return f"{row.hours:,.0f}" if row.hours >= _MANY else f"{row.hours:.4g}"


COLUMNS: Final = (
    NAME,
    HARDWARE,
    PROVENANCE,
    POWER,
    StudyColumn(HOURS.title, _hours),
    ENERGY,
    POUNDS,
    KILOGRAMS,
    RANGE,
    CLOUD,
    ELECTRICITY,
)
"""The columns of a measured row; a published row has no provenance and no range."""

_HOUR_NS: Final = SECONDS_PER_HOUR * NANOSECONDS_PER_SECOND
_MANY: Final = 1_000
_WELL_COVERED: Final = 0.99
_NOTHING_LEFT: Final = 1e-6


def trainings(published: Sequence[StudyRow]) -> list[StudyRow]:
    """The published rows of single trainings, which a measurement can match."""
    return [row for row in published if row.table == TABLE_3]


def beside(published: Sequence[StudyRow], measured: Sequence[tuple[Measurement, StudyRow]]) -> list[StudyRow]:
    """Every published row of a training, each followed by the measured rows that match it; then the others.

    Args:
        published: The study's rows.
        measured: The measured rows, in the order in which they should stand.
    """
    known = trainings(published)
    ids = {row.id for row in known}
    rows: list[StudyRow] = []
    for training in known:
        rows.append(training)
        rows += [row for measurement, row in measured if measurement.published == training.id]
    return rows + [row for measurement, row in measured if measurement.published not in ids]


def measured_sheet(rows: Sequence[StudyRow], measured: Iterable[tuple[Measurement, Method]], *, title: str) -> Sheet:
    """Rows as text, with their prices and how each was measured.

    Args:
        rows: The rows, measured or published.
        measured: The measurements behind them, each with the method that it is priced with.
        title: The title of the table.
    """
    known = list(measured)
    named: dict[str, list[str]] = {}
    for measurement, method in known:
        named.setdefault(how_priced(method), []).append(measurement.name)
    priced = [text if len(named) == 1 else f"{', '.join(names)}: {text}" for text, names in named.items()]
    notes = [*priced, *(how_measured(measurement) for measurement, _ in known)]
    return study_sheet(title, rows, COLUMNS, notes=notes)


def component_sheet(measurement: Measurement) -> Sheet:
    """The power of every component after warm-up, each with its range and how it came about."""
    sheet = sheet_of(
        f"{measurement.name}: mean power after warm-up", measurement.domains, _COMPONENTS, notes=_gaps(measurement)
    )
    counted = measurement.counted
    if len(counted) < 2:  # noqa: PLR2004 - a single row needs no sum
        return sheet
    low, high = (sum(ends) for ends in zip(*map(_ends, counted), strict=True))
    watts = sum(domain.watts or 0.0 for domain in counted)
    return replace(sheet, rows=(*sheet.rows, ("total", "", number(watts, 2), _span(low, high), "")))


def how_measured(measurement: Measurement) -> str:
    """When, where and for how long a row was measured, whether power had settled, and how fast it trained."""
    settling, speed = measurement.settling, measurement.speed
    host = measurement.host.get("name") or "this machine"
    share = settling.drift_percent_per_minute
    drift = f"{signed(settling.drift_watts_per_minute)} ± {signed(settling.drift_error)[1:]} W a minute"
    state = "settled" if settling.settled else "NOT settled"
    rates = [
        f"{digits(rate)} {name}/s"
        for name, rate in (
            ("steps", speed.steps_per_second),
            ("samples", speed.samples_per_second),
            ("tokens", speed.tokens_per_second),
        )
        if rate is not None
    ]
    warmup = "given" if settling.rule == "given" else "found"
    return (
        f"{measurement.name}: run {measurement.run_id} on {host}, {measurement.measured_at[:10]}, "
        f"{settling.averaged_seconds:,.0f} s averaged after a warm-up of {settling.warmup_seconds:,.1f} s ({warmup}); "
        f"power has {state}, and drifts by {drift}"
        + (f" ({signed(share)} %)" if share is not None else "")
        + (f"; {', '.join(rates)}." if rates else "; no step was counted.")
    )


def signed(value: float) -> str:
    """A figure with its sign, in three digits; rounding errors around zero show as zero."""
    return f"{'-' if value < -_NOTHING_LEFT else '+'}{digits(abs(value) if abs(value) > _NOTHING_LEFT else 0.0)}"


def how_priced(method: Method) -> str:
    """The prices and factors of the measured rows, in a sentence."""
    pue, grid = method.pue, method.intensity
    year = f" {grid.year}" if grid.year is not None else ""
    costs = method.electricity
    parts = [
        f"PUE {pue.value:g}{_limits(pue.low, pue.value, pue.high)}{', assumed' if pue.assumed else ''}",
        f"{grid.value:.4g} gCO2e/kWh{_limits(grid.low, grid.value, grid.high)} ({grid.place}{year}"
        + (", assumed)" if grid.assumed else ")"),
        *([f"{costs.usd_per_kwh:g} USD/kWh ({costs.source})"] if costs is not None else []),
    ]
    return f"Measured rows ({method.name}): {', '.join(parts)}. Ranges follow from those of sensors, PUE and grid."


def measured_mapping(measurement: Measurement, row: StudyRow) -> dict[str, Any]:
    """A measured row as plain values, with the whole measurement."""
    return {**row.as_mapping(), "published": measurement.published, "measurement": to_mapping(measurement)}


def _ends(domain: DomainPower) -> tuple[float, float]:
    energy = Power(domain.watts or 0.0).for_nanoseconds(_HOUR_NS)
    low, high = domain.range.ends(energy.microjoules, _HOUR_NS)
    return Energy(low).over(_HOUR_NS).watts, Energy(high).over(_HOUR_NS).watts


def _span(low: float, high: float) -> str:
    return f"{number(low, 1)} – {number(high, 1)}"


def _limits(low: float, value: float, high: float) -> str:
    return f" ({low:.4g} to {high:.4g})" if low < value or value < high else ""


_COMPONENTS: Final = (
    Column[DomainPower](
        "Component", lambda domain: kind_word(domain.kind) + ("" if domain.counted else " (in another)"), "<"
    ),
    Column[DomainPower]("Hardware", lambda domain: domain.name, "<"),
    Column[DomainPower]("Power, W", lambda domain: number(domain.watts, 2)),
    Column[DomainPower]("Range, W", lambda domain: NOTHING if domain.watts is None else _span(*_ends(domain))),
    Column[DomainPower]("Power is", lambda domain: domain.provenance, "<"),
)


def _gaps(measurement: Measurement) -> list[str]:
    """Notes on time that readings do not cover, and on hardware that could not be measured."""
    gaps = [
        f"{domain.name}: readings cover {percent(domain.coverage_ratio)} of the averaged time."
        for domain in measurement.domains
        if domain.coverage_ratio < _WELL_COVERED
    ]
    absent = dict.fromkeys(f"Not measured: {source.source}: {source.reason}" for source in measurement.absent)
    return [*gaps, *(f"{text.rstrip('.')}." for text in absent)]
