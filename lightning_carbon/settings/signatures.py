"""A decorator that shows every setting in the signature and the docstring of a class or a function.

``help()``, Jupyter's ``?``, Sphinx and LightningCLI's ``--help`` read both; jsonargparse also validates against the
types in the signature. Type checkers read the ``Unpack`` of a ``TypedDict`` in the source instead. What a class shows
is made when somebody looks, as :mod:`inspect` takes 5 ms to import, or at once where that is loaded, as it is beside
torch: jsonargparse looks past what is made late.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from lightning_carbon.settings.setting import Setting
from lightning_carbon.values import Late

Taker = TypeVar("Taker", bound=Callable[..., Any])

ENTRY: Final = "settings: "
"""The beginning of the docstring's entry that the settings replace."""
_WIDTH: Final = 116


class _ShownInit(Late):
    """``__init__`` of a class, which gets its signature when somebody looks at it, and not to make an object.

    Args:
        function: The method.
        settings: The settings that it takes.
    """

    def __init__(self, function: Any, settings: tuple[Setting[Any], ...]) -> None:  # noqa: ANN401 - a function
        super().__init__(lambda _: _shown(function, settings))
        self._function = function

    def __get__(self, instance: object, owner: type) -> Any:  # noqa: ANN401 - a function, or a method
        return super().__get__(None, owner) if instance is None else self._function.__get__(instance, owner)


def takes(*settings: Setting[Any]) -> Callable[[Taker], Taker]:
    """Show settings in the signature and in the docstring of a class or a function.

    Args:
        settings: The settings, which are taken by keyword, in this order.

    Returns:
        A decorator. The docstring has an entry ``settings: ...`` among its arguments, which the settings replace.
    """

    def decorate(taker: Taker) -> Taker:
        text = taker.__doc__  # python -OO has none
        if not isinstance(taker, type):
            taker.__doc__ = text and described(text, settings)
            return cast("Taker", _shown(taker, settings))
        late: dict[str, Late] = {}
        if "inspect" in sys.modules:
            _shown(cast("Any", taker).__init__, settings)
        else:
            late["__init__"] = _ShownInit(cast("Any", taker).__init__, settings)
        if text:
            late["__doc__"] = Late(lambda _: described(text, settings))
        for name, attribute in late.items():
            attribute.__set_name__(taker, name)
            setattr(taker, name, attribute)
        return taker

    return decorate


def _shown(function: Any, settings: tuple[Setting[Any], ...]) -> Any:  # noqa: ANN401 - any function
    """A function with the settings in its signature."""
    from inspect import Parameter, signature

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
    return function


def described(docstring: str, settings: tuple[Setting[Any], ...]) -> str:
    """A docstring with an entry for each setting.

    Args:
        docstring: In Google's style, with an entry ``settings: ...`` on a line of its own.
        settings: The settings that replace it.

    Raises:
        ValueError: There is no such entry, or more than one.
    """
    from textwrap import fill

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
