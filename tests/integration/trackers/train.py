"""Trains a few steps with a tracker's own library, offline, and prints what the tracker holds afterwards.

    python -m tests.integration.trackers.train TRACKER TRAINER FOLDER

In a process of its own: trackers change the program that they are loaded into, and go on until it ends.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "COMET_START_ONLINE": "0",
    "COMET_MODE": "create",
    "COMET_INTERNAL_SENTRY_DSN": "",
    "CLEARML_OFFLINE_MODE": "1",
    "HF_HUB_OFFLINE": "1",
}


def main() -> None:
    """Train, and tell."""
    tracker, trainer, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    os.chdir(folder)
    os.environ.update(
        ENVIRONMENT,
        WANDB_DIR=str(folder),
        WANDB_ARTIFACT_DIR=str(folder / "artifacts"),
        WANDB_DATA_DIR=str(folder / "artifacts"),
        COMET_OFFLINE_DIRECTORY=str(folder),
        TRACKIO_DIR=str(folder / "trackio"),
        CLEARML_CACHE_DIR=str(folder / "clearml"),
        MLFLOW_TRACKING_URI=f"sqlite:///{folder}/mlflow.db",
        MLFLOW_EXPERIMENT_NAME="energy",
    )
    if tracker == "comet":
        import comet_ml  # noqa: F401 - it wants to come before torch

    train = {"lightning": lightning, "huggingface": huggingface, "accelerate": accelerate}[trainer]
    held, record = train(tracker, folder)
    answer = {**dataclasses.asdict(held), "expected": record}
    sys.stdout.write(f"\nHELD {json.dumps(answer, default=str)}\n")
    sys.stdout.flush()


def settings(folder: Path) -> dict[str, Any]:
    """Settings with which every fact is known."""
    known = {"region": "Sweden", "pue": 1.2, "machine": "workstation", "market_intensity": 9.0, "wue": 1.8}
    return {**known, "project": "lisa", "ledger": folder / "ledger", "interval_seconds": 0.01}


def picture() -> Any:  # noqa: ANN401 - an Ending
    """What shows a figure, which a training of a few steps is too short for."""
    import numpy as np

    from lightning_carbon.integrations.trackers.ending import Ending

    return Ending({}, {}, {}, 1, None, (np.arange(60 * 80 * 3) % 251).astype(np.uint8).reshape(60, 80, 3))


def lightning(tracker: str, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Train with Lightning's logger for the tracker."""
    import pytorch_lightning as pl

    from lightning_carbon import CarbonCallback
    from lightning_carbon.integrations.trackers.ending import show_ending
    from lightning_carbon.integrations.trackers.lookup import LIGHTNING, targets_among
    from lightning_carbon.records.mapping import to_mapping
    from tests.integration.lightning.support import (
        PACKAGES,
        CountedReads,
        loader,
        loggers_of,
        make_module,
        make_trainer,
    )
    from tests.integration.trackers import readers

    class Shows(pl.Callback):
        """Shows a figure."""

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401 - Lightning's
            """While all loggers are open."""
            show_ending(targets_among(trainer.loggers, LIGHTNING), picture(), 60)

    loggers = loggers_of(PACKAGES[0])
    finish: Callable[[], Any]
    if tracker == "wandb":
        logger = loggers.WandbLogger(project="energy", save_dir=folder, offline=True)
        finish = lambda: readers.read_wandb(folder, logger.experiment)  # noqa: E731
    elif tracker == "mlflow":
        logger = loggers.MLFlowLogger(
            "energy", tracking_uri=os.environ["MLFLOW_TRACKING_URI"], artifact_location=f"file://{folder}/files"
        )
        finish = lambda: readers.read_mlflow(folder, logger.run_id)  # noqa: E731
    elif tracker == "comet":
        logger = loggers.CometLogger(project="energy")  # offline by the environment; online=False would keep nothing
        finish = lambda: (logger.experiment.end(), readers.read_comet(folder))[1]  # noqa: E731
    else:
        from aim.pytorch_lightning import AimLogger

        quiet = {"system_tracking_interval": None, "log_system_params": False, "capture_terminal_logs": False}
        logger = AimLogger(repo=str(folder), experiment="energy", **quiet)
        finish = lambda: readers.read_aim(folder, logger._run_hash)  # noqa: E731, SLF001
    source = CountedReads()
    callback = CarbonCallback(sources=[source], **settings(folder))
    trainer = make_trainer(PACKAGES[0], folder, [callback, Shows()], logger=logger)
    trainer.fit(make_module(PACKAGES[0], lambda _module: source.wait()), loader(8), loader(1))
    assert callback.record is not None
    return finish(), to_mapping(callback.record)


def huggingface(tracker: str, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Train with the callback of the tracker for Hugging Face's Trainer."""
    from transformers import TrainerCallback

    from lightning_carbon import CarbonTrainerCallback
    from lightning_carbon.integrations.trackers.ending import show_ending
    from lightning_carbon.integrations.trackers.lookup import HUGGING_FACE, targets_among
    from lightning_carbon.records.mapping import to_mapping
    from tests.integration.huggingface.support import CountedReads, make_trainer
    from tests.integration.trackers import readers

    found: dict[str, Any] = {}

    class Shows(TrainerCallback):
        """Shows a figure, and keeps what the end of the training takes away."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: object) -> None:  # noqa: ANN401
            """While all callbacks are open."""
            if state.global_step == 3:
                show_ending(targets_among(trainer.callback_handler.callbacks, HUGGING_FACE), picture(), 60)
                if tracker == "mlflow":
                    found["run"] = sys.modules["mlflow"].active_run().info.run_id

    source = CountedReads()
    callback = CarbonTrainerCallback(sources=[source], copy_record=True, **settings(folder))
    callbacks: list[Any] = [callback, Shows()]
    report_to = [{"comet": "comet_ml"}.get(tracker, tracker)]
    if tracker == "aim":
        from aim.hugging_face import AimCallback

        quiet = {"system_tracking_interval": None, "log_system_params": False, "capture_terminal_logs": False}
        callbacks.insert(0, AimCallback(repo=str(folder), experiment="energy", **quiet))
        report_to = []
    more: dict[str, Any] = {"project": "energy"} if tracker == "trackio" else {}
    trainer = make_trainer(folder, callbacks, source.wait, report_to=report_to, **more)
    trainer.train()
    if tracker == "wandb":
        held = readers.read_wandb(folder, sys.modules["wandb"].run)
    elif tracker == "comet":
        sys.modules["comet_ml"].end()
        held = readers.read_comet(folder)
    elif tracker == "mlflow":
        held = readers.read_mlflow(folder, found["run"])
    elif tracker == "aim":
        callbacks[0].close()
        held = readers.read_aim(folder, callbacks[0]._run_hash)  # noqa: SLF001 - there is no other way to it
    elif tracker == "trackio":
        held = readers.read_trackio(folder, "energy")
    else:
        held = readers.read_clearml(folder)
    assert callback.record is not None
    return held, to_mapping(callback.record)


def accelerate(tracker: str, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Train a loop with Accelerate's tracker for the tracker."""
    from accelerate import Accelerator
    from accelerate.tracking import GeneralTracker

    from lightning_carbon import CarbonTracker
    from lightning_carbon.integrations.trackers.ending import show_ending
    from lightning_carbon.integrations.trackers.lookup import ACCELERATE, targets_among
    from lightning_carbon.records.mapping import to_mapping
    from tests.integration.huggingface.support import CountedReads
    from tests.integration.trackers import readers

    found: list[Any] = []

    class Shows(GeneralTracker):  # type: ignore[misc]  # it has no types
        """Shows a figure, and reads what is gone once the training has ended."""

        name, requires_logging_directory, tracker = "shows", False, None

        def log(self, values: dict[str, Any], step: int | None = None, **kwargs: object) -> None:
            """While the tracker is open, and before the end."""
            if step == 3:
                show_ending(targets_among(accelerator.trackers, ACCELERATE), picture(), 60)

        def finish(self) -> None:
            """After ours, and before the tracker is closed."""
            if tracker == "wandb":
                found.append(readers.read_wandb(folder, accelerator.get_tracker("wandb", unwrap=True)))

    source = CountedReads()
    ours = CarbonTracker(sources=[source], **settings(folder))
    name = {"comet": "comet_ml"}.get(tracker, tracker)
    accelerator = Accelerator(cpu=True, log_with=[Shows(), name, ours], project_dir=folder)
    quiet = {"system_tracking_interval": None, "log_system_params": False, "capture_terminal_logs": False}
    accelerator.init_trackers("energy", {"width": 8}, {"aim": quiet})
    for step in range(4):
        source.wait()
        accelerator.log({"loss": 1.0}, step=step)
    accelerator.end_training()
    assert ours.record is not None
    return found[0] if found else held_after(folder, accelerator.get_tracker(name, unwrap=True)), to_mapping(
        ours.record
    )


def held_after(folder: Path, run: Any) -> Any:  # noqa: ANN401 - of any tracker
    """What a tracker of Accelerate holds once it is closed."""
    from tests.integration.trackers import readers

    made_by = type(run).__module__.partition(".")[0]
    if made_by == "mlflow":
        return readers.read_mlflow(folder, run.info.run_id)
    if made_by == "aim":
        return readers.read_aim(folder, run.hash)
    if made_by == "trackio":
        return readers.read_trackio(folder, "energy")
    return readers.read_comet(folder) if made_by == "comet_ml" else readers.read_clearml(folder)


if __name__ == "__main__":
    main()
