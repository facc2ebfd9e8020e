"""The commands under ``study``; other modules of this folder do the work."""

from __future__ import annotations

from typing import Annotated

import typer

from lightning_carbon.cli.forms import JsonOption, LatexOption, MarkdownOption, form_of
from lightning_carbon.cli.options import IntensityOption, LedgerOption, ProjectOption, PueOption, RegionOption
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.study.method import CURRENT

study_app = typer.Typer(
    help="The study of 2019: its tables recomputed, and its method on your own machine.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@study_app.callback()
def _study() -> None:
    """Keep ``study`` a group, however many commands there are."""


@study_app.command()
def published(*, json: JsonOption = False, markdown: MarkdownOption = False, latex: LatexOption = False) -> None:
    """Recompute the study's four tables from their inputs, and show computed beside printed.

    Such as: study published --markdown
    """
    from lightning_carbon.cli.study.published import show_published

    with told({"json": json, "markdown": markdown, "latex": latex}):
        show_published(form_of(json=json, markdown=markdown, latex=latex))


@study_app.command()
def claims(*, json: JsonOption = False, markdown: MarkdownOption = False, latex: LatexOption = False) -> None:
    """Check press reports on the study: each claim, the arithmetic, the verdict.

    Such as: study claims
    """
    from lightning_carbon.cli.study.published import show_claims

    with told({"json": json, "markdown": markdown, "latex": latex}):
        show_claims(form_of(json=json, markdown=markdown, latex=latex))


# Their meaning is the same as everywhere; `lightning_carbon.measuring.pricing.method_of` has the defaults.
MethodOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="current factors, or those of the study: current, strubell2019."),
]
UsdOption = Annotated[float | None, typer.Option(metavar="USD", help="The price of a kWh.", show_default=False)]
HoursOption = Annotated[
    float | None, typer.Option(metavar="HOURS", help="Project to a number of hours.", show_default=False)
]

_MEASURE_HELP = (
    "Train a model for some minutes and put it into the study's table: power after warm-up, projected.\n\n"
    "CONFIG is the YAML of a training with a `study:` block, such as configs/transformer_small.yaml. A program after "
    "-- is run instead of the block's command, or without a CONFIG, such as: study measure -- python train.py. The "
    "program has to meter itself, as the callbacks and Meter do."
)


@study_app.command("measure", help=_MEASURE_HELP)
def measure_(
    words: Annotated[
        list[str], typer.Argument(metavar="CONFIG", help="The program or the YAML of the training.", show_default=False)
    ],
    minutes: Annotated[
        float, typer.Option(metavar="MINUTES", help="The minutes of training, from its first step on.")
    ] = 10,
    warmup_seconds: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="The end of the warm-up; found by default.", show_default=False),
    ] = None,
    setup_minutes: Annotated[
        float, typer.Option(metavar="MINUTES", help="The minutes it may take before it trains.")
    ] = 10,
    hours: HoursOption = None,
    steps: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="Project to a number of steps.", show_default=False)
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="Project to a number of epochs.", show_default=False)
    ] = None,
    count: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Project to a number of accelerators.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The name of the model.", show_default=False)] = None,
    published: Annotated[
        str | None, typer.Option(metavar="ID", help="The matching row of the study.", show_default=False)
    ] = None,
    method: MethodOption = "current",
    region: RegionOption = None,
    intensity: IntensityOption = None,
    pue: PueOption = None,
    usd_per_kwh: UsdOption = None,
    ledger: LedgerOption = None,
    *,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Train a model for some minutes and put it into the study's table."""
    from lightning_carbon.cli.study.measure import MeasureRequest, measure_and_show
    from lightning_carbon.measuring.pricing import method_of
    from lightning_carbon.study.measured.training_length import TrainingLength

    factors = {"region": region, "intensity": intensity, "pue": pue, "usd_per_kwh": usd_per_kwh}
    length = {"hours": hours, "steps": steps, "epochs": epochs, "count": count}
    forms = {"json": json, "markdown": markdown, "latex": latex}
    others = {
        "minutes": minutes,
        "warmup_seconds": warmup_seconds,
        "setup_minutes": setup_minutes,
        "name": name,
        "published": published,
        "ledger": ledger,
    }
    with told({**factors, **length, **forms, **others, "method": method}):
        code = measure_and_show(
            MeasureRequest(words, minutes, warmup_seconds, setup_minutes, name, published, ledger),
            method_of(method, region=region, intensity=intensity, pue=pue, usd_per_kwh=usd_per_kwh),
            TrainingLength(hours, steps, epochs, count),
            form=form_of(json=json, markdown=markdown, latex=latex),
        )
    raise typer.Exit(code)


@study_app.command()
def table(
    project: ProjectOption = None,
    hours: HoursOption = None,
    method: MethodOption = "current",
    region: RegionOption = None,
    intensity: IntensityOption = None,
    pue: PueOption = None,
    usd_per_kwh: UsdOption = None,
    ledger: LedgerOption = None,
    *,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Show all measurements in a ledger beside the published rows, each priced as its run was told.

    Such as: study table --hours 12 --method strubell2019
    """
    from lightning_carbon.cli.study.measure import show_table
    from lightning_carbon.measuring.pricing import method_of
    from lightning_carbon.study.measured.training_length import TrainingLength

    factors = {"region": region, "intensity": intensity, "pue": pue, "usd_per_kwh": usd_per_kwh}
    forms = {"json": json, "markdown": markdown, "latex": latex}
    with told({**factors, **forms, "project": project, "hours": hours, "method": method, "ledger": ledger}):
        show_table(
            project,
            ledger,
            method=method_of(method, region=region, intensity=intensity, pue=pue, usd_per_kwh=usd_per_kwh),
            length=TrainingLength(hours),
            form=form_of(json=json, markdown=markdown, latex=latex),
        )


@study_app.command()
def development(
    project: Annotated[str, typer.Option(metavar="NAME", help="The project whose runs are added up.")],
    model: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="The run of the model; else the last that completed."),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The runs of the sweep, by name ('trial-*'); else those named like the model."
        ),
    ] = None,
    ledger: LedgerOption = None,
    method: Annotated[
        str, typer.Option(metavar="METHOD", help="current: by each record; strubell2019: the study's constants.")
    ] = CURRENT,
    usd_per_kwh: UsdOption = None,
    usd_per_gpu_hour: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LOW HIGH", help="The price of a GPU-hour in a cloud.", show_default=False),
    ] = None,
    *,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Add up the energy of one model, one sweep and a whole project, failed runs included.

    Such as: study development --project lisa
    """
    from lightning_carbon.cli.study.development import PriceOptions, show_development

    given = {
        "project": project,
        "model": model,
        "sweep": sweep,
        "ledger": ledger,
        "method": method,
        "usd_per_kwh": usd_per_kwh,
        "usd_per_gpu_hour": None if usd_per_gpu_hour is None else " ".join(f"{price:g}" for price in usd_per_gpu_hour),
        "json": json,
        "markdown": markdown,
        "latex": latex,
    }
    with told(given):
        form = form_of(json=json, markdown=markdown, latex=latex)
        options = PriceOptions(method, usd_per_kwh, usd_per_gpu_hour)
        show_development(project, ledger, options, form=form, model=model, sweep=sweep)
