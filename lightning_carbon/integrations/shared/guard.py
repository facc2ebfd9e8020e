"""Hooks that never hurt the training they are called from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from lightning_carbon.errors import LedgerLost, SourceLost

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("lightning_carbon")

_seen: set[tuple[str, ...]] = set()
"""The warnings given in this process, since a hook that fails does so at every step."""


def guarded(*lets_through: type[Exception]) -> Callable[[Callable[P, R]], Callable[P, R | None]]:
    """Wrap a hook so that it logs its exceptions, once in a process, instead of raising them.

    :class:`~lightning_carbon.errors.SourceLost` and :class:`~lightning_carbon.errors.LedgerLost` get through: a meter
    raises them with ``strict=True`` only, which asks for exactly that. So does anything that is not an
    :class:`Exception`, such as Ctrl-C.

    Args:
        lets_through: Further exceptions that get through, such as a user's mistake that only shows at the start.

    Returns:
        A decorator; the hook returns ``None`` after an exception.
    """
    passes: tuple[type[Exception], ...] = (SourceLost, LedgerLost, *lets_through)

    def decorate(hook: Callable[P, R]) -> Callable[P, R | None]:
        @wraps(hook)
        def guard(*args: P.args, **kwargs: P.kwargs) -> R | None:
            try:
                return hook(*args, **kwargs)
            except passes:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the training matters more
                _tell(hook, error)
                return None

        return guard

    return decorate


def warn_of_logger(logger_of_user: object, error: Exception) -> None:
    """Warn, once for each class in a process, that a logger of the user refuses the figures.

    Args:
        logger_of_user: The logger, or its writer.
        error: Its exception.
    """
    name = type(logger_of_user).__qualname__
    if _is_new(name, type(error).__name__):
        logger.warning("%s did not take the energy that was logged, and the training goes on", name, exc_info=error)


def warn_once(message: str, *details: str) -> None:
    """Warn, once in a process for the same details.

    Args:
        message: The warning, with a ``%s`` for each detail.
        details: What differs from time to time.
    """
    if _is_new(message, *details):
        logger.warning(message, *details)


@contextmanager
def told_of(logger_of_user: object) -> Iterator[None]:
    """What goes wrong in a ``with`` block is the user's logger's: it is named in a warning, and never raised.

    Args:
        logger_of_user: The logger, or its writer.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the training matters more
        warn_of_logger(logger_of_user, error)


def _tell(hook: Callable[..., Any], error: Exception) -> None:
    if _is_new(hook.__qualname__, type(error).__name__):
        logger.warning(
            "the energy meter failed in %s and the training goes on; please report this",
            hook.__qualname__,
            exc_info=error,
        )


def _is_new(*key: str) -> bool:
    is_new = key not in _seen
    _seen.add(key)
    return is_new
