"""``lightning-carbon runs``: the ledger as a table, and single runs of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightning_carbon.cli.say import notice, say
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.files import to_json
from lightning_carbon.ledger.query import Ledger
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.numbers import NOTHING, digits, printable
from lightning_carbon.records.overlaps import Counted, counted_twice
from lightning_carbon.records.run import Status
from lightning_carbon.settings import PROJECT, ledger_folder
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR
from lightning_carbon.wiring import open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import JustifyMethod

    from lightning_carbon.records.run import RunRecord

_WIDE: Final = 100
"""The width from which on the start of a run has a column; its id begins with the same moment anyway."""
_LEAST_PROJECT: Final = 4
_FIGURES: Final = 4
_LITTLE: Final = 1e-3
_MUCH: Final = 1e6
_COLOURS: Final = {
    Status.RUNNING: "cyan",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.PRUNED: "magenta",
    Status.INTERRUPTED: "yellow",
}


@dataclass(frozen=True, slots=True)
class Runs:
    """A ledger, and the project whose runs are wanted.

    Args:
        ledger: The ledger.
        folder: Its folder.
        project: The project, if only its runs are wanted.
    """

    ledger: Ledger
    folder: str
    project: str | None


def list_runs(ledger: str | None, project: str | None, *, limit: int | None, as_json: bool) -> None:
    """Print the runs of a ledger, the newest last.

    Raises:
        ConfigError: There is no such folder, or no project can have that name.
    """
    runs = open_runs(ledger, project)
    records = runs.ledger.runs(runs.project, limit)
    if as_json:
        for text in _as_json(records):
            typer.echo(text, nl=False)
        return
    _show(records, runs)


def show_run(text: str, ledger: str | None, project: str | None, *, as_json: bool) -> None:
    """Print a run.

    Raises:
        ConfigError: There is no such run or more than one, no such folder, or no project can have that name.
    """
    record = find_run(text, ledger, project)
    say(to_json(to_mapping(record), indent=2) if as_json else record.summary())


def find_run(text: str, ledger: str | None, project: str | None) -> RunRecord:
    """Find the run with an id, a beginning of an id, or a name.

    Raises:
        ConfigError: There is no such run or more than one, no such folder, or no project can have that name.
    """
    runs = open_runs(ledger, project)
    return runs.ledger.find(text, runs.project)


def open_runs(given: str | None, project: str | None = None) -> Runs:
    """Open a ledger to read it, which recovers dead runs.

    Args:
        given: The folder that the user named, if any.
        project: The project that the user named, if any.

    Raises:
        ConfigError: There is no such folder, or no project can have that name.
    """
    folder = ledger_folder(given).expanduser().absolute()
    if not folder.is_dir() and (given is not None or folder.exists()):
        raise ConfigError("ledger", str(folder), "there is no such folder; give the one that runs were written to.")
    name = None if project is None else PROJECT.check(project)
    return Runs(open_ledger(folder, notice), str(folder), name)


def _as_json(records: Iterable[RunRecord]) -> Iterator[str]:
    """A list of records as lines of JSON, made one at a time, since a ledger may be large."""
    yield "["
    between = "\n"
    for record in records:
        yield between + to_json(to_mapping(record))
        between = ",\n"
    yield "\n]\n"


def _show(records: Iterable[RunRecord], runs: Runs) -> None:
    console = Console(highlight=False)
    is_wide = console.width >= _WIDE
    joules, grams = 0.0, 0.0
    rows, counted = [], list[Counted]()
    for record in records:
        rows.append(_row(record, is_wide=is_wide))
        joules += record.energy.total_joules or 0.0
        counted.append(Counted(record.run_id, record.project, record.overlaps))
        grams += record.carbon.grams_co2e or 0.0
    if not rows:
        where = f" of project {runs.project}" if runs.project is not None else ""
        console.print(Text(printable(f"No runs{where} in {runs.folder}")), soft_wrap=True)
        return
    titles = ["Run", "Project", "Status", *(["Started (UTC)"] if is_wide else []), "Ranks", "Steps", "kWh", "gCO2e"]
    total = [""] * len(titles)
    total[0] = f"{len(rows):,} {'run' if len(rows) == 1 else 'runs'}"
    total[-2:] = _kilowatt_hours(joules), _figure(grams)
    # `show` needs the id, and cut figures are useless: where room is short, the project gives way.
    gap = 2 if is_wide else 1
    widths = [
        max(map(cell_len, column)) for column in zip(titles, total, *(map(str, row) for row in rows), strict=True)
    ]
    others = sum(widths) - widths[1] + gap * (len(widths) - 1)
    widths[1] = max(_LEAST_PROJECT, min(widths[1], console.width - others))
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, gap - 1, 0, 0), pad_edge=False, show_footer=True)
    for place, (title, width, footer) in enumerate(zip(titles, widths, total, strict=True)):
        justify: JustifyMethod = "right" if place >= len(titles) - _FIGURES else "left"
        table.add_column(title, footer, justify=justify, width=width, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*row)
    console.print(table, width=max(console.width, others + widths[1]))
    twice = counted_twice(counted)
    if twice:
        about = f"About {_kilowatt_hours(twice)} kWh of it are counted twice"
        console.print(Text(f"{about}: runs metered the same hardware at the same time."), soft_wrap=True)


def _kilowatt_hours(joules: float) -> str:
    return _figure(joules / JOULES_PER_KILOWATT_HOUR)


def _figure(value: float) -> str:
    """A figure with three digits, in a form that stays narrow for any size."""
    return digits(value) if value == 0 or _LITTLE <= value < _MUCH else f"{value:.2e}"


def _row(record: RunRecord, *, is_wide: bool) -> list[str | Text]:
    status = Status(record.status)
    energy, grams = record.energy.total_joules, record.carbon.grams_co2e
    started = [Text(record.started_at[:16].replace("T", " "))] if is_wide else []
    reported = len(record.ranks) or 1
    return [
        Text(printable(record.run_id)),
        Text(printable(record.project)),
        Text(status.value, _COLOURS[status]),
        *started,
        # A rank that has written nothing is missing from the figures, too.
        f"{record.world_size:,}" if reported == record.world_size else f"{reported:,}/{record.world_size:,}",
        f"{record.steps:,}",
        NOTHING if energy is None else _kilowatt_hours(energy),
        NOTHING if grams is None else _figure(grams),
    ]
