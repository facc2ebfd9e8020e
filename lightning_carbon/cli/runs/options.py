"""The options that several commands under ``runs`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lightning_carbon.settings import PROJECT

if TYPE_CHECKING:
    from lightning_carbon.ledger.filters import RunFilter

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
    str | None,
    typer.Option(
        metavar="PATTERN", help="Only trials of this sweep, or runs of such names: 'trial-*'.", show_default=False
    ),
]
RUN_HELP = "Its id, the beginning of its id, or its name."
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WayOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="WAY",
        help="Divide the sum by project, month, host, status, model (of the GPUs, or the processor) or gpu (each).",
        show_default=False,
    ),
]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP, show_default=False)]
RunsArgument = Annotated[
    list[str], typer.Argument(metavar="RUN...", help=f"Each by {RUN_HELP[0].lower()}{RUN_HELP[1:]}", show_default=False)
]


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
    from lightning_carbon.ledger.filters import filter_of

    return filter_of(
        project=None if project is None else PROJECT.check(project),
        statuses=status or (),
        since=since,
        until=until,
        host=host,
        tags=tag or (),
        sweep=sweep,
    )


def inherited(context: typer.Context, project: str | None = None, ledger: str | None = None) -> dict[str, Any]:
    """Options that may stand before the command: `runs --ledger FOLDER show RUN`."""
    before = context.obj or {}
    return {
        "project": project or before.get("project"),
        "ledger": ledger or before.get("ledger"),
        "json": bool(before.get("json")),
    }
