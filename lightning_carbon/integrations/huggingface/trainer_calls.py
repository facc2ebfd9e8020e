"""Learns of what a Hugging Face Trainer tells no callback: that a call began, that it failed, what was fetched.

``train()`` that ends by an exception calls no hook; evaluating and saving have hooks for their end alone; a callback
never sees a batch. So the Trainer is given a class of the same name that is derived from its own and times those
methods, as PyTorch's FSDP does with modules. The methods look for the callback each time, and without one they are the
original ones. Unlike functions on the instance, that makes no reference cycle, which would keep the model of a deleted
Trainer on the GPU, and the Trainer can still be pickled.

Knows the Trainer's methods by name, but none of its classes. Names and events are the same from transformers 4.46 to 5.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, Final

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.huggingface.trainer_runs import TrainerRuns
from lightning_carbon.integrations.shared.guard import logger

_DEEPEST: Final = 16
"""Frames between a hook and the Trainer; there are three."""

Method = Callable[..., Any]


def runs_of(handler: object) -> list[TrainerRuns]:
    """The runs of every metering callback in a Trainer's list of callbacks, those that count before the others.

    First those that are going on, then those that somebody asked for by hand.
    """
    found = (getattr(one, "_runs", None) for one in getattr(handler, "callbacks", ()))
    runs = [one for one in found if isinstance(one, TrainerRuns) and not one.has_given_way]
    return sorted(runs, key=lambda one: (not one.is_running, one.is_automatic))


def calling_trainer(callback: object) -> tuple[Any, Any]:
    """Find who calls a hook: hooks are not told.

    Returns:
        The handler that holds the Trainer's callbacks, and the Trainer; ``None`` for what is not found.
    """
    handler = None
    frame = sys._getframe(1)  # noqa: SLF001 - the one way to a caller
    for _ in range(_DEEPEST):
        owner = frame.f_locals.get("self")
        if handler is not None and getattr(owner, "callback_handler", None) is handler:
            return handler, owner
        if hasattr(owner, "call_event") and any(one is callback for one in getattr(owner, "callbacks", ())):
            handler = owner
        if frame.f_back is None:
            break
        frame = frame.f_back
    return handler, None


def join(handler: Any, trainer: Any, callback: object) -> None:  # noqa: ANN401 - a CallbackHandler and its Trainer
    """Let a callback see the logs before those who write them down, and learn of the Trainer's calls.

    Of several metering callbacks, the automatic ones give way and leave. May be called again. The handler may be
    calling its callbacks: its list is replaced, not changed.

    Args:
        handler: The handler that holds the Trainer's callbacks, this one among them.
        trainer: The Trainer, where it is known.
        callback: The callback.

    Raises:
        ConfigError: There is another metering callback that was given by hand.
    """
    runs = runs_of(handler)
    if sum(not one.is_automatic for one in runs) > 1:
        names = [type(one).__name__ for one in handler.callbacks]
        fix = "a Trainer takes one CarbonTrainerCallback, or its energy would be logged twice; remove the others."
        raise ConfigError("callbacks", names, fix)
    for one in runs[1:]:
        one.has_given_way = one.is_automatic
    if any(one.has_given_way for one in runs):
        handler.callbacks = [one for one in handler.callbacks if not _has_given_way(one)]
    if _has_given_way(callback):
        return
    others = [one for one in handler.callbacks if one is not callback]
    # The first is the Trainer's own, which decides what is due; those of `report_to` follow.
    handler.callbacks = [*others[:1], callback, *others[1:]]
    if trainer is None:
        return
    for one in runs:
        one.serve(trainer)
    unmetered: type | None = getattr(type(trainer), "_unmetered_class", None)
    finely = any(runs.tells_parts for runs in runs_of(handler))
    if unmetered is not None and (_tells_parts(type(trainer)) or not finely):
        return
    try:
        trainer.__class__ = _metered(unmetered or type(trainer), finely=finely)
    except TypeError as error:
        logger.warning(
            "the calls of %s cannot be timed (%s): the record of a training that fails is closed at exit",
            type(trainer).__name__,
            error,
        )


@cache
def _metered(trainer_class: type, *, finely: bool) -> type:
    """A class of the same name, derived from a Trainer's, that times its calls.

    Args:
        trainer_class: The class of the Trainer.
        finely: Whether also those within a step.
    """
    members: dict[str, Any] = {
        "__module__": trainer_class.__module__,
        "__qualname__": trainer_class.__qualname__,
        "__doc__": trainer_class.__doc__,
        "__reduce_ex__": _reduce,
        "_unmetered_class": trainer_class,
    }
    for name, timed in (_TIMED | _TIMED_IN_STEPS if finely else _TIMED).items():
        original = getattr(trainer_class, name, None)
        if original is not None:
            members[name] = wraps(original)(timed(original))
    return type(trainer_class)(trainer_class.__name__, (trainer_class,), members)


def _has_given_way(callback: object) -> bool:
    runs = getattr(callback, "_runs", None)
    return isinstance(runs, TrainerRuns) and runs.has_given_way


def _tells_parts(metered_class: type) -> bool:
    return not vars(metered_class).keys().isdisjoint(_TIMED_IN_STEPS)


def _runs(trainer: Any) -> TrainerRuns | None:  # noqa: ANN401 - a Trainer
    return next(iter(runs_of(trainer.callback_handler)), None)


def _timed_train(original: Method) -> Method:
    def train(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        runs = _runs(self)
        if runs is None:
            return original(self, *args, **kwargs)
        with runs.training(self.args, self.model):
            return original(self, *args, **kwargs)

    return train


def _timed_evaluation(phase: Phase) -> Callable[[Method], Method]:
    def timed(original: Method) -> Method:
        def evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
            runs = _runs(self)
            if runs is None:
                return original(self, *args, **kwargs)
            with runs.evaluating(self.args, self.model, phase):
                return original(self, *args, **kwargs)

        return evaluate

    return timed


def _timed_save(original: Method) -> Method:
    def save(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        runs = _runs(self)
        if runs is None:
            return original(self, *args, **kwargs)
        runs.save_state(self.state)
        with runs.during(Phase.CHECKPOINT):
            return original(self, *args, **kwargs)

    return save


def _counted_fetch(original: Method) -> Method:
    def fetch(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        runs = _runs(self)
        if runs is None:
            return original(self, *args, **kwargs)
        with runs.fetching():
            result = original(self, *args, **kwargs)
        if isinstance(result, tuple) and isinstance(result[0], list):
            runs.fetched(result[0])
        return result

    return fetch


def _told_step(original: Method) -> Method:
    def training_step(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        runs = _runs(self)
        if runs is None:
            return original(self, *args, **kwargs)
        with runs.step():
            return original(self, *args, **kwargs)

    return training_step


def _told_loss(original: Method) -> Method:
    def compute_loss(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        runs = _runs(self)
        if runs is None or not runs.is_in_step:  # evaluating computes a loss, too
            return original(self, *args, **kwargs)
        runs.enter_part(Part.FORWARD)
        loss = original(self, *args, **kwargs)
        runs.enter_part(Part.BACKWARD)
        return loss

    return compute_loss


_TIMED: Final[dict[str, Callable[[Method], Method]]] = {
    "train": _timed_train,
    "evaluate": _timed_evaluation(Phase.VALIDATE),
    "predict": _timed_evaluation(Phase.PREDICT),
    "_save_checkpoint": _timed_save,
    "get_batch_samples": _counted_fetch,
}
_TIMED_IN_STEPS: Final[dict[str, Callable[[Method], Method]]] = {
    "training_step": _told_step,
    "compute_loss": _told_loss,
}
"""No event tells where the forward pass ends."""


def _reduce(self: Any, protocol: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a Trainer, and what pickle hands over
    """Pickle as the original class does; the copy is metered, too."""
    metered = type(self)
    original = metered._unmetered_class  # noqa: SLF001 - set above
    make, made_from, *rest = original.__reduce_ex__(self, protocol)
    return (
        _remake,
        (original, _tells_parts(metered), make, *(original if one is metered else one for one in made_from)),
        *rest,
    )


def _remake(original: type, finely: bool, make: Method, *made_from: object) -> object:  # noqa: FBT001 - pickled
    trainer = make(*made_from)
    trainer.__class__ = _metered(original, finely=finely)
    return trainer
