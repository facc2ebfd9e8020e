"""The commands under ``grid``; other modules of this folder do the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightning_carbon.cli.forms import JsonOption, LatexOption, MarkdownOption, form_of
from lightning_carbon.cli.options import IntensityOption, LedgerOption, ProjectOption, PueOption, RegionOption
from lightning_carbon.cli.usage_errors import told

grid_app = typer.Typer(
    help="The carbon intensity of electricity: when a job would have emitted least, and what it would have elsewhere.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SeriesArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SERIES", help="A CSV or Parquet file of moments and gCO2e/kWh, as downloaded.", show_default=False
    ),
]
HoursOption = Annotated[float | None, typer.Option(metavar="HOURS", help="The length of the job.", show_default=False)]
PlotOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also draw it into this file, such as out.png.", show_default=False)
]

_BEST_HELP = (
    "Say when a job would have emitted least by a series, such as: grid best grid.csv --hours 6\n\n"
    "The power is taken to be constant. The saving is against the mean of all starts, with the range of nine of ten."
)
_WHAT_IF_HELP = (
    "Price a run, or an energy, at other places, hours and sites, such as: grid what-if my-run --regions SE,FR\n\n"
    "The energy stays what it is; carbon intensity and PUE change. RUN is an id, the beginning of an id, or a name."
)
_SHOW_HELP = "Show the factor of a place, its range, its years and its sources, such as: grid show DE --year 2024"
_PLOT_HELP = "Draw a series by hour of the day and month, such as: grid plot grid.csv --zone Europe/Berlin"


@grid_app.callback()
def _grid() -> None:
    """Keep ``grid`` a group, however many commands there are."""


@grid_app.command(help=_SHOW_HELP)
def show(
    place: Annotated[
        str,
        typer.Argument(metavar="PLACE", help="As for --region: DE, US-CA, aws:eu-north-1.", show_default=False),
    ],
    year: Annotated[
        int | None,
        typer.Option(min=1990, max=2100, metavar="YEAR", help="Default: the newest.", show_default=False),
    ] = None,
    *,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Show the factor of a place, its range and its sources."""
    from lightning_carbon.cli.grid.places import show_place

    with told({"place": place, "json": json, "markdown": markdown, "latex": latex}, words={"place"}):
        show_place(place, year, form=form_of(json=json, markdown=markdown, latex=latex))


@grid_app.command(help=_BEST_HELP)
def best(
    series: Annotated[
        Path | None, typer.Argument(metavar="SERIES", help="A CSV or Parquet file, as downloaded.", show_default=False)
    ] = None,
    hours: HoursOption = None,
    kwh: Annotated[
        float | None, typer.Option(metavar="KWH", help="The energy of the job, for masses.", show_default=False)
    ] = None,
    region: RegionOption = None,
    *,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Say when a job would have emitted least."""
    from lightning_carbon.cli.grid.best import show_best

    given = {"series": series, "hours": hours, "kwh": kwh, "region": region}
    with told({**given, "json": json, "markdown": markdown, "latex": latex}, words={"series"}):
        show_best(series, region, hours=hours, kwh=kwh, form=form_of(json=json, markdown=markdown, latex=latex))


@grid_app.command(help=_PLOT_HELP)
def plot(
    series: SeriesArgument,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The picture; default: SERIES.png, in this folder.", show_default=False),
    ] = None,
    zone: Annotated[str, typer.Option(metavar="NAME", help="The zone of the hours, such as Europe/Berlin.")] = "UTC",
) -> None:
    """Draw a series by hour of the day and month."""
    from lightning_carbon.cli.grid.plot import plot_series

    with told({"series": series, "output": output, "zone": zone}, words={"series"}):
        plot_series(series, output, zone=zone)


@grid_app.command("what-if", help=_WHAT_IF_HELP)
def what_if(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="A run of the ledger; or else give --kwh.", show_default=False)
    ] = None,
    kwh: Annotated[
        float | None, typer.Option(metavar="KWH", help="An energy, without PUE, instead of a run.", show_default=False)
    ] = None,
    regions: Annotated[
        str, typer.Option(metavar="CODES", help="Other places, separated by commas; or default, or all.")
    ] = "default",
    pues: Annotated[
        str | None, typer.Option(metavar="RATIOS", help="Other PUEs, separated by commas.", show_default=False)
    ] = None,
    series: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A series: other hours of the day to begin at.", show_default=False),
    ] = None,
    hours: HoursOption = None,
    region: RegionOption = None,
    intensity: IntensityOption = None,
    pue: PueOption = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    plot: PlotOption = None,
    *,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Price a run, or an energy, at other places, hours and sites."""
    from lightning_carbon.cli.grid.what_if import Asked, show_what_if

    asked = Asked(run, kwh, regions, pues, series, hours)
    place = {"region": region, "intensity": intensity, "pue": pue}
    forms = {"json": json, "markdown": markdown, "latex": latex}
    with told({**asked._asdict(), **place, **forms, "project": project, "ledger": ledger, "plot": plot}, words={"run"}):
        show_what_if(asked, place, ledger=ledger, project=project, plot=plot, form=form_of(**forms))
