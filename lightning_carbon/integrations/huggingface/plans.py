"""The plan of a training by a Trainer of Hugging Face, as far as its arguments tell."""

from __future__ import annotations

import math
from collections.abc import Sized
from typing import Any

from lightning_carbon.metering.outlook import Planned
from lightning_carbon.settings.checks import OnBudget


def tell_plan(meter: Planned, args: Any, state: Any, *, done: int, data: object = None) -> None:  # noqa: ANN401
    """Give a meter the plan of a training from its beginning on, as far as its length is known.

    Args:
        meter: The meter of the training.
        args: The Trainer's arguments.
        state: The Trainer's state.
        done: The step that the training continued from.
        data: The evaluation data: a set or, by name, several.
    """
    if state.max_steps <= done:
        meter.tell_plan(None)
        return
    sets = list(data.values()) if isinstance(data, dict) else [data]
    count = sum(len(examples) for examples in sets if isinstance(examples, Sized))
    meter.tell_plan(
        state.max_steps - done,
        validations=_times(args.eval_strategy, state.eval_steps, state, done=done) * len(sets),
        validation_batches=math.ceil(count / max(1, args.eval_batch_size * args.world_size)) / len(sets),
        checkpoints=_times(args.save_strategy, state.save_steps, state, done=done),
    )


def stop(control: Any, meter: Planned, on_budget: OnBudget) -> None:  # noqa: ANN401 - TrainerControl
    """Ask the Trainer to stop after this step, since the budget is used up; several processes come here at the same.

    Args:
        control: What the Trainer looks at after the step.
        meter: The meter of the training.
        on_budget: The consequence that the user wants.
    """
    if on_budget != "warn":
        control.should_training_stop = True
        meter.tell_stop()
    if on_budget == "checkpoint_and_stop":
        control.should_save = True


def _times(strategy: Any, every: float, state: Any, *, done: int) -> float:  # noqa: ANN401 - an IntervalStrategy
    """How many times an event at a cadence of steps or epochs is still to come."""
    kind = str(getattr(strategy, "value", strategy))
    if kind == "steps" and every:
        return float(state.max_steps // every - done // every)
    return math.ceil(state.num_train_epochs * (1 - done / state.max_steps)) if kind == "epoch" else 0.0
