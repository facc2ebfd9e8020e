"""Trains a small model, with or without the callback, and stops after every few steps until its parent says go on.

Speaks through its standard output and input: a line for every block of steps that is done, a line to go on.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_STEPS = 25
"""As many as from one row to the next, so that every block has a row."""
BATCH, LENGTH, WORDS, WIDTH, LAYERS = 16, 32, 1_000, 64, 2


class Sentences(Dataset[dict[str, torch.Tensor]]):
    """Random sentences to be repeated word by word.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        """As many as a training takes."""
        return self._count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """The same one every time."""
        words = torch.randint(0, WORDS, (LENGTH,), generator=torch.Generator().manual_seed(index))
        return {"input_ids": words, "labels": words}


class Model(nn.Module):
    """A small Transformer encoder that names words."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, batch_first=True)
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, WORDS)

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """The loss, as both trainers want it."""
        logits = self.head(self.encoder(self.embedding(input_ids)))
        return {"loss": nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())}


class Stopwatch:
    """Takes the time of every block of steps, and within it that of the hooks of whatever callback is watched.

    Args:
        block_steps: How many steps a block has.
    """

    def __init__(self, block_steps: int = BLOCK_STEPS) -> None:
        self._talk = sys.stdout
        self.block_steps = block_steps
        self._steps = 0
        self._hook = 0.0
        self._began = (time.perf_counter(), time.process_time())
        self._hooks = 0.0
        self.blocks: list[tuple[float, float, float]] = []

    def hook_begins(self) -> None:
        """Of the callbacks, the one that is watched has its turn next."""
        self._hook = time.perf_counter()

    def hook_ended(self) -> None:
        """The one that is watched has had its turn."""
        self._hooks += time.perf_counter() - self._hook

    def step_ended(self) -> None:
        """Count; after the last step of a block wait for the word."""
        self._steps += 1
        if self._steps % self.block_steps:
            return
        now = (time.perf_counter(), time.process_time())
        self.blocks.append((now[0] - self._began[0], now[1] - self._began[1], self._hooks))
        print("done", file=self._talk, flush=True)
        sys.stdin.readline()
        self._began = (time.perf_counter(), time.process_time())
        self._hooks = 0.0


def train_lightning(folder: Path, data: Sentences, watch: Stopwatch, callback: object | None) -> None:
    """Train with ``pytorch_lightning``."""
    import pytorch_lightning as pl
    from pytorch_lightning.loggers import CSVLogger

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = Model()

        def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
            loss: torch.Tensor = self.model(**batch)["loss"]
            self.log("loss", loss)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters())

    class Before(pl.Callback):
        def on_train_batch_start(self, *_: object) -> None:
            watch.hook_begins()

        def on_train_batch_end(self, *_: object) -> None:
            watch.hook_begins()

    class After(pl.Callback):
        def on_train_batch_start(self, *_: object) -> None:
            watch.hook_ended()

        def on_train_batch_end(self, *_: object) -> None:
            watch.hook_ended()
            watch.step_ended()

    watched = [] if callback is None else [cast("pl.Callback", callback)]
    callbacks = [Before(), *watched, After()]
    trainer = pl.Trainer(
        accelerator="cpu",
        callbacks=callbacks,
        default_root_dir=folder,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        log_every_n_steps=watch.block_steps,
        logger=CSVLogger(folder),
        max_epochs=1,
    )
    trainer.fit(Module(), DataLoader(data, batch_size=BATCH))


def train_huggingface(folder: Path, data: Sentences, watch: Stopwatch, callback: object | None) -> None:
    """Train with ``transformers``."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    class Watching(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            watch.step_ended()

    watched = [] if callback is None else [cast("TrainerCallback", callback)]
    callbacks = [*watched, Watching()]
    arguments = TrainingArguments(
        output_dir=str(folder),
        disable_tqdm=True,
        logging_steps=watch.block_steps,
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
    )
    Trainer(Model(), arguments, train_dataset=data, callbacks=callbacks).train()


TRAININGS: dict[str, Callable[..., None]] = {"lightning": train_lightning, "huggingface": train_huggingface}


def ours(framework: str) -> object:
    """Our callback for a framework."""
    from lightning_carbon import CarbonCallback, CarbonTrainerCallback

    return {"lightning": CarbonCallback, "huggingface": CarbonTrainerCallback}[framework](devices="all")


def main() -> None:
    """Train once."""
    framework, metered, blocks = sys.argv[2], sys.argv[3] == "metered", int(sys.argv[4])
    block_steps = int(sys.argv[5]) if len(sys.argv) > 5 else BLOCK_STEPS
    # With more, they would wait for each other whenever another process has a core, and that would be all one sees.
    torch.set_num_threads(1)
    torch.manual_seed(0)
    watch = Stopwatch(block_steps)
    sys.stdout = sys.stderr  # whatever else is printed must not be taken for the word
    with TemporaryDirectory() as name:
        folder = Path(name)
        data = Sentences(BATCH * block_steps * blocks)
        TRAININGS[framework](folder, data, watch, ours(framework) if metered else None)
        records = [
            json.loads(path.read_text(encoding="utf-8")) for path in folder.rglob("lightning_carbon_record.json")
        ]
    found = {"blocks": watch.blocks, "steps": [record["steps"] for record in records]}
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
