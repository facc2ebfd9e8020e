"""Joining a metering callback to its Hugging Face Trainer: its place among the callbacks, and the timing of calls."""

from __future__ import annotations

import sys
from typing import Any, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.huggingface.calls import time_calls
from lightning_carbon.integrations.huggingface.runs import TrainerRuns, runs_of
from lightning_carbon.integrations.shared.guard import logger

_DEEPEST: Final = 16
"""The most frames between a hook and the Trainer; usually there are three."""


def calling_trainer(callback: object) -> tuple[Any, Any]:
    """Find the caller of a hook, as hooks do not get it.

    Returns:
        The handler that holds the Trainer's callbacks, and the Trainer; ``None`` for what is not found.
    """
    handler = None
    frame = sys._getframe(1)  # noqa: SLF001 - the only way to a caller
    for _ in range(_DEEPEST):
        owner = frame.f_locals.get("self")
        if handler is not None and getattr(owner, "callback_handler", None) is handler:
            return handler, owner
        if hasattr(owner, "call_event") and any(held is callback for held in getattr(owner, "callbacks", ())):
            handler = owner
        if frame.f_back is None:
            break
        frame = frame.f_back
    return handler, None


def join(handler: Any, trainer: Any, callback: object) -> None:  # noqa: ANN401 - a CallbackHandler and its Trainer
    """Let a callback see the logs before they are written, and learn of the Trainer's calls.

    Of several metering callbacks, automatic callbacks give way and leave. May be called again. The handler may be
    calling its callbacks now, so its list is replaced, not changed.

    Args:
        handler: The handler that holds the Trainer's callbacks, including this callback.
        trainer: The Trainer, where it is known.
        callback: The callback.

    Raises:
        ConfigError: The user gave another metering callback to the Trainer.
    """
    runs = runs_of(handler)
    if sum(not known.is_automatic for known in runs) > 1:
        names = [type(held).__name__ for held in handler.callbacks]
        fix = "a Trainer takes one CarbonTrainerCallback, or its energy would be logged twice; remove the others."
        raise ConfigError("callbacks", names, fix)
    for further in runs[1:]:
        further.has_given_way = further.is_automatic
    if any(known.has_given_way for known in runs):
        handler.callbacks = [held for held in handler.callbacks if not _has_given_way(held)]
    if _has_given_way(callback):
        return
    others = [held for held in handler.callbacks if held is not callback]
    # The first is the Trainer's own, which decides what is due; those of `report_to` follow.
    handler.callbacks = [*others[:1], callback, *others[1:]]
    if trainer is None:
        return
    for known in runs:
        known.serve(trainer)
    try:
        time_calls(trainer, finely=any(known.tells_parts for known in runs_of(handler)))
    except TypeError as error:
        logger.warning(
            "the calls of %s cannot be timed (%s): the record of a training that fails is closed at exit",
            type(trainer).__name__,
            error,
        )


def _has_given_way(callback: object) -> bool:
    runs = getattr(callback, "_runs", None)
    return isinstance(runs, TrainerRuns) and runs.has_given_way
