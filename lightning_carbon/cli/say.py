"""What commands print: nothing that a file or a name holds steers the terminal."""

from __future__ import annotations

import typer

from lightning_carbon.cli import NAME
from lightning_carbon.records.numbers import printable


def say(text: str, *, err: bool = False) -> None:
    """Print a text of one line or several on stdout, or on stderr."""
    typer.echo("\n".join(map(printable, text.split("\n"))), err=err)


def notice(text: str) -> None:
    """Tell of trouble in one line on stderr."""
    typer.echo(f"{NAME}: {printable(text)}", err=True)
