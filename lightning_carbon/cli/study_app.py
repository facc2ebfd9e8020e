"""The commands under ``study``; what they do is in the modules beside."""

from __future__ import annotations

import typer

from lightning_carbon.cli.bad_input import told
from lightning_carbon.cli.study_output import JsonOption, LatexOption, MarkdownOption, form_of

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
