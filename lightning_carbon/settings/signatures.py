"""A decorator that shows every setting in the signature and the docstring of a class or a function.

``help()``, Jupyter's ``?``, Sphinx and LightningCLI's ``--help`` read both; jsonargparse also validates against the
types in the signature. Type checkers read the ``Unpack`` of a ``TypedDict`` in the source instead.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from textwrap import fill
from typing import Any, Final, TypeVar, cast

from lightning_carbon.settings.setting import Setting

Taker = TypeVar("Taker", bound=Callable[..., Any])

ENTRY: Final = "settings: "
"""The beginning of the docstring's entry that the settings replace."""
_WIDTH: Final = 116


def takes(*settings: Setting[Any]) -> Callable[[Taker], Taker]:
    """Show settings in the signature and in the docstring of a class or a function.

    Args:
        settings: The settings, which are taken by keyword, in this order.

    Returns:
        A decorator. The docstring has an entry ``settings: ...`` among its arguments, which the settings replace.
    """

    def decorate(taker: Taker) -> Taker:
        function: Any = cast("Any", taker).__init__ if isinstance(taker, type) else taker
        shown = signature(function)
        names = {setting.name for setting in settings}
        own = [
            parameter
            for parameter in shown.parameters.values()
            if parameter.name not in names and parameter.kind is not Parameter.VAR_KEYWORD
        ]
        taken = [
            Parameter(setting.name, Parameter.KEYWORD_ONLY, default=setting.default, annotation=setting.type)
            for setting in settings
        ]
        function.__signature__ = shown.replace(parameters=[*own, *taken])
        function.__annotations__ = {
            parameter.name: parameter.annotation for parameter in (*own, *taken) if parameter.name != "self"
        } | {"return": shown.return_annotation}
        if taker.__doc__:  # python -OO has none
            taker.__doc__ = described(taker.__doc__, settings)
        return taker

    return decorate


def described(docstring: str, settings: tuple[Setting[Any], ...]) -> str:
    """A docstring with an entry for each setting.

    Args:
        docstring: In Google's style, with an entry ``settings: ...`` on a line of its own.
        settings: The settings that replace it.

    Raises:
        ValueError: There is no such entry, or more than one.
    """
    lines = docstring.splitlines()
    [place] = [number for number, line in enumerate(lines) if line.lstrip().startswith(ENTRY)]
    indent = " " * (len(lines[place]) - len(lines[place].lstrip()))
    entries = [
        fill(
            f"{setting.name}: {setting.text}",
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for setting in settings
    ]
    return "\n".join([*lines[:place], *entries, *lines[place + 1 :]])
