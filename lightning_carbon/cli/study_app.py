"""The commands under ``study``; what they do is in the modules beside."""

from __future__ import annotations

import typer

study_app = typer.Typer(
    help="The study of 2019: its tables recomputed, and its method on your own machine.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@study_app.callback()
def _study() -> None:
    """Keep ``study`` a group, however many commands there are."""
