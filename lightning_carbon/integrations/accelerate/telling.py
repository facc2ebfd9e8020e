"""Tells the trackers of an Accelerator of a run: before its first row, and when it has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lightning_carbon.integrations.shared.guard import guarded, told_of
from lightning_carbon.integrations.shared.trainer_settings import CopyRecord, check_copy_record
from lightning_carbon.integrations.trackers.ending import ending_of, settings_of, show_ending
from lightning_carbon.integrations.trackers.finished import FinishedRun
from lightning_carbon.integrations.trackers.kinds import is_called
from lightning_carbon.integrations.trackers.lookup import ACCELERATE, targets_among
from lightning_carbon.integrations.trackers.tensorboard import show_finished_run
from lightning_carbon.integrations.trackers.trackio import configure
from lightning_carbon.integrations.trackers.wandb import define_metrics
from lightning_carbon.meter import Meter
from lightning_carbon.settings import MeterConfig


def tell_trackers(accelerator: Any, meter: Meter, *, copy_record: CopyRecord = True) -> None:  # noqa: ANN401 - see below
    """Tell the trackers of an Accelerator of a run that a ``Meter`` has metered, before ``end_training()``.

    They get the totals with their ranges, what those rest on, the settings, the record and the figure of the power, by
    calls of their own. May be called in every process of a run; the main process alone tells.

    Args:
        accelerator: An ``Accelerator`` of any version, whose trackers have been started.
        meter: The meter. A run that still goes on is told as far as it is settled.
        copy_record: Whether trackers get a copy of the record; with ``"whole"``, a copy that names machines.

    Raises:
        ConfigError: ``copy_record`` is none of these.
        UsageError: The meter was never started.
    """
    copies = check_copy_record(copy_record) or False
    record = meter.record
    if accelerator.is_main_process:
        ended = FinishedRun(record, meter.power_profile, record.steps)
        tell_end(accelerator.trackers, ended, meter._config, copies=copies)  # noqa: SLF001 - ours


def tell_start(trackers: Sequence[object], config: MeterConfig) -> None:
    """Tell what has to be told before the first row.

    Args:
        trackers: Those of an Accelerator, started.
        config: What the run is metered with.
    """
    for tracker in trackers:
        run = getattr(tracker, "run", None)
        with told_of(tracker):
            if run is not None and is_called(tracker, "WandBTracker"):
                define_metrics(run, "", None)
            elif run is not None and is_called(tracker, "TrackioTracker"):
                configure(run, settings_of(config))


@guarded()
def tell_end(trackers: Sequence[object], ended: FinishedRun, config: MeterConfig, *, copies: CopyRecord) -> None:
    """Show a run that has ended. Never raises.

    Args:
        trackers: Those of an Accelerator, started.
        ended: The run.
        config: What it was metered with.
        copies: Whether trackers get a copy of the record, and whether it names machines and devices.
    """
    for tracker in trackers:
        writer = getattr(tracker, "writer", None)
        if writer is not None and is_called(tracker, "TensorBoardTracker"):
            show_finished_run(writer, ended)
    if targets := targets_among(trackers, ACCELERATE):
        show_ending(targets, ending_of(ended, config, copies=copies))
