"""The commands under ``runs``; other modules of this folder do the work."""

from __future__ import annotations

from typing import Annotated

import typer

from lightning_carbon.cli.forms import MarkdownOption, form_of
from lightning_carbon.cli.options import IntensityOption, LedgerOption, ProjectOption, PueOption, RegionOption
from lightning_carbon.cli.runs.keeping import keeping_app
from lightning_carbon.cli.runs.options import (
    RUN_HELP,
    CsvOption,
    HostOption,
    JsonOption,
    RunsArgument,
    SinceOption,
    StatusOption,
    SweepOption,
    TagOption,
    UntilOption,
    WayOption,
    inherited,
    selected,
)
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.address import without_password

_RUNS_HELP = (
    "List the runs of the ledger, the newest last; those found dead are recovered from their journals.\n\n"
    "Such as: runs --project lisa --status failed --since 7d --sort energy"
)

_BESIDE_HELP = (
    "Set runs side by side: energy, CO2e, joules of a step, sample and token, and energy to reach a metric's value.\n\n"
    "Such as: runs beside baseline wide --metric val_loss --reaches 0.5\n\n"
    "Whether one training takes less energy than another, `lightning-carbon compare` says, from several runs of each."
)

_SWEEP_HELP = (
    "Add up the trials of a sweep: state, value, energy and CO2e of each, and the energy of what they gained.\n\n"
    "Such as: runs sweep rates --metric val_loss --direction minimize"
)

_COMPARE_HELP = "The former name of `runs beside`.\n\nSuch as: runs compare baseline wide"

runs_app = typer.Typer(
    help=_RUNS_HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    """Print a run: the last, or the run with an id, the beginning of an id, or a name.

    Such as: runs show baseline
    """
    from lightning_carbon.cli.runs.listing import show_run

    given = inherited(context, project, ledger)
    with told({"project": given["project"], "ledger": given["ledger"]}):
        show_run(run, given["ledger"], given["project"], as_json=json or given["json"])


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
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="Of the database of a team instead.", show_default=False),
    ] = None,
    *,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Add up the energy and the CO2e of the runs."""
    given = inherited(context, project, ledger)
    filters = {"since": since, "until": until, "host": host, "tag": tag, "sweep": sweep, "status": status, "by": by}
    source = None if from_ is None else without_password(from_)
    with told({**given, **filters, "from": source, "json": json or None}):
        wanted = selected(given["project"], status, since, until=until, host=host, tag=tag, sweep=sweep)
        if from_ is not None:
            from lightning_carbon.cli.runs.sharing import show_team_totals

            show_team_totals(from_, given["ledger"], wanted, by, as_json=json or given["json"], as_csv=csv)
            return
        from lightning_carbon.cli.runs.totals import show_totals

        show_totals(given["ledger"], wanted, by, as_json=json or given["json"], as_csv=csv)


@runs_app.command(help=_BESIDE_HELP)
@runs_app.command("compare", help=_COMPARE_HELP, hidden=True)
def beside(
    context: typer.Context,
    runs: RunsArgument,
    metric: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A metric that the trainer logged, with --reaches.", show_default=False),
    ] = None,
    reaches: Annotated[
        float | None, typer.Option(metavar="VALUE", help="The value of the metric to reach.", show_default=False)
    ] = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Set runs beside the first of them; under its former name, too."""
    from lightning_carbon.cli.runs.comparing import compare_runs

    given = inherited(context, project, ledger)
    with told({**given, "metric": metric, "reaches": reaches, "json": json or None}):
        compare_runs(
            runs, given["ledger"], given["project"], goal=(metric, reaches), as_json=json or given["json"], as_csv=csv
        )


@runs_app.command(help=_SWEEP_HELP)
def sweep(
    context: typer.Context,
    sweep: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="The sweep, or a pattern of names of runs; that of the last trial by default.",
            show_default=False,
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A logged metric; its last value counts where the search told none.",
            show_default=False,
        ),
    ] = None,
    direction: Annotated[
        str | None,
        typer.Option(
            metavar="DIRECTION", help="minimize or maximize; by default as the search told.", show_default=False
        ),
    ] = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    json: JsonOption = False,
    csv: CsvOption = False,
    markdown: MarkdownOption = False,
) -> None:
    """Add up the trials of a sweep."""
    from lightning_carbon.cli.runs.sweeping import show_sweep

    given = inherited(context, project, ledger)
    named = {**given, "sweep": sweep, "metric": metric, "direction": direction, "csv": csv or None}
    with told({**named, "json": json or None, "markdown": markdown or None}, words={"sweep"}):
        as_json = json or given["json"]
        if csv and (as_json or markdown):
            raise ConfigError("csv", csv, "another form is asked for, too, and one is printed; leave one out.")
        form = None if csv else form_of(json=as_json, markdown=markdown)
        show_sweep(sweep, given["ledger"], given["project"], metric=metric, direction=direction, form=form)


@runs_app.command(
    help="Price runs again by another region, intensity or PUE; their records stay as they are.\n\n"
    "Such as: runs reprice baseline --region SE --pue 1.1"
)
def reprice(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(metavar="RUN", help=RUN_HELP, show_default=False)] = None,
    project: ProjectOption = None,
    region: RegionOption = None,
    intensity: IntensityOption = None,
    pue: PueOption = None,
    ledger: LedgerOption = None,
    *,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Price runs again, from the energy in their records."""
    from lightning_carbon.cli.runs.repricing import reprice_runs

    given = inherited(context, project, ledger)
    with told({**given, "region": region, "intensity": intensity, "pue": pue, "json": json or None}):
        place = {"region": region, "intensity": intensity, "pue": pue}
        reprice_runs(run, given["ledger"], given["project"], place=place, as_json=json or given["json"], as_csv=csv)


runs_app.add_typer(keeping_app)
