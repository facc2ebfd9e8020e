"""The commands under ``runs`` that change a ledger, carry runs in and out, or look into a run; others do the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightning_carbon.cli.options import LedgerOption, OwnProjectOption, ProjectOption
from lightning_carbon.cli.runs.options import (
    RUN_HELP,
    HostOption,
    JsonOption,
    RunArgument,
    RunsArgument,
    SinceOption,
    StatusOption,
    SweepOption,
    TagOption,
    UntilOption,
    inherited,
    selected,
)
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.ledger.address import without_password

keeping_app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})


@keeping_app.command(help="Give a run tags, or print those it has.\n\nSuch as: runs tag baseline paper table-3")
def tag(
    context: typer.Context,
    run: RunArgument,
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG...", help="The tags.", show_default=False)] = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Take these tags away instead.")] = False,
) -> None:
    """Give a run tags, or print those it has."""
    from lightning_carbon.cli.runs.changing import tag_run

    given = inherited(context, project, ledger)
    with told({**given, "remove": remove or None}):
        tag_run(run, tags or [], given["ledger"], project=given["project"], remove=remove)


@keeping_app.command(
    help="Copy the runs of other ledgers into your own; a run that is in several is one run.\n\n"
    "Such as: runs merge /mnt/node-1/ledger /mnt/node-2/ledger"
)
def merge(
    context: typer.Context,
    folders: Annotated[
        list[str], typer.Argument(metavar="FOLDER...", help="The folders of the other ledgers.", show_default=False)
    ],
    ledger: LedgerOption = None,
) -> None:
    """Copy the runs of other ledgers into the user's."""
    from lightning_carbon.cli.runs.changing import merge_ledgers

    given = inherited(context, None, ledger)
    with told({"ledger": given["ledger"], "project": given["project"]}):
        merge_ledgers(folders, given["ledger"])


@keeping_app.command(help="Delete runs with all their files, after a question.\n\nSuch as: runs delete trial-17 --yes")
def delete(
    context: typer.Context,
    runs: RunsArgument,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete runs with all their files, after a question."""
    from lightning_carbon.cli.runs.changing import delete_runs

    given = inherited(context, project, ledger)
    with told(given):
        delete_runs(runs, given["ledger"], given["project"], is_sure=yes)


@keeping_app.command(
    help="Write the figures of runs into a file, a row for each.\n\nSuch as: runs export --parquet runs.parquet"
)
def export(
    context: typer.Context,
    parquet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Parquet here; needs pyarrow.", show_default=False)
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write CSV here.", show_default=False)] = None,
    project: ProjectOption = None,
    status: StatusOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    host: HostOption = None,
    tag: TagOption = None,
    sweep: SweepOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Write the figures of runs into a file, a row for each."""
    from lightning_carbon.cli.runs.exporting import export_runs

    given = inherited(context, project, ledger)
    filters = {"since": since, "until": until, "host": host, "tag": tag, "sweep": sweep, "status": status}
    with told({**given, **filters, "parquet": parquet, "csv": csv}):
        wanted = selected(given["project"], status, since, until=until, host=host, tag=tag, sweep=sweep)
        export_runs(given["ledger"], wanted, parquet=parquet, csv=csv)


@keeping_app.command(
    name="import",
    help="Read runs from the emissions.csv of CodeCarbon; their records say whose figures they hold.\n\n"
    "Such as: runs import emissions.csv --project lisa",
)
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The emissions.csv.", show_default=False)],
    project: OwnProjectOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Read runs from the emissions.csv of CodeCarbon."""
    from lightning_carbon.cli.runs.importing import import_runs

    given = inherited(context, project, ledger)
    with told({**given, "file": file}, words={"file"}):
        import_runs(file, given["ledger"], given["project"])


@keeping_app.command(
    help="Put the runs of this ledger into the database of a team; pushing twice changes nothing.\n\n"
    "Such as: runs push --to postgresql://me@db.example/energy (the password from ~/.pgpass)"
)
def push(
    context: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The database, as SQLAlchemy writes it.")],
    project: ProjectOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Put the runs of this ledger into the database of a team."""
    from lightning_carbon.cli.runs.sharing import push_runs

    given = inherited(context, project, ledger)
    with told({"project": given["project"], "ledger": given["ledger"], "to": without_password(to)}):
        push_runs(to, given["ledger"], given["project"])


@keeping_app.command(
    help="Print the energy of a run by module, forward and backward, and write its flame graph.\n\n"
    "Such as: runs modules baseline --speedscope baseline.speedscope.json"
)
def modules(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(metavar="RUN", help=RUN_HELP, show_default=False)] = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    speedscope: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file for www.speedscope.app, its weights in joules.", show_default=False),
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A picture of the flame graph.", show_default=False)
    ] = None,
    *,
    json: JsonOption = False,
) -> None:
    """Print the energy of a run by module, and write its flame graph."""
    from lightning_carbon.cli.runs.modules import show_modules

    given = inherited(context, project, ledger)
    with told({**given, "json": json or None}):
        show_modules(run, given["ledger"], given["project"], files=(speedscope, svg), as_json=json or given["json"])
