"""One row of the table of settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from lightning_carbon.errors import ConfigError
from lightning_carbon.values import dataclass

ValueT_co = TypeVar("ValueT_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[ValueT_co]):
    """A setting of the meter, with everything that is known of it.

    Args:
        name: The name of the argument.
        type: The type of its value, as in the signature.
        check: Gives the value to work with, or raises :class:`~lightning_carbon.errors.ConfigError`. It gets ``None``
            where the user gave nothing, unless there is a default.
        summary: Its meaning, in a sentence, with Python's words in double backticks.
        details: Further sentences.
        default: The default that the signature shows.
        unset: What holds where the user gave nothing, if the default does not show it.
        variable: The environment variable that stands in for the argument.
        parse: Reads the variable.
        shown: What errors show of the variable.
        option: The option of the command line.
        metavar: The name of its value on the command line.
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
    shown: Callable[[str], str] = str
    option: str = ""
    metavar: str = ""

    def in_force(self, given: object = None, environ: Mapping[str, str] = os.environ) -> ValueT_co:
        """The value in force: as given, else by the variable, else the default. An empty variable counts as unset.

        Args:
            given: The value that the user gave; ``None`` for none.
            environ: The environment variables.

        Raises:
            ConfigError: It cannot be used; the error names the variable where the value came from there.
        """
        text = environ.get(self.variable) if given is None and self.variable else None
        if not text:
            return self.check(given)
        try:
            return self.check(self.parse(text))
        except ConfigError as error:
            if not error.variable:
                error.variable, error.value = self.variable, self.shown(text)
            raise

    @property
    def otherwise(self) -> str:
        """What holds where neither the argument nor the variable is given."""
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


def refuse_unknown(given: Mapping[str, object], known: Iterable[str]) -> None:
    """Refuse names that no setting has.

    Raises:
        ConfigError: There is no setting of that name; the message suggests the nearest.
    """
    names = [*known]
    for name, value in given.items():
        if name not in names:
            from difflib import get_close_matches

            near = get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(name, value, f"{hint}Give one of {', '.join(names)}.")
