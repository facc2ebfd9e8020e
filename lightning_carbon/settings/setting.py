"""One row of the table of settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lightning_carbon.errors import ConfigError

ValueT_co = TypeVar("ValueT_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[ValueT_co]):
    """A setting of the meter, all that there is to say of it.

    Args:
        name: The name of the argument.
        type: What it takes, as in the signature.
        check: Gives the value to work with, or raises :class:`~lightning_carbon.errors.ConfigError`. It gets ``None``
            where nobody said anything, unless there is a default.
        summary: What it means, in a sentence, with Python's words in double backticks.
        details: What else there is to know.
        default: What the signature shows.
        unset: What holds where nobody said anything, where the default does not show it.
        variable: The environment variable that stands in for the argument.
        parse: Reads the variable.
        option: The option of the command line.
        metavar: What the command line calls its value.
    """

    name: str
    type: Any
    check: Callable[[object], ValueT_co]
    summary: str
    details: str = ""
    default: object = None
    unset: str = ""
    variable: str = ""
    parse: Callable[[str], object] = str
    option: str = ""
    metavar: str = ""

    def in_force(self, given: object = None, environ: Mapping[str, str] = os.environ) -> ValueT_co:
        """What holds: what was given, else what the variable says, else the default. An empty variable is unset.

        Args:
            given: What the user gave; ``None`` where nothing.
            environ: The environment variables.

        Raises:
            ConfigError: It cannot be used; under the name of the variable where that said it.
        """
        text = environ.get(self.variable) if given is None and self.variable else None
        if not text:
            return self.check(given)
        try:
            return self.check(self.parse(text))
        except ConfigError as error:
            error.variable, error.value = self.variable, text
            raise

    @property
    def otherwise(self) -> str:
        """What holds where neither the argument nor the variable says anything."""
        shown = f'"{self.default}"' if isinstance(self.default, str) else repr(self.default)
        return self.unset or f"``{shown}``"

    @property
    def text(self) -> str:
        """The meaning and the default, in sentences."""
        variable = f"``{self.variable}``, else " if self.variable else ""
        return " ".join(filter(None, (self.summary, self.details, f"Default {variable}{self.otherwise}.")))

    @property
    def help(self) -> str:
        """The summary for the command line, which has no markup."""
        return self.summary.replace("``", "")
