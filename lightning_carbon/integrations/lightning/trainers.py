"""Facts about a trainer of Lightning: its devices, its steps, what is due, and where its logs lie.

Some of them are private to Lightning, with a public fallback. The names are the same from 2.2 on.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

Trainer = Any
"""A trainer of either package."""
LightningModule = Any
"""A module of either package."""


def name_of(value: object) -> str:
    """The name of a trainer's function or stage, which may be a member of its package's enumeration, or text."""
    return str(getattr(value, "value", value))


def devices(trainer: Trainer) -> list[Any]:
    """The torch devices that this process computes on, its own first."""
    strategy = trainer.strategy
    found = [strategy.root_device]
    if trainer.world_size == 1:
        found += getattr(strategy, "parallel_devices", None) or []
    return found


def batches_that_stepped(trainer: Trainer) -> int:
    """The x-axis of everything that Lightning logs; counts batches, where ``global_step`` counts optimizers' steps."""
    stepped = getattr(trainer.fit_loop.epoch_loop, "_batches_that_stepped", None)
    return int(trainer.global_step if stepped is None else stepped)


def steps_per_epoch(trainer: Trainer) -> float:
    """Steps of the optimizer in an epoch; the last batch makes a step with whatever has accumulated by then."""
    batches: float = trainer.num_training_batches  # infinite where the data have no length
    return -float(-batches // max(1, trainer.accumulate_grad_batches))


def accumulates(trainer: Trainer) -> bool:
    """Whether further batches will join the present batch in its step."""
    if trainer.accumulate_grad_batches == 1:  # the trainer takes longer to say so, at every step
        return False
    should_accumulate = getattr(trainer.fit_loop, "_should_accumulate", None)
    if should_accumulate is not None:
        return bool(should_accumulate())
    return bool((trainer.fit_loop.batch_idx + 1) % trainer.accumulate_grad_batches and not trainer.is_last_batch)


def logs_now(trainer: Trainer) -> bool:
    """Whether the trainer logs its own metrics of this step."""
    every = trainer.log_every_n_steps
    is_row = bool(every and (batches_that_stepped(trainer) + 1) % every == 0)
    if not is_row and not (every and trainer.should_stop):  # the trainer takes longer to say so, at every step
        return False
    due = getattr(getattr(trainer, "_logger_connector", None), "should_update_logs", None)
    return is_row if due is None else bool(due)


def live_metrics(trainer: Trainer, name: str) -> dict[str, Any]:
    """The trainer's own dictionary of metrics.

    Not by the property of that name where possible, as it gathers what the module logged and waits for the GPU for the
    progress bar.

    Args:
        trainer: The trainer.
        name: ``"callback_metrics"`` or ``"progress_bar_metrics"``.
    """
    live: dict[str, Any] | None = getattr(getattr(trainer, "_logger_connector", None), f"_{name}", None)
    return getattr(trainer, name) if live is None else live


def monitors(trainer: Trainer, names: Collection[str]) -> bool:
    """Whether a callback or a learning-rate schedule monitors any of some metrics."""
    schedules = getattr(trainer, "lr_scheduler_configs", None) or ()
    return any(getattr(watcher, "monitor", None) in names for watcher in (*trainer.callbacks, *schedules))


def budget_checkpoint(trainer: Trainer) -> str:
    """The path of the checkpoint of a training that has used up its budget: beside its other checkpoints."""
    saving = getattr(trainer, "checkpoint_callback", None)
    folder = getattr(saving, "dirpath", None) or trainer.default_root_dir
    return os.path.join(os.fspath(folder), "budget-reached.ckpt")  # noqa: PTH118 - it may be a URL


def log_folders(trainer: Trainer) -> list[str]:
    """The folders on this machine that loggers write this run to.

    ``Trainer.log_dir`` would wait for the other ranks.
    """
    found = (getattr(logger, "log_dir", None) for logger in trainer.loggers)
    folders = [os.fspath(folder) for folder in found if isinstance(folder, str | os.PathLike)]
    return [folder for folder in dict.fromkeys(folders) if folder and "://" not in folder]
