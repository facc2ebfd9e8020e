"""``lightning-carbon runs``: the ledger as a table, as JSON or as CSV, and single runs of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from lightning_carbon.carbon.rest import Boundary
from lightning_carbon.cli.runs.choosing import find_run_or_project, known_runs, open_runs
from lightning_carbon.cli.runs.figures import as_csv
from lightning_carbon.cli.runs.totals import check_forms
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.files import to_json
from lightning_carbon.ledger.filters import RunFilter, near_words
from lightning_carbon.ledger.orders import ORDERS, STARTED
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.numbers import NOTHING, digits, duration, printable
from lightning_carbon.records.overlaps import counted_twice
from lightning_carbon.records.run import Status
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lightning_carbon.cli.runs.choosing import Runs
    from lightning_carbon.ledger.facts import Facts
    from lightning_carbon.records.run import RunRecord

_LEAST: Final = 6
"""The least width of a name or a project that is cut."""
_GAP: Final = 1
_STATUS, _STARTED, _STEPS, _RANKS = "Status", "Started (UTC)", "Steps", "Ranks"
_DROPPED: Final = (_STARTED, _STEPS, _RANKS)
"""The columns that are left out where room is short, in this order; the id begins with the start anyway."""
_PLUG, _CHIP = "Plug kWh", "Chip kWh"
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
class Listing:
    """How runs are listed.

    Args:
        sort: The name of the order.
        limit: The most runs.
        as_json: Whether whole records are printed, as JSON.
        as_csv: Whether the figures of the table are printed, as CSV.
    """

    sort: str = STARTED
    limit: int | None = None
    as_json: bool = False
    as_csv: bool = False


def list_runs(ledger: str | None, wanted: RunFilter, listing: Listing) -> None:
    """Print the runs of a ledger that a wanted takes, the newest last.

    Raises:
        ConfigError: There is no such folder, project or order, or two forms are asked for.
    """
    check_forms(as_json=listing.as_json, as_csv=listing.as_csv)
    if listing.sort not in ORDERS:
        raise ConfigError("sort", listing.sort, near_words(listing.sort, ORDERS))
    runs = known_runs(ledger, wanted.project)
    if listing.as_json and wanted.is_all and listing.sort == STARTED:
        _echo(_as_json(runs.ledger.runs(wanted.project, listing.limit)))
        return
    found = runs.ledger.select(wanted, sort=listing.sort, limit=listing.limit)
    if listing.as_json:
        _echo(_as_json(filter(None, map(runs.ledger.record, found))))
    elif listing.as_csv:
        _echo(as_csv(found, runs.ledger.tags))
    else:
        _show(found, runs, wanted)


def show_run(text: str | None, ledger: str | None, project: str | None, *, as_json: bool) -> None:
    """Print a run, or the runs of a project, where the text is its name; the last run where none is given.

    Raises:
        ConfigError: There is no such run or more than one, no such folder, or no such project.
    """
    found = find_run_or_project(text, ledger, project)
    if isinstance(found, str):
        list_runs(ledger, RunFilter(project=found), Listing(as_json=as_json))
        return
    if as_json:
        say(to_json(to_mapping(found), indent=2))
        return
    tags = open_runs(ledger).ledger.tags(found)
    say("\n".join([found.summary(), *([f"Tags: {', '.join(tags)}"] if tags else [])]))


def _echo(texts: Iterable[str]) -> None:
    for text in texts:
        typer.echo(text, nl=False)


def _as_json(records: Iterable[RunRecord]) -> Iterator[str]:
    """A list of records as lines of JSON, made one at a time, since a ledger may be large."""
    yield "["
    between = "\n"
    for record in records:
        yield between + to_json(to_mapping(record))
        between = ",\n"
    yield "\n]\n"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column of the table.

    Args:
        title: Its heading.
        cell: Its text for a run.
        total: Its text in the footer.
        is_figure: Whether it is aligned to the right.
        is_cut: Whether it gives way where room is short.
    """

    title: str
    cell: Callable[[Facts], str]
    total: str = ""
    is_figure: bool = False
    is_cut: bool = False


def _show(found: Sequence[Facts], runs: Runs, wanted: RunFilter) -> None:
    console = Console(highlight=False)
    if not found:
        where = f" of project {runs.project}" if runs.project is not None else ""
        what = "" if wanted.is_all else " that match"
        console.print(Text(printable(f"No runs{where}{what} in {runs.folder}")), soft_wrap=True)
        return
    columns, widths, cells = _fitted(_columns(found), found, console.width)
    has_colours = console.color_system is not None and not console.no_color
    typer.echo("\n".join(_lines(columns, widths, cells, has_colours=has_colours)))
    _say_notes(console, found, has_ranks=any(column.title == _RANKS for column in columns))


def _lines(
    columns: Sequence[_Shown], widths: Sequence[int], cells: Sequence[Sequence[str]], *, has_colours: bool
) -> Iterator[str]:
    """The lines of the table; rich would take a second for some thousand."""

    def padded(text: str, column: _Shown, width: int) -> str:
        length = cell_len(text)
        if length > width:
            text, length = set_cell_size(text, width - 1) + "…", width
        blanks = " " * (width - length)
        if has_colours and column.title == _STATUS and text in _COLOURS:
            text = typer.style(text, fg=_COLOURS[Status(text)])
        return blanks + text if column.is_figure else text + blanks

    def line(texts: Iterable[str]) -> str:
        return (" " * _GAP).join(map(padded, texts, columns, widths)).rstrip()

    yield line(column.title for column in columns)
    yield "─" * _needed(widths)
    for row in zip(*cells, strict=True):
        yield line(row)
    yield ""
    yield line(column.total for column in columns)


def _fitted(
    columns: Sequence[_Shown], found: Sequence[Facts], width: int
) -> tuple[Sequence[_Shown], list[int], list[list[str]]]:
    """The columns that a terminal has room for, with their widths and cells; the rest of the room goes to names."""
    cells = [[column.cell(facts) for facts in found] for column in columns]
    full = [
        max(map(cell_len, (column.title, column.total, *texts))) for column, texts in zip(columns, cells, strict=True)
    ]
    shown = list(range(len(columns)))
    widths = [min(_LEAST, length) if column.is_cut else length for column, length in zip(columns, full, strict=True)]
    for title in _DROPPED:
        if _needed([widths[place] for place in shown]) > width:
            shown = [place for place in shown if columns[place].title != title]
    room = width - _needed([widths[place] for place in shown])
    for place in shown:
        more = max(0, min(room, full[place] - widths[place]))
        widths[place] += more
        room -= more
    return [columns[place] for place in shown], [widths[place] for place in shown], [cells[place] for place in shown]


def _needed(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _columns(found: Sequence[Facts]) -> list[_Shown]:
    """The columns of the table; `show` needs the id, and cut figures are useless, so names and projects give way."""
    joules = sum(facts.priced_joules or 0.0 for facts in found)
    grams = sum(facts.grams_co2e or 0.0 for facts in found)
    count = f"{len(found):,} {'run' if len(found) == 1 else 'runs'}"
    lasted = duration(sum(facts.duration_seconds for facts in found))
    return [
        _Shown("Run", lambda facts: printable(facts.run_id), count),
        _Shown("Name", lambda facts: printable(facts.run_name or NOTHING), is_cut=True),
        _Shown("Project", lambda facts: printable(facts.project), is_cut=True),
        _Shown(_STATUS, lambda facts: facts.status),
        _Shown(_STARTED, lambda facts: facts.started_at[:16].replace("T", " ")),
        _Shown("Duration", lambda facts: duration(facts.duration_seconds), lasted, is_figure=True),
        # A rank that has written nothing is missing from the figures, too.
        _Shown(_RANKS, _ranks, is_figure=True),
        _Shown(_STEPS, lambda facts: f"{facts.steps:,}", is_figure=True),
        _Shown(_kilowatt_hours_of(found), _energy, kilowatt_hours(joules), is_figure=True),
        _Shown("gCO2e", lambda facts: _or_nothing(facts.grams_co2e), figure(grams), is_figure=True),
    ]


def _say_notes(console: Console, found: Sequence[Facts], *, has_ranks: bool) -> None:
    chips = _by_chips_alone(found)
    if chips and _kilowatt_hours_of(found) == _PLUG:
        which = f"{chips[0].run_id}{f' and {len(chips) - 1:,} more' if len(chips) > 1 else ''}"
        console.print(Text(f"Of the chips alone, as no more is known: {which}."), soft_wrap=True)
    twice = counted_twice(facts.counted for facts in found)
    if twice:
        about = f"About {kilowatt_hours(twice)} kWh of the chips' energy are counted twice"
        console.print(Text(f"{about}: runs metered the same hardware at the same time."), soft_wrap=True)
    partly = [facts for facts in found if facts.reported_ranks != facts.world_size]
    if partly and not has_ranks:
        which = f"{partly[0].run_id} ({_ranks(partly[0])})"
        more = f" and {len(partly) - 1:,} more" if len(partly) > 1 else ""
        console.print(Text(f"Not all ranks have reported of {which}{more}."), soft_wrap=True)


def kilowatt_hours(joules: float) -> str:
    """An energy in kWh, in a form that stays narrow for any size."""
    return figure(joules / JOULES_PER_KILOWATT_HOUR)


def figure(value: float) -> str:
    """A figure with three digits, in a form that stays narrow for any size."""
    return digits(value) if value == 0 or _LITTLE <= value < _MUCH else f"{value:.2e}"


def _ranks(facts: Facts) -> str:
    size, reported = facts.world_size, facts.reported_ranks
    return f"{size:,}" if reported == size else f"{reported:,}/{size:,}"


def _energy(facts: Facts) -> str:
    """The energy that the CO2e prices."""
    return NOTHING if facts.priced_joules is None else kilowatt_hours(facts.priced_joules)


def _by_chips_alone(found: Sequence[Facts]) -> list[Facts]:
    return [facts for facts in found if facts.priced_joules is not None and facts.boundary == Boundary.CHIPS]


def _kilowatt_hours_of(found: Sequence[Facts]) -> str:
    """The head of the column of energy, which says what it is of: of the chips, or at the plugs of the machines."""
    metered = sum(facts.priced_joules is not None for facts in found)
    return _CHIP if metered == len(_by_chips_alone(found)) else _PLUG


def _or_nothing(value: float | None) -> str:
    return NOTHING if value is None else figure(value)
