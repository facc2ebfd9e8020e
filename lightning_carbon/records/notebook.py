"""A record as a notebook shows it: a small table of what the run used, how well that is known and what it rests on."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lightning_carbon.records.numbers import CO2E, ENERGY, NOTHING, amount, duration, likely, percent

if TYPE_CHECKING:
    from lightning_carbon.records.run import RunRecord


def notebook_rows(record: RunRecord) -> list[tuple[str, str]]:
    """The lines of the table, as name and value."""
    energy, carbon = record.energy, record.carbon
    total, grams = energy.total_joules, carbon.grams_co2e
    rows = [("run", record.run_name or record.run_id), ("status", str(record.status))]
    rows.append(("duration", duration(record.duration_seconds)))
    rows.append(("energy", NOTHING if total is None else f"{amount(total, ENERGY)} (chips)"))
    if record.machine is not None:
        rows.append(("machine", amount(record.machine.joules, ENERGY)))
    if total:
        rows.append(("measured", percent(min(1.0, energy.measured_joules / total))))
    if grams is not None and carbon.low is not None and carbon.high is not None:
        bounds = f"{amount(grams, CO2E)} ({amount(carbon.low, CO2E)} to {amount(carbon.high, CO2E)})"
        interval = likely(carbon.interval, CO2E, like=grams)
        rows.append(("CO2e", f"{amount(grams, CO2E)}, {interval}" if interval else bounds))
        assumed = ", assumed" if carbon.intensity.assumed else ""
        rows.append(("region", f"{carbon.intensity.place}{assumed}, {carbon.intensity.value:g} gCO2e/kWh"))
        rows.append(("PUE", f"{carbon.pue.value:g}{', assumed' if carbon.pue.assumed else ''}"))
    return rows


def as_notebook_markdown(record: RunRecord) -> str:
    """The table in Markdown, where a bar, a backslash or markup in a name stays text."""
    lines = ["| energy of a run | |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {_as_cell(value)} |" for name, value in notebook_rows(record)])


def as_notebook_html(record: RunRecord) -> str:
    """The table in HTML, where markup in a name stays text."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in notebook_rows(record))
    return f"<table><caption>energy of a run</caption><tbody>{rows}</tbody></table>"


def _as_cell(text: str) -> str:
    plain = "".join(character if character.isprintable() else " " for character in escape(text, quote=False))
    return "".join(f"\\{character}" if character in "\\|`*_[]" else character for character in plain)
