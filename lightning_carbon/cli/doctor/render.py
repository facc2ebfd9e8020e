"""The doctor's report for people: tables that fit 80 columns, and below them notes that do not fit a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lightning_carbon.cli.doctor.report import SourceVerdict
from lightning_carbon.records.numbers import NOTHING
from lightning_carbon.units import KILO, MICRO, MILLI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from lightning_carbon.cli.doctor.report import MachineReport, Report, SourceReport

_COLOURS: Final = {
    SourceVerdict.USABLE: "green",
    SourceVerdict.STILL: "yellow",
    SourceVerdict.FAILING: "red",
    SourceVerdict.UNUSABLE: "red",
}
_MODELLED: Final = "modelled"
_UUID: Final = re.compile(r"(?P<start>(?P<kind>GPU|MIG)-[0-9a-f]{8})-[0-9a-f-]{27}$")


def show(report: Report, console: Console | None = None) -> None:
    """Print a report.

    Args:
        report: The report.
        console: The console; by default standard output.
    """
    console = console or Console(highlight=False)
    console.print(_headline(report))
    console.print(_sources(report))
    for note in _notes(report.sources):
        # The terminal wraps fixes, so they are copied as a single line.
        console.print(note, soft_wrap=isinstance(note, Text))
    console.print()
    console.print(_devices(report))
    console.print(Text("Settings", "bold"))
    console.print(_settings(report))
    console.print(Text("Versions", "bold"))
    console.print(_indented(Text(" · ".join(f"{name} {value}" for name, value in report.versions.items()))))


def _headline(report: Report) -> Text:
    usable = [source for source in report.sources if source.usable]
    still = [source for source in usable if source.verdict is SourceVerdict.STILL]
    measured = [source for source in usable if source.provenance != _MODELLED and source not in still]
    if not usable:
        return Text("Nothing can be metered on this machine.", "bold red")
    modelled = len(usable) - len(measured) - len(still)
    parts = [
        (len(measured), "measured", "green"),
        (modelled, "modelled", "yellow"),
        (len(still), "standing still", "yellow"),
        (len(report.sources) - len(usable), "not usable", "red"),
    ]
    said = [(f"{number} {word}", f"bold {colour}") for number, word, colour in parts if number]
    return Text.assemble(("Sources of energy: ", "bold"), Text(", ").join(Text(*part) for part in said))


def _sources(report: Report) -> Table:
    table = _table()
    table.add_column("Source", no_wrap=True)
    table.add_column("What", overflow="fold")
    table.add_column("Verdict", no_wrap=True)
    for name in ("±", "Tick", "Read", "Power"):
        table.add_column(name, justify="right", no_wrap=True)
    for source in report.sources:
        table.add_row(
            source.source,
            Text(_what(source)),
            Text(_verdict(source), _COLOURS[source.verdict] if source.provenance != _MODELLED else "yellow"),
            _range(source),
            _tick(source),
            NOTHING if source.read_seconds is None else _time(source.read_seconds),
            NOTHING
            if source.watts is None
            else f"{source.watts:.3g} W"
            if source.watts < KILO
            else f"{source.watts:.0f} W",
        )
    return table


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))


def _what(source: SourceReport) -> str:
    """The subject of a source without its UUID, which the table of devices has; a slice keeps the start of its own."""
    return _UUID.sub(lambda found: "" if found["kind"] == "GPU" else found["start"], source.subject).strip()


def _verdict(source: SourceReport) -> str:
    return source.provenance if source.verdict is SourceVerdict.USABLE and source.provenance else source.verdict.value


def _range(source: SourceReport) -> str:
    if source.accuracy is not None and source.accuracy.below_ratio != source.accuracy.above_ratio:
        return f"-{source.accuracy.below_ratio:.0%} +{source.accuracy.above_ratio:.0%}"
    return NOTHING if source.uncertainty_ratio is None else f"{source.uncertainty_ratio:.0%}"


def _tick(source: SourceReport) -> str:
    if source.verdict is SourceVerdict.STILL:
        return "never"
    if source.tick_seconds is None:
        return NOTHING
    return ("≤ " if source.tick_is_upper_bound else "") + _time(source.tick_seconds)


def _time(seconds: float) -> str:
    """A time with two significant digits, in the unit that reads well."""
    for unit, size in (("s", 1.0), ("ms", MILLI)):
        if seconds >= 0.9995 * size:  # a time that would print as 1000 of the next smaller unit
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds / MICRO:.2g}'):g} µs"


def _notes(sources: Iterable[SourceReport]) -> Iterator[RenderableType]:
    """How each number comes about, and why others do not, with the same note for several sources given once."""
    notes: dict[tuple[str, str, str, str], list[SourceReport]] = {}
    for source in sources:
        notes.setdefault((source.source, source.method or "", source.reason, source.fix), []).append(source)
    for (_source, method, reason, fix), group in notes.items():
        names = [_what(source) for source in group]
        title = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        style = _COLOURS[group[0].verdict] if group[0].verdict is not SourceVerdict.USABLE else ""
        yield _heading(title)
        for text in filter(None, (method, reason)):
            yield _indented(Text(text, style if text == reason else ""))
        for source in group:
            if source.condition:
                name = "" if len(group) == 1 else f"{_what(source)} "
                yield _indented(Text(f"{name}also tells: {source.condition}"))
        if fix:
            yield Text.assemble("  ", ("fix: ", "bold"), fix)


def _heading(text: str) -> Padding:
    return Padding(Text(text, "bold"), 0, expand=False)


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2), expand=False)


def _devices(report: Report) -> RenderableType:
    devices = report.devices
    value = "not set" if devices.cuda_visible_devices is None else repr(devices.cuda_visible_devices)
    lines: list[RenderableType] = [
        Text("GPUs", "bold"),
        _indented(Text(f"CUDA_VISIBLE_DEVICES is {value}; metered: {devices.setting} ({devices.from_})")),
    ]
    lines += [_indented(Text(text)) for text in (devices.remark, devices.trouble) if text]
    if not devices.found:
        lines += [] if devices.trouble else [_indented(Text("NVML shows none"))]
        return Group(*lines, "")
    table = _table()
    table.add_column("NVML", justify="right", no_wrap=True)
    table.add_column("Model", overflow="fold")
    table.add_column("UUID", no_wrap=True, overflow="fold")
    table.add_column("CUDA", justify="right", no_wrap=True)
    table.add_column("Metered", no_wrap=True)
    for device in devices.found:
        is_hidden = device.cuda_index is None
        table.add_row(
            str(device.index),
            Text(device.name),
            Text(device.uuid or device.trouble),
            "hidden" if is_hidden else str(device.cuda_index),
            Text("yes", "green") if device.metered else Text("no"),
            style="dim" if is_hidden and not device.metered else "",
        )
    return Group(*lines, table)


def _machine(machine: MachineReport) -> str:
    """The class of the machine, and how the rest of it beside its chips is known."""
    if machine.constant_watts is None or machine.share is None:
        return f"{machine.machine}: {machine.reason}; CO2e is that of the {machine.boundary}"
    watts = f"{machine.constant_watts:.3g} W ({machine.constant_low_watts:.3g} to {machine.constant_high_watts:.3g})"
    share = f"{machine.share:.0%} ({machine.share_low:.0%} to {machine.share_high:.0%})"
    model = f"{watts} + {share} of the chips"
    part = f", the job's part {machine.portion:.0%}" if machine.portion != 1 else ""
    measured = f"the rest is measured: {machine.measured_by}; else {model}"
    rest = f"the rest is modelled: {model}{part}" if machine.measured_by is None else measured
    return "\n".join(filter(None, (machine.machine, rest, machine.reason if machine.assumed else "")))


def _settings(report: Report) -> Table:
    region, pue, ledger = report.region, report.pue, report.ledger
    table = _table()
    table.add_column("Setting", no_wrap=True)
    table.add_column("In force", overflow="fold")
    table.add_column("From", overflow="fold")
    year = f", {region.year}" if region.year is not None else ""
    grams = f"{region.grams_co2e_per_kilowatt_hour:.4g} gCO2e/kWh"
    table.add_row("region", f"{region.region}: {grams} ({region.low:.4g} to {region.high:.4g}{year})", region.from_)
    table.add_row("PUE", f"{pue.value:g} ({pue.low:g} to {pue.high:g})", pue.from_)
    table.add_row("machine", _machine(report.machine), report.machine.from_)
    trouble = Text(f"\nnot writable: {ledger.trouble}", "red") if not ledger.writable else Text("\nwritable", "green")
    table.add_row("ledger", Text(ledger.folder).append_text(trouble), ledger.from_)
    return table
