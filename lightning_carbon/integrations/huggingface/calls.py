"""The events that a Hugging Face Trainer reports to no callback: that a call began or failed, and what was fetched.

A ``train()`` that ends by an exception calls no hook; evaluating and saving have hooks for their end alone; a callback
never sees a batch. So the Trainer is given a class of the same name that is derived from its own and times those
methods, as PyTorch's FSDP does with modules. The methods look for the callback each time; without a callback, they act
like the original methods. Unlike functions on the instance, a class makes no reference cycle, which would keep the
model of a deleted Trainer on the GPU, and the Trainer can still be pickled.

Knows the Trainer's methods by name, but none of its classes. Names and events are the same from transformers 4.46 to 5.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, Final

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.integrations.huggingface.cards import CARD, tell_card
from lightning_carbon.integrations.huggingface.model_cards import tell_model, told_runs
from lightning_carbon.integrations.huggingface.rollouts import timed_rollouts
from lightning_carbon.integrations.huggingface.runs import TrainerRuns, runs_of
from lightning_carbon.integrations.huggingface.searches import searched, searched_again

Method = Callable[..., Any]


def time_calls(trainer: Any, *, finely: bool) -> None:  # noqa: ANN401 - a Trainer
    """Give a Trainer the class that times its calls; nothing changes where it has the class already.

    Args:
        trainer: The Trainer.
        finely: Whether also those within a step.

    Raises:
        TypeError: The class of the Trainer does not allow it.
    """
    unmetered: type | None = getattr(type(trainer), "_unmetered_class", None)
    if unmetered is None or (finely and not _tells_parts(type(trainer))):
        trainer.__class__ = _metered(unmetered or type(trainer), finely=finely)


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
    members |= timed_rollouts(trainer_class)
    return type(trainer_class)(trainer_class.__name__, (trainer_class,), members)


def _tells_parts(metered_class: type) -> bool:
    return not vars(metered_class).keys().isdisjoint(_TIMED_IN_STEPS)


def _runs(trainer: Any) -> TrainerRuns | None:  # noqa: ANN401 - a Trainer
    found = runs_of(trainer.callback_handler)
    return found[0] if found else None


def _timed_train(original: Method) -> Method:
    def train(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        runs = _runs(self)
        if runs is None:
            return original(self, *args, **kwargs)
        named = kwargs.get("resume_from_checkpoint", args[0] if args else None)
        runs.checkpoints.resumes_from = os.fspath(named) if isinstance(named, str | os.PathLike) else None
        try:
            trial = kwargs.get("trial", args[1] if len(args) > 1 else None)
            with searched(self, trial), runs.training(self.args, self.model):
                return original(self, *args, **kwargs)
        finally:
            tell_model(self, runs)

    return train


def _timed_evaluation(phase: Phase) -> Callable[[Method], Method]:
    def timed(original: Method) -> Method:
        def evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
            runs = _runs(self)
            if runs is None:
                return original(self, *args, **kwargs)
            with searched_again(self) as tell, runs.evaluating(self.args, self.model, phase):
                result = original(self, *args, **kwargs)
            tell(result)
            runs.tell_late_figures(self, result)
            return result

        return evaluate

    return timed


def _timed_save(original: Method) -> Method:
    def save(self: Any, model: Any, trial: Any = None, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        runs = _runs(self)
        if runs is None:
            return original(self, model, trial, *args, **kwargs)
        runs.take_state()
        with runs.during(Phase.CHECKPOINT):
            result = original(self, model, trial, *args, **kwargs)
            runs.write_state(self.args, lambda: self._get_output_dir(trial=trial), self.state.global_step)
        return result

    return save


def _told_logging(original: Method) -> Method:
    def log_save_evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        runs = _runs(self)
        if runs is None:
            return original(self, *args, **kwargs)
        runs.may_log = True
        try:
            return original(self, *args, **kwargs)
        finally:
            runs.may_log = False

    return log_save_evaluate


def _counted_fetch(original: Method) -> Method:
    def fetch(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        runs = _runs(self)
        if runs is None:
            return original(self, *args, **kwargs)
        if runs.tells_parts:
            with runs.fetching():
                result = original(self, *args, **kwargs)
        else:
            result = original(self, *args, **kwargs)
        if isinstance(result, tuple) and isinstance(result[0], list):
            runs.fetched(result[0])
        return result

    return fetch


def _told_card(original: Method) -> Method:
    def create_model_card(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        result = original(self, *args, **kwargs)
        runs = _runs(self)
        if runs is not None:
            tell_card(Path(self.args.output_dir, CARD), self.model, told_runs(self.model) or (runs,))
        return result

    return create_model_card


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
    "_maybe_log_save_evaluate": _told_logging,
    "get_batch_samples": _counted_fetch,
    "create_model_card": _told_card,
}
_TIMED_IN_STEPS: Final[dict[str, Callable[[Method], Method]]] = {
    "training_step": _told_step,
    "compute_loss": _told_loss,
}
"""The methods that are timed within a step, as no event tells where the forward pass ends."""


def _reduce(self: Any, protocol: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a Trainer, and what pickle hands over
    """Pickle as the original class does; the copy is metered, too."""
    metered = type(self)
    original = metered._unmetered_class  # noqa: SLF001 - set above
    make, made_from, *rest = original.__reduce_ex__(self, protocol)
    return (
        _remake,
        (
            original,
            _tells_parts(metered),
            make,
            *(original if argument is metered else argument for argument in made_from),
        ),
        *rest,
    )


def _remake(original: type, finely: bool, make: Method, *made_from: object) -> object:  # noqa: FBT001 - pickled
    trainer = make(*made_from)
    trainer.__class__ = _metered(original, finely=finely)
    return trainer
