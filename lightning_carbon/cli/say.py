"""Printing for commands, without control characters from files and names."""

from __future__ import annotations

import typer

from lightning_carbon.cli import NAME
from lightning_carbon.records.numbers import printable


def say(text: str, *, err: bool = False) -> None:
    """Print a text of one or several lines on stdout, or on stderr."""
    typer.echo("\n".join(map(printable, text.split("\n"))), err=err)


def notice(text: str) -> None:
    """Report trouble in a line on stderr."""
    typer.echo(f"{NAME}: {printable(text)}", err=True)
