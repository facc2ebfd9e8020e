"""Errors of the user's settings, in the words of the command line: one line, no traceback, exit code 2."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from lightning_carbon.cli import NAME
from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.wiring import DEVICES_VARIABLE, LEDGER_VARIABLE, REGION_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USAGE_ERROR = 2

_OPTIONS = {"interval_seconds": "--interval"}
_VARIABLES = {"devices": DEVICES_VARIABLE, "ledger": LEDGER_VARIABLE, "region": REGION_VARIABLE}
# Fixes are written for Python, where arguments are given by name.
_ASSIGNMENT = re.compile(r"(?<![\w-])(devices|intensity|ledger|pue|region)=(?=[\w\"'<.])")


@contextmanager
def told(given: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """End the command with one line on stderr when a setting cannot be used.

    Args:
        given: What was given on the command line, by the names of the meter's arguments; ``None`` is not given.
        environ: The environment variables that stand in for what was not given.
    """
    try:
        yield
    except ConfigError as error:
        typer.echo(f"{NAME}: {in_words(error, given, environ)}", err=True)
        raise typer.Exit(USAGE_ERROR) from None
    except LedgerError as error:
        typer.echo(f"{NAME}: {error}; give another folder with --ledger, or set {LEDGER_VARIABLE}", err=True)
        raise typer.Exit(USAGE_ERROR) from None


def in_words(error: ConfigError, given: Mapping[str, object], environ: Mapping[str, str]) -> str:
    """Name the option or the variable, what it was set to, and the fix."""
    argument, variable = error.argument, _VARIABLES.get(error.argument, "")
    option = _OPTIONS.get(argument, "--" + argument.replace("_", "-"))
    if given.get(argument) is not None:
        what = option if given[argument] is True else f"{option} {given[argument]}"
    elif environ.get(variable):
        what = f"{variable}={environ[variable]!r}"
    elif error.value is None:
        return f"{option} is missing: {for_command_line(error.fix)}"
    else:
        what = f"{argument}={error.value!r}"
    return f"{what} cannot be used: {for_command_line(error.fix)}"


def for_command_line(advice: str) -> str:
    """Advice with options in the place of Python's arguments: ``--devices "all"`` for ``devices="all"``."""
    return _ASSIGNMENT.sub(r"--\1 ", advice)
