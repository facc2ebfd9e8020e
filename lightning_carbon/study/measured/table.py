"""Measured rows beside the published ones, and what has to be said of a measurement. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.records.numbers import digits, percent
from lightning_carbon.study.measured.measurement import to_mapping
from lightning_carbon.study.published.tables import TABLE_3
from lightning_carbon.study.rows import (
    CLOUD,
    ELECTRICITY,
    ENERGY,
    HARDWARE,
    HOURS,
    KILOGRAMS,
    NAME,
    NOTHING,
    POUNDS,
    POWER,
    PROVENANCE,
    RANGE,
    Column,
    Row,
    Sheet,
    number,
    sheet,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lightning_carbon.study.measured.measurement import DomainPower, Measurement
    from lightning_carbon.study.method import Method


def _hours(row: Row) -> str:
    """Published hours as they are; those that follow from a speed, as exact as that is."""
    if row.table is not None or row.hours is None:
        return HOURS.cell(row)
    return f"{row.hours:,.0f}" if row.hours >= _MANY else f"{row.hours:.4g}"


COLUMNS: Final = (
    NAME,
    HARDWARE,
    PROVENANCE,
    POWER,
    Column(HOURS.title, _hours),
    ENERGY,
    POUNDS,
    KILOGRAMS,
    RANGE,
    CLOUD,
    ELECTRICITY,
)
"""What a measured row has; a published one has no provenance and no range."""

_MANY: Final = 1_000
_WELL_COVERED: Final = 0.99
_KINDS: Final = {"gpu": "GPU", "package": "CPU", "dram": "DRAM", "psys": "platform", "host": "host"}
_NOTHING_LEFT: Final = 1e-6
_ADDED: Final = "total"


def trainings(published: Sequence[Row]) -> list[Row]:
    """The published rows of the training of one model, which are those that a measurement can answer."""
    return [row for row in published if row.table == TABLE_3]


def beside(published: Sequence[Row], measured: Sequence[tuple[Measurement, Row]]) -> list[Row]:
    """Every published row of a training, each followed by the measured ones that answer it; then the others.

    Args:
        published: The study's rows.
        measured: The measured ones, in the order that they are to be in.
    """
    known = trainings(published)
    ids = {row.id for row in known}
    rows: list[Row] = []
    for training in known:
        rows.append(training)
        rows += [row for one, row in measured if one.published == training.id]
    return rows + [row for one, row in measured if one.published not in ids]


def measured_sheet(rows: Sequence[Row], method: Method, measured: Iterable[Measurement], *, title: str) -> Sheet:
    """Rows as text, with what they are priced with and how each was measured.

    Args:
        rows: The rows, published ones among them or not.
        method: What the measured ones are priced with.
        measured: What they were made from.
        title: What the table shows.
    """
    notes = [how_priced(method), *(how_measured(one) for one in measured)]
    return sheet(title, rows, COLUMNS, notes)


def component_sheet(measurement: Measurement) -> Sheet:
    """The power of every component after warm-up, each with its range and how it came about."""
    rows = [_component(one) for one in measurement.domains]
    counted = measurement.counted
    if len(counted) > 1:
        low, high = (sum(ends) for ends in zip(*(_ends(one) for one in counted), strict=True))
        total = sum(one.watts or 0.0 for one in counted)
        rows.append((_ADDED, "", number(total, 2), _span(low, high), ""))
    return Sheet(
        title=f"{measurement.name}: mean power after warm-up",
        head=("Component", "Hardware", "Power, W", "Range, W", "Power is"),
        align="<<>><",
        rows=tuple(rows),
        notes=tuple(_gaps(measurement)),
    )


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
    """A figure with its sign, in three digits; what rounding leaves of nothing is nothing."""
    return f"{'-' if value < -_NOTHING_LEFT else '+'}{digits(abs(value) if abs(value) > _NOTHING_LEFT else 0.0)}"


def how_priced(method: Method) -> str:
    """What the measured rows are priced with, in a sentence."""
    pue, grid = method.pue, method.intensity
    grams = [one.grams_per_kilowatt_hour for one in (grid.value, grid.low, grid.high)]
    year = f" {grid.year}" if grid.year is not None else ""
    costs = method.electricity
    parts = [
        f"PUE {pue.value:g}{_limits(pue.low, pue.value, pue.high)}{', assumed' if pue.assumed else ''}",
        f"{grams[0]:.4g} gCO2e/kWh{_limits(grams[1], grams[0], grams[2])} ({grid.region}{year}"
        + (", assumed)" if grid.assumed else ")"),
        *([f"{costs.usd_per_kwh:g} USD/kWh ({costs.source})"] if costs is not None else []),
    ]
    return f"Measured rows ({method.name}): {', '.join(parts)}. Ranges follow from those of sensors, PUE and grid."


def measured_mapping(measurement: Measurement, row: Row) -> dict[str, Any]:
    """A measured row as plain values, with the whole measurement."""
    return {**row.as_mapping(), "published": measurement.published, "measurement": to_mapping(measurement)}


def _component(one: DomainPower) -> tuple[str, ...]:
    inside = "" if one.counted else " (in another)"
    ends = _ends(one)
    return (
        _KINDS.get(one.kind, one.kind) + inside,
        one.name,
        number(one.watts, 2),
        NOTHING if one.watts is None else _span(*ends),
        one.provenance,
    )


def _ends(one: DomainPower) -> tuple[float, float]:
    watts = one.watts or 0.0
    return max(0.0, watts * (1 - one.uncertainty_ratio)), watts * (1 + one.uncertainty_ratio)


def _span(low: float, high: float) -> str:
    return f"{number(low, 1)} – {number(high, 1)}"


def _limits(low: float, value: float, high: float) -> str:
    return f" ({low:.4g} to {high:.4g})" if low < value or value < high else ""


def _gaps(measurement: Measurement) -> list[str]:
    """What readings do not cover, and what could not be measured at all."""
    gaps = [
        f"{one.name}: readings cover {percent(one.coverage_ratio)} of the averaged time."
        for one in measurement.domains
        if one.coverage_ratio < _WELL_COVERED
    ]
    absent = dict.fromkeys(f"Not measured: {one.source}: {one.reason}" for one in measurement.absent)
    return [*gaps, *(f"{text.rstrip('.')}." for text in absent)]
