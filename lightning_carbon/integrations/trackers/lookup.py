"""Finds what to tell a tracker with, behind the logger, the callback or the tracker that a trainer holds.

By the names of classes and by what their authors keep in them: nothing is imported, and what was never started is left
alone. To be asked on the thread of the program, since some trackers tell each thread another run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from lightning_carbon.integrations.shared.guard import told_of
from lightning_carbon.integrations.trackers import aim, clearml, comet, mlflow, trackio, wandb
from lightning_carbon.integrations.trackers.ending import Show, Target
from lightning_carbon.integrations.trackers.kinds import is_called

Find = Callable[[Any], Show | None]


def _held(attribute: str, show: Callable[..., None]) -> Find:
    """Where a holder keeps a run under a name; ``None`` where it has none (yet)."""

    def find(holder: Any) -> Show | None:  # noqa: ANN401 - of any package
        run = getattr(holder, attribute, None)
        return None if run is None else partial(show, run)

    return find


def _mlflow_logger(logger: Any) -> Show | None:  # noqa: ANN401 - see above
    run_id = getattr(logger, "_run_id", None)
    return None if run_id is None else partial(mlflow.show, logger.experiment, run_id)


def _mlflow_callback(callback: Any) -> Show | None:  # noqa: ANN401 - see above
    module = callback._ml_flow  # noqa: SLF001 - there is no other way to it
    run = module.active_run()
    return None if run is None else partial(mlflow.show, module.MlflowClient(), run.info.run_id)


def _wandb_callback(callback: Any) -> Show | None:  # noqa: ANN401 - see above
    run = getattr(getattr(callback, "_wandb", None), "run", None)
    return None if run is None else partial(wandb.show, run)


def trackio_run(callback: Any) -> Any | None:  # noqa: ANN401 - see above
    """The run that the callback of a Hugging Face Trainer logs to in trackio; ``None`` where there is none."""
    is_started = getattr(callback, "_initialized", False)
    held = getattr(sys.modules.get("trackio.context_vars"), "current_run", None) if is_started else None
    return None if held is None else held.get()


def _trackio_callback(callback: Any) -> Show | None:  # noqa: ANN401 - see above
    run = trackio_run(callback)
    return None if run is None else partial(trackio.show, run)


def _mlflow_tracker(tracker: Any) -> Show | None:  # noqa: ANN401 - see above
    run = getattr(tracker, "active_run", None)
    return None if run is None else partial(mlflow.show, sys.modules["mlflow"].MlflowClient(), run.info.run_id)


LIGHTNING: Final[dict[str, Find]] = {
    "WandbLogger": _held("_experiment", wandb.show),
    "MLFlowLogger": _mlflow_logger,
    "CometLogger": _held("_experiment", comet.show),
    "AimLogger": _held("_run", aim.show),
}
"""The loggers of Lightning's trainers, and those that trackers have for them."""

HUGGING_FACE: Final[dict[str, Find]] = {
    "WandbCallback": _wandb_callback,
    "MLflowCallback": _mlflow_callback,
    "CometCallback": _held("_experiment", comet.show),
    "TrackioCallback": _trackio_callback,
    "ClearMLCallback": _held("_clearml_task", clearml.show),
    "AimCallback": _held("_run", aim.show),
}
"""What ``report_to`` stands for, and the callbacks that trackers have for Hugging Face's Trainer."""

ACCELERATE: Final[dict[str, Find]] = {
    "WandBTracker": _held("run", wandb.show),
    "MLflowTracker": _mlflow_tracker,
    "CometMLTracker": _held("writer", comet.show),
    "TrackioTracker": _held("run", trackio.show),
    "ClearMLTracker": _held("task", clearml.show),
    "AimTracker": _held("writer", aim.show),
}
"""What ``log_with`` stands for in Accelerate, whose trackers keep nothing in processes that do not log."""


def targets_among(holders: Iterable[object], known: dict[str, Find]) -> list[Target]:
    """The trackers behind some loggers or callbacks.

    Args:
        holders: The loggers or callbacks of a trainer.
        known: What to look for.
    """
    found = []
    for holder in holders:
        for name, find in known.items():
            if is_called(holder, name):
                with told_of(holder):
                    show = find(holder)
                    if show is not None:
                        found.append(Target(holder, show))
                break
    return found
