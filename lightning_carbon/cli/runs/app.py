"""The commands under ``runs``; other modules of this folder do the work."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lightning_carbon.cli.options import LedgerOption, ProjectOption
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.filters import RunFilter, filter_of
from lightning_carbon.settings import PROJECT

_RUNS_HELP = (
    "List the runs of the ledger, the newest last; those found dead are recovered from their journals.\n\n"
    "Such as: runs --project lisa --status failed --since 7d --sort energy"
)

runs_app = typer.Typer(
    help=_RUNS_HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)

StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="STATUS",
        help="Only runs that are running, completed, failed, pruned or interrupted; several by commas.",
        show_default=False,
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Only runs that started then or later: 2026-11-21, 2026-11-21T08:30 (UTC), or 7d, 12h ago.",
        show_default=False,
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Only runs that started by then; of a date, the whole day.", show_default=False),
]
HostOption = Annotated[str | None, typer.Option(metavar="NAME", help="Only runs on this host.", show_default=False)]
TagOption = Annotated[
    list[str] | None,
    typer.Option(metavar="TAG", help="Only runs with this tag; several must all hold.", show_default=False),
]
SweepOption = Annotated[
    str | None, typer.Option(metavar="PATTERN", help="Only runs of such names: 'trial-*'.", show_default=False)
]
RUN_HELP = "Its id, the beginning of its id, or its name."
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@runs_app.callback()
def runs(
    context: typer.Context,
    project: ProjectOption = None,
    status: StatusOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    host: HostOption = None,
    tag: TagOption = None,
    sweep: SweepOption = None,
    ledger: LedgerOption = None,
    sort: Annotated[
        str,
        typer.Option(
            metavar="ORDER",
            help="By started, duration, energy, co2e, steps, name, project or status; the largest last.",
        ),
    ] = "started",
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="NUMBER", help="Only so many, the last in this order.", show_default=False),
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the records as JSON instead of a table.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print a row of figures for each run, as CSV.")] = False,
) -> None:
    """List the runs of the ledger, the newest last; those found dead are recovered from their journals."""
    filters = {
        "status": status,
        "since": since,
        "until": until,
        "host": host,
        "tag": tag,
        "sweep": sweep,
        "limit": limit,
        "csv": csv or None,
    }
    given = {"project": project, "ledger": ledger, "json": json or None, **filters, "sort": sort}
    if context.invoked_subcommand is not None:
        with told(given):
            for name, value in filters.items():
                if value:
                    where = f"give it after the command, as in `runs {context.invoked_subcommand} --{name} …`."
                    raise ConfigError(name, value, where)
        context.obj = {"project": project, "ledger": ledger, "json": json}
        return
    from lightning_carbon.cli.runs.listing import Listing, list_runs

    with told(given):
        wanted = selected(project, status, since, until=until, host=host, tag=tag, sweep=sweep)
        list_runs(ledger, wanted, Listing(sort=sort, limit=limit, as_json=json, as_csv=csv))


def selected(
    project: str | None,
    status: list[str] | None,
    since: str | None,
    *,
    until: str | None,
    host: str | None,
    tag: list[str] | None,
    sweep: str | None,
) -> RunFilter:
    """The runs that the filters of a command mean.

    Raises:
        ConfigError: A filter cannot be used, or two contradict each other.
    """
    return filter_of(
        project=None if project is None else PROJECT.check(project),
        statuses=status or (),
        since=since,
        until=until,
        host=host,
        tags=tag or (),
        sweep=sweep,
    )


@runs_app.command()
def show(
    context: typer.Context,
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help=f"{RUN_HELP} The last run by default; of a project's name, its runs.",
            show_default=False,
        ),
    ] = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
) -> None:
    """Print a run: the last, or the run with an id, the beginning of an id, or a name."""
    from lightning_carbon.cli.runs.listing import show_run

    given = inherited(context, project, ledger)
    with told({"project": given["project"], "ledger": given["ledger"]}):
        show_run(run, given["ledger"], given["project"], as_json=json or given["json"])


def inherited(context: typer.Context, project: str | None = None, ledger: str | None = None) -> dict[str, Any]:
    """Options that may stand before the command: `runs --ledger FOLDER show RUN`."""
    before = context.obj or {}
    return {
        "project": project or before.get("project"),
        "ledger": ledger or before.get("ledger"),
        "json": bool(before.get("json")),
    }


WayOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="WAY",
        help="Divide the sum by project, month, host, status, model (of the GPUs, or the processor) or gpu (each).",
        show_default=False,
    ),
]


@runs_app.command(
    help="Add up the energy and the CO2e of the runs.\n\nSuch as: runs total --by month --project lisa --since 2026-01"
)
def total(
    context: typer.Context,
    by: WayOption = None,
    project: ProjectOption = None,
    status: StatusOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    host: HostOption = None,
    tag: TagOption = None,
    sweep: SweepOption = None,
    ledger: LedgerOption = None,
    *,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Add up the energy and the CO2e of the runs."""
    from lightning_carbon.cli.runs.totals import show_totals

    given = inherited(context, project, ledger)
    filters = {"since": since, "until": until, "host": host, "tag": tag, "sweep": sweep, "status": status, "by": by}
    with told({**given, **filters, "json": json or None}):
        wanted = selected(given["project"], status, since, until=until, host=host, tag=tag, sweep=sweep)
        show_totals(given["ledger"], wanted, by, as_json=json or given["json"], as_csv=csv)
