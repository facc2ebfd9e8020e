"""The forms that commands print in, and their options; what prints is loaded when there is something to print."""

from __future__ import annotations

from enum import Enum, auto
from typing import Annotated

import typer

from lightning_carbon.errors import ConfigError

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
MarkdownOption = Annotated[bool, typer.Option("--markdown", help="Print Markdown instead of tables.")]
LatexOption = Annotated[bool, typer.Option("--latex", help="Print LaTeX (booktabs) instead of tables.")]


class Form(Enum):
    """The form of the output."""

    TABLE = auto()
    JSON = auto()
    MARKDOWN = auto()
    LATEX = auto()


def form_of(*, json: bool = False, markdown: bool = False, latex: bool = False) -> Form:
    """The form that the options ask for.

    Raises:
        ConfigError: They ask for several forms.
    """
    asked = {"json": json, "markdown": markdown, "latex": latex}
    names = [name for name, is_asked in asked.items() if is_asked]
    if len(names) > 1:
        others = " and ".join(f"--{name}" for name in names[1:])
        raise ConfigError(names[0], True, f"{others} is given too, and one form is printed; leave one out.")
    return Form[names[0].upper()] if names else Form.TABLE
