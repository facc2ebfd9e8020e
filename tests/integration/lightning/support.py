"""Tiny modules, sources with a known truth, and ways to read back what was logged."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from lightning_carbon import CarbonCallback
from lightning_carbon.sources.simulated import SimulatedCounter
from lightning_carbon.units import Energy

Module = Any
"""A module of either package."""
Trainer = Any
"""A trainer of either package."""

PACKAGES = ("pytorch_lightning", "lightning.pytorch")
WATTS = 360.0
BATCH_SIZE = 4
PATIENCE_SECONDS = 300.0
BUSY = 0.25
"""A busy machine may stop a thread between reading a sensor and stamping the reading, which matters in short runs; how
exact the meter is, `test_accuracy.py` says, on a clock that no machine holds up."""


class CountedReads(SimulatedCounter):
    """A GPU of constant power that knows how often it was read, so that a training can wait for its meter."""

    def __init__(self, watts: float = WATTS) -> None:
        super().__init__(watts=watts)
        self.reads = 0

    def read_energy(self) -> Energy:
        """Count, and read."""
        energy = super().read_energy()
        self.reads += 1
        return energy

    def wait(self, reads: int = 2) -> None:
        """Wait until it was read that often from now on; two make sure that one began after now."""
        aim = self.reads + reads
        give_up = time.monotonic() + PATIENCE_SECONDS
        while self.reads < aim:
            assert time.monotonic() < give_up, "nobody reads the source"
            time.sleep(0.001)


class Numbers(Dataset[Tensor]):
    """Vectors of four ones.

    Args:
        batches: How many batches there are.
        seconds: How long each sample takes to load.
    """

    def __init__(self, batches: int, seconds: float = 0.0) -> None:
        self._samples = batches * BATCH_SIZE
        self._seconds = seconds

    def __len__(self) -> int:
        """Samples."""
        return self._samples

    def __getitem__(self, index: int) -> Tensor:
        """One sample."""
        if self._seconds:
            time.sleep(self._seconds)
        return torch.ones(4)


def loader(batches: int, seconds: float = 0.0) -> DataLoader[Tensor]:
    """Batches of vectors."""
    return DataLoader(Numbers(batches, seconds), batch_size=BATCH_SIZE)


def make_module(package: str, on_step: Callable[[Any], object] = lambda _module: None, optimizers: int = 1) -> Module:
    """A module of one layer.

    Args:
        package: Whose LightningModule it is.
        on_step: Called with the module in every training step.
        optimizers: With more than one, the module optimizes by hand, each optimizer in every batch.
    """
    base: Any = import_module(package).LightningModule

    class Tiny(base):  # type: ignore[misc]
        """One layer."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 1)
            self.automatic_optimization = optimizers == 1

        def training_step(self, batch: Tensor, _: int) -> Tensor:
            """Log a loss, as everybody does."""
            on_step(self)
            loss: Tensor = self.layer(batch).mean()
            self.log("train/loss", loss, prog_bar=True)
            if optimizers > 1:
                for optimizer in self.optimizers():
                    optimizer.zero_grad()
                    optimizer.step()
            return loss

        def validation_step(self, batch: Tensor, _: int) -> None:
            """Log a loss."""
            self.log("val/loss", self.layer(batch).mean())

        def test_step(self, batch: Tensor, batch_idx: int) -> None:
            """Log a loss."""
            self.log("test/loss", self.layer(batch).mean())

        def predict_step(self, batch: Tensor, _: int) -> Tensor:
            """Predict."""
            predicted: Tensor = self.layer(batch)
            return predicted

        def configure_optimizers(self) -> object:
            """Plain descent."""
            made = [torch.optim.SGD(self.parameters(), lr=0.01) for _ in range(optimizers)]
            return made if optimizers > 1 else made[0]

    return Tiny()


def make_callback(folder: Path, **arguments: Any) -> CarbonCallback:  # noqa: ANN401 - ours
    """A callback with a ledger of its own and, if no other is given, one source of constant power."""
    arguments.setdefault("sources", [CountedReads()])
    return CarbonCallback(
        intensity=1000.0, pue=1.0, ledger=folder / "ledger", **{"interval_seconds": 0.01, **arguments}
    )


def make_trainer(
    package: str,
    folder: Path,
    callbacks: object,
    **arguments: Any,  # noqa: ANN401 - Lightning's
) -> Trainer:
    """A quiet trainer on the processor, without checkpoints, summary and progress bar unless asked for."""
    quiet = {
        "accelerator": "cpu",
        "devices": 1,
        "default_root_dir": folder,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "enable_progress_bar": False,
        "log_every_n_steps": 2,
        "logger": False,
        "max_epochs": 1,
    }
    pl = import_module(package)
    return pl.Trainer(callbacks=callbacks, **{**quiet, **arguments})


def saving_of(package: str, folder: Path) -> object:
    """What saves a checkpoint after every second step, and keeps them all."""
    return import_module(f"{package}.callbacks").ModelCheckpoint(folder, every_n_train_steps=2, save_top_k=-1)


def loggers_of(package: str) -> ModuleType:
    """The loggers of a package."""
    return import_module(f"{package}.loggers")


def scalars(folder: Path | str, tag: str) -> list[tuple[int, float]]:
    """Steps and values of a tag in TensorBoard's files."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    if tag not in events.Tags()["scalars"]:
        return []
    return [(event.step, event.value) for event in events.Scalars(tag)]


def tags(folder: Path | str) -> set[str]:
    """The tags in TensorBoard's files."""
    return set(EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload().Tags()["scalars"])


def csv_column(folder: Path | str, name: str) -> list[tuple[int, float]]:
    """Steps and values of a column in a CSVLogger's file, where there is a value."""
    with (Path(folder) / "metrics.csv").open() as lines:
        return [(int(line["step"]), float(line[name])) for line in csv.DictReader(lines) if line.get(name)]


def records_in(folder: Path) -> list[Path]:
    """The records in a ledger, oldest first."""
    return sorted((folder / "ledger").rglob("record.json"), key=lambda path: path.stat().st_mtime_ns)
