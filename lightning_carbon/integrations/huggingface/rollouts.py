"""Timing of TRL's Trainers that generate the text they learn from, and the inputs of their steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

from lightning_carbon.energy.phases import Part
from lightning_carbon.integrations.huggingface.runs import TrainerRuns, runs_of
from lightning_carbon.integrations.huggingface.trl import (
    GENERATE,
    GENERATED,
    ROLLOUT,
    SCORED,
    generates,
    has_completions,
)

Method = Callable[..., Any]


def timed_rollouts(trainer_class: type) -> dict[str, Method]:
    """The methods of a Trainer that generate or prepare completions, timed; none for other Trainers.

    Args:
        trainer_class: The class of the Trainer.
    """
    if not generates(trainer_class):
        return {}
    originals = {name: getattr(trainer_class, name, None) for name in _TIMED}
    return {name: wraps(method)(_TIMED[name](method)) for name, method in originals.items() if method is not None}


@contextmanager
def _rollout(runs: TrainerRuns, part: str) -> Iterator[None]:
    """Surround a call that generates or scores completions; within an evaluation it belongs to that."""
    if runs.is_evaluating:
        yield
        return
    with runs.during(ROLLOUT):
        runs.enter_part(part)
        try:
            yield
        finally:
            runs.enter_part(Part.OTHER)


def _timed_rollout(part: str) -> Callable[[Method], Method]:
    def timed(original: Method) -> Method:
        def generate(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
            runs = next(iter(runs_of(self.callback_handler)), None)
            if runs is None:
                return original(self, *args, **kwargs)
            with _rollout(runs, part):
                return original(self, *args, **kwargs)

        return generate

    return timed


def _told_inputs(original: Method) -> Method:
    def prepare_inputs(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        inputs = original(self, *args, **kwargs)
        runs = next(iter(runs_of(self.callback_handler)), None)
        if runs is not None and has_completions(inputs):
            runs.prepared(inputs)
        return inputs

    return prepare_inputs


_TIMED: Final[dict[str, Callable[[Method], Method]]] = {
    SCORED: _timed_rollout(Part.OTHER),
    **dict.fromkeys(GENERATED, _timed_rollout(GENERATE)),
    "_prepare_inputs": _told_inputs,
}
