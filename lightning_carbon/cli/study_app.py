"""The commands under ``study``; what they do is in the modules beside."""

from __future__ import annotations

from typing import Annotated

import typer

from lightning_carbon.cli.bad_input import told
from lightning_carbon.cli.study_output import JsonOption, LatexOption, MarkdownOption, form_of
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
    """Recompute the study's Tables 1, 3 and 4 from their inputs, and show computed beside printed."""
    from lightning_carbon.cli.study_published import show_published

    with told({"json": json, "markdown": markdown, "latex": latex}):
        show_published(form_of(json=json, markdown=markdown, latex=latex))


@study_app.command()
def claims(*, json: JsonOption = False, markdown: MarkdownOption = False, latex: LatexOption = False) -> None:
    """Check what press reports wrote of the study: each claim, the arithmetic, the verdict."""
    from lightning_carbon.cli.study_published import show_claims

    with told({"json": json, "markdown": markdown, "latex": latex}):
        show_claims(form_of(json=json, markdown=markdown, latex=latex))


@study_app.command()
def development(
    project: Annotated[str, typer.Option(metavar="NAME", help="The project whose runs are added up.")],
    model: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="The run that is the one model; else the last that completed."),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The runs that are one sweep, by name ('trial-*'); else those named like the model."
        ),
    ] = None,
    ledger: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="The folder of all runs.", show_default=False)
    ] = None,
    method: Annotated[
        str, typer.Option(metavar="METHOD", help="current: as each record says; strubell2019: the study's constants.")
    ] = CURRENT,
    usd_per_kwh: Annotated[
        float | None, typer.Option(metavar="USD", help="What a kWh costs.", show_default=False)
    ] = None,
    usd_per_gpu_hour: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LOW HIGH", help="What an hour of a GPU costs in a cloud.", show_default=False),
    ] = None,
    *,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Add up what one model, one sweep and the whole development of a project took, the failed runs included."""
    from lightning_carbon.cli.study_development import Asked, show_development

    given = {
        "project": project,
        "model": model,
        "sweep": sweep,
        "ledger": ledger,
        "method": method,
        "usd_per_kwh": usd_per_kwh,
        "usd_per_gpu_hour": None if usd_per_gpu_hour is None else " ".join(f"{one:g}" for one in usd_per_gpu_hour),
        "json": json,
        "markdown": markdown,
        "latex": latex,
    }
    with told(given):
        form = form_of(json=json, markdown=markdown, latex=latex)
        asked = Asked(method, usd_per_kwh, usd_per_gpu_hour)
        show_development(project, ledger, asked, form, model=model, sweep=sweep)
