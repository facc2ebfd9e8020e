"""Tells the trackers that a Hugging Face Trainer logs to of a run: before its first row, and when it has ended."""

from __future__ import annotations

from typing import Any

from lightning_carbon.integrations.huggingface.trainers import writer_of
from lightning_carbon.integrations.shared.guard import told_of
from lightning_carbon.integrations.shared.trainer_settings import CopyRecord
from lightning_carbon.integrations.trackers.ending import ending_of, settings_of, show_ending
from lightning_carbon.integrations.trackers.finished import FinishedRun
from lightning_carbon.integrations.trackers.kinds import is_called
from lightning_carbon.integrations.trackers.lookup import HUGGING_FACE, targets_among, trackio_run
from lightning_carbon.integrations.trackers.tensorboard import show_finished_run
from lightning_carbon.integrations.trackers.trackio import configure
from lightning_carbon.integrations.trackers.wandb import define_metrics
from lightning_carbon.settings import MeterConfig


def tell_start(trainer: Any, config: MeterConfig) -> None:  # noqa: ANN401 - a Trainer of any version
    """Tell what has to be told before the first row.

    Args:
        trainer: The Trainer.
        config: What the run is metered with.
    """
    for callback in trainer.callback_handler.callbacks:
        with told_of(callback):
            run = getattr(getattr(callback, "_wandb", None), "run", None)
            if run is not None and is_called(callback, "WandbCallback"):
                define_metrics(run, "train/", "train/global_step")
            elif is_called(callback, "TrackioCallback") and (run := trackio_run(callback)) is not None:
                configure(run, settings_of(config))


def tell_end(trainer: Any, ended: FinishedRun, config: MeterConfig, *, copies: CopyRecord) -> None:  # noqa: ANN401
    """Show a run that has ended in what the Trainer's callbacks write for.

    Args:
        trainer: The Trainer.
        ended: The run.
        config: What it was metered with.
        copies: Whether trackers get a copy of the record, and whether it names machines and devices.
    """
    callbacks = trainer.callback_handler.callbacks
    for callback in callbacks:
        if is_called(callback, "TensorBoardCallback"):
            with writer_of(callback, trainer.args) as writer:
                if writer is not None:
                    show_finished_run(writer, ended)
    if targets := targets_among(callbacks, HUGGING_FACE):
        show_ending(targets, ending_of(ended, config, copies=copies))
