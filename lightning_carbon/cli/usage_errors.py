"""Errors in the user's settings, in the terms of the command line: a single line, no traceback, exit code 2."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import typer

from lightning_carbon.cli import NAME
from lightning_carbon.cli.say import notice, say
from lightning_carbon.errors import ConfigError, LedgerError, StudyError
from lightning_carbon.settings import LEDGER, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

FAILED = 1
USAGE_ERROR = 2

_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


@contextmanager
def told(
    given: Mapping[str, object], environ: Mapping[str, str] = os.environ, *, words: Collection[str] = ()
) -> Iterator[None]:
    """End the command with a line on stderr when a setting cannot be used, or a program that it started has failed.

    Args:
        given: The options given, by the names of the meter's arguments; ``None`` for those not given.
        environ: The environment variables, which stand in for missing options.
        words: The names of those that are given as a word of their own: help shows them in capitals.
    """
    try:
        yield
    except ConfigError as error:
        name_origin(error, given, environ, words=words)
        notice(str(error))
        raise typer.Exit(USAGE_ERROR) from None
    except StudyError as error:
        say(f"{NAME}: {error}", err=True)
        raise typer.Exit(FAILED) from None
    except LedgerError as error:
        notice(f"{error}; give another folder with {LEDGER.option}, or set {LEDGER.variable}")
        raise typer.Exit(USAGE_ERROR) from None


def name_origin(
    error: ConfigError, given: Mapping[str, object], environ: Mapping[str, str], *, words: Collection[str] = ()
) -> None:
    """Let an error name the option, the word or the variable that cannot be used.

    Args:
        error: The error; an error from the start of a meter, such as a missing device, so far names the argument.
        given: The options given, by the names of arguments.
        environ: The environment variables.
        words: The names of those that are given as a word of their own.
    """
    setting = _BY_NAME.get(error.argument)
    option = "--" + error.argument.replace("_", "-") if setting is None else setting.option
    if error.argument in words:
        option = error.argument.upper()
    variable = "" if setting is None else setting.variable
    if given.get(error.argument) is not None:
        error.option, error.value = option, given[error.argument]
    elif environ.get(variable):
        error.variable, error.value = variable, environ[variable]
    elif error.value is None:
        error.option = option
