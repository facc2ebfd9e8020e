"""What a training took, in 80 columns: a record in short, with what was forecast while it trained.

All of it is in the record, for a program as here, or for people by ``lightning-carbon runs show``.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.records.numbers import CO2E, ENERGY, amount, duration, likely, percent, shorten, span, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.records.run import RunRecord

WIDTH: Final = 80
FORECASTS: Final = 3
"""The most forecasts that are shown."""
MODULES: Final = 8
"""The most modules that are shown, those that used the most."""
NAME_WIDTH: Final = 30


class Told(NamedTuple):
    """A forecast of the energy of a run, as it was told while it trained.

    Args:
        step: The step at which it was told.
        joules: The energy at the end of the run.
        low: The lower end of its 90 % interval.
        high: The upper end.
        remaining_seconds: How long the run still had to last.
    """

    step: int
    joules: float
    low: float
    high: float
    remaining_seconds: float


def overview(record: RunRecord, told: Sequence[Told] = ()) -> str:
    """Write what a training took, as plain text.

    Args:
        record: The record of the run.
        told: The forecasts of its energy, in order.
    """
    took = f"{record.status} after {duration(record.duration_seconds)} and {record.steps:,} steps"
    parts = [[*wrap(f"Run {record.run_id} of project {record.project}", WIDTH), f"  {took}"]]
    if record.energy.total_joules is None:
        parts.append(["Energy: not known, since nothing on this machine could be metered."])
    parts += [_energy(record), _carbon(record), _forecasts(record, told), _budget(record), _waste(record)]
    parts.append(_modules(record))
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _energy(record: RunRecord) -> list[str]:
    energy, machine = record.energy, record.machine
    if energy.total_joules is None:
        return []
    rows = [("Energy", "", "", "")]
    for domain in energy.domains:
        within = "within another" if domain.parent else ""
        rows.append((f"  {domain.name}", amount(domain.joules, ENERGY), domain.provenance, within))
    whole = energy.total_joules
    rows.append(("  all chips", amount(whole, ENERGY), "", likely(energy.interval, ENERGY, like=whole)))
    if machine is not None:
        rows.append(("  machine, at its plug", amount(machine.joules, ENERGY), "", ""))
    return table([(shorten(name, NAME_WIDTH), *rest) for name, *rest in rows], "<><<")


def _carbon(record: RunRecord) -> list[str]:
    carbon = record.carbon
    if carbon.grams_co2e is None:
        return []
    grid, pue = carbon.intensity, carbon.pue
    place = f"{grid.value:g} gCO2e/kWh of {grid.place}{', assumed: give region=' if grid.assumed else ''}"
    site = f"PUE {pue.value:g}{', assumed: give pue=' if pue.assumed else ''}"
    ends = likely(carbon.interval, CO2E, like=carbon.grams_co2e)
    return [f"CO2e  {amount(carbon.grams_co2e, CO2E)}{f', {ends}' if ends else ''}", f"      {place}", f"      {site}"]


def _forecasts(record: RunRecord, told: Sequence[Told]) -> list[str]:
    """Some of the forecasts, the first and the last among them, above what they were forecasts of."""
    whole = record.energy.total_joules
    if not told or whole is None:
        return []
    places = {round(index * (len(told) - 1) / (FORECASTS - 1)) for index in range(FORECASTS)}
    rows = [("Forecast of all chips, as told", "", "90 %", "still to go")]
    for forecast in (told[place] for place in sorted(places)):
        ends = span(forecast.low, forecast.high, ENERGY, like=forecast.joules)
        left = duration(forecast.remaining_seconds)
        rows.append((f"  at step {forecast.step:,}", amount(forecast.joules, ENERGY), ends, left))
    return table([*rows, ("  in the end", amount(whole, ENERGY), "", "")], "<>>>")


def _budget(record: RunRecord) -> list[str]:
    return [] if record.budget is None else [f"Budget  {record.budget.sentence}"]


def _waste(record: RunRecord) -> list[str]:
    """What of the energy was no training, with what to try."""
    if not record.waste:
        return []
    lines = ["Waste"]
    for waste in record.waste:
        lines.append(f"  {waste.kind.replace('_', ' ')}: {amount(waste.joules, ENERGY)}, {percent(waste.ratio)}")
        lines += wrap(f"try: {waste.hint}", WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 9)
    return lines


def _modules(record: RunRecord) -> list[str]:
    modules, whole = record.modules, record.step_joules
    if modules is None or not whole:
        return []
    rows = [("Module", "", "energy", "share", "90 %")]
    for row in modules.rows[:MODULES]:
        name = row.path or (modules.model if row.direction in {"forward", "backward"} else row.direction)
        ends = f"{percent(row.low_joules / whole)} to {percent(row.high_joules / whole)}"
        direction = row.direction if name != row.direction else ""
        share = percent(min(1.0, row.joules / whole))
        rows.append((f"  {shorten(name, NAME_WIDTH)}", direction, amount(row.joules, ENERGY), share, ends))
    more = len(modules.rows) - MODULES
    lines = table(rows, "<<>>>")
    return [*lines, f"  {more} more rows: lightning-carbon runs modules"] if more > 0 else lines
