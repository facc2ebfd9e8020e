"""The view of a run under way: a few panels for a terminal, or a plain line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lightning_carbon.records.numbers import (
    CO2E,
    ENERGY,
    NOTHING,
    POWER,
    WATT_HOURS,
    amount,
    duration,
    percent,
    printable,
    span,
)
from lightning_carbon.records.waste_said import waste_words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lightning_carbon.cli.watch.sight import Sight

_BARS: Final = "▁▂▃▄▅▆▇█"
_ROOM: Final = 24
_MOST_DEVICES: Final = 16
_TIGHT: Final = 0.8
"""The share of a budget from which on it is shown in another colour; one of the marks at which a meter warns."""


def view_of(sight: Sight) -> RenderableType:
    """The view for a terminal."""
    record = sight.record
    name = printable(record.run_name or record.run_id)
    title = Text.assemble((name, "bold"), f" of {printable(record.project)}: {record.status}")
    blocks: list[RenderableType] = [_figures(sight), _devices(sight)]
    if sight.phases:
        blocks.append(_phases(sight))
    if record.waste:
        blocks.append(_waste(sight))
    return Panel(Group(*blocks), title=title, title_align="left", box=box.ROUNDED, padding=(0, 1))


def line_of(sight: Sight) -> str:
    """The view as a plain line, for what is no terminal."""
    record = sight.record
    present = next((phase.name for phase in sight.phases if phase.is_present), "")
    words = [record.status, duration(record.duration_seconds), present, f"{record.steps:,} steps", _watts(sight.watts)]
    words += [text for _, text in _told(sight)]
    hottest = next((device for device in sight.devices if device.throttled), None)
    words += [] if hottest is None else [f"throttled: {hottest.throttled}"]
    words += [f"waste: {waste_words(waste)}" for waste in record.waste[:1]]
    return printable(", ".join(word for word in words if word and word != NOTHING))


def _figures(sight: Sight) -> Table:
    record, ahead = sight.record, sight.ahead
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    power = Text(_watts(sight.watts), "bold cyan")
    if sight.history:
        power.append(f"  {_sparkline(sight.history)}", "cyan")
    table.add_row("power", power)
    planned = f" of {ahead.steps:,}" if ahead is not None and ahead.steps is not None else ""
    pace = "" if sight.step_seconds is None else f", {duration(sight.step_seconds)} each"
    table.add_row("steps", f"{record.steps:,}{planned}{pace}")
    for name, text in _told(sight):
        table.add_row(name, Text(printable(text), _style(name, sight)))
    table.add_row("running", duration(record.duration_seconds))
    return table


def _told(sight: Sight) -> list[tuple[str, str]]:
    """Energy, CO2e, tokens, forecast and budget, each where it is known."""
    record, ahead, told = sight.record, sight.ahead, []
    total, grams = record.energy.total_joules, record.carbon.grams_co2e
    if total is not None:
        told.append(("energy", f"{amount(total, WATT_HOURS)}" + (f", {amount(grams, CO2E)}" if grams else "")))
    if sight.token_joules is not None:
        told.append(("token", f"{amount(sight.token_joules, ENERGY)} per token"))
    if ahead is not None and ahead.joules and record.status == "running":
        value, low, high = ahead.joules
        text = f"{amount(value, WATT_HOURS)} at the end ({span(low, high, WATT_HOURS, like=value)})"
        if ahead.remaining_seconds:
            text += f", {duration(ahead.remaining_seconds[0])} left"
        told.append(("forecast", text))
    if ahead is not None and ahead.budget is not None:
        used = NOTHING if ahead.budget_used_ratio is None else percent(ahead.budget_used_ratio)
        whose = ", by all attempts" if ahead.budget_scope == "lineage" else ""
        told.append(("budget", f"{used} of {ahead.budget} used{whose}"))
    return told


def _style(name: str, sight: Sight) -> str:
    if name != "budget" or sight.ahead is None or sight.ahead.budget_used_ratio is None:
        return ""
    used = sight.ahead.budget_used_ratio
    return "red" if used >= 1 else "yellow" if used >= _TIGHT else "green"


def _devices(sight: Sight) -> Table:
    has_gauges = any(device.condition or device.throttled for device in sight.devices)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("device", no_wrap=True)
    table.add_column("", no_wrap=True, overflow="ellipsis")
    table.add_column("power", justify="right", no_wrap=True)
    table.add_column("energy", justify="right", no_wrap=True)
    table.add_column("condition" if has_gauges else "")
    most = max((device.watts or 0.0 for device in sight.devices), default=0.0)
    several = len({device.host for device in sight.devices}) > 1
    for device in sight.devices[:_MOST_DEVICES]:
        name = f"{device.host}: {device.name}" if several else device.name
        kind = Text(device.kind) if device.is_measured else Text(f"{device.kind}, modelled", "italic")
        watts = Text("lost", "red") if device.lost is not None else Text(_watts(device.watts))
        slowed = f"  throttled: {device.throttled}" if device.throttled else ""
        bar = "█" * round(_ROOM * (device.watts or 0.0) / most) if most and not has_gauges else ""
        last = Text.assemble(device.condition, (slowed, "red"), (bar, "cyan" if device.is_measured else "dim"))
        table.add_row(kind, Text(printable(name)), watts, Text(amount(device.joules, WATT_HOURS)), last)
    if len(sight.devices) > _MOST_DEVICES:
        table.add_row(f"and {len(sight.devices) - _MOST_DEVICES} more", "", "", "", "")
    return table


def _phases(sight: Sight) -> Table:
    total = sight.record.energy.total_joules
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for title in ("phase", "energy", "share", "mean power", "time"):
        table.add_column(title, justify="left" if title == "phase" else "right", no_wrap=True)
    for phase in sight.phases:
        table.add_row(
            Text(f"{'▸ ' if phase.is_present else '  '}{printable(phase.name)}", "bold" if phase.is_present else ""),
            amount(phase.joules, WATT_HOURS),
            percent(phase.joules / total) if total else "",
            _watts(phase.watts),
            duration(phase.seconds),
        )
    return table


def _waste(sight: Sight) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("waste")
    table.add_column("try", style="dim")
    for waste in sight.record.waste:
        table.add_row(Text(waste_words(waste)), Text(printable(waste.hint)))
    return table


def _watts(watts: float | None) -> str:
    return NOTHING if watts is None else amount(watts, POWER)


def _sparkline(values: tuple[float, ...]) -> str:
    most = max(values)
    return "".join(_BARS[min(len(_BARS) - 1, int(len(_BARS) * value / most))] for value in values) if most > 0 else ""
