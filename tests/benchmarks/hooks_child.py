"""Takes the time of all that a callback does at a step, in the midst of a training: ``hooks_child FILE FRAMEWORK``.

At one of its steps the training stands still, and what the callback does at a step is done many times over. Runs in
trees of any age, so it takes public names alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, CALLS, COLD_CALLS, AT_STEP, STEPS = 30, 100, 60, 5, 12
WIDE = 700
BATCH, LENGTH, WORDS = 16, 32, 100


class Model(nn.Module):
    """Names words by themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Embedding(WORDS, 8), nn.Linear(8, WORDS))

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """The loss, as both trainers want it."""
        return {"loss": nn.functional.cross_entropy(self.layers(input_ids).flatten(0, 1), labels.flatten())}


def median_us(call: Callable[[], object]) -> float:
    """The median time of a call, in microseconds of processor time."""
    found = []
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        for _ in range(CALLS):
            call()
        found.append((time.thread_time_ns() - began) / CALLS / 1e3)
        time.sleep(0.005)  # for the meter's threads
    return median(found)


def cold_us(call: Callable[[], object], without: Callable[[], object] | None = None) -> float:
    """The same where each call follows computation, after which the processor's caches hold no line of it.

    Args:
        call: The call.
        without: What of it does not count; they take turns.
    """
    layer, spent = nn.Linear(WIDE, WIDE), dict[bool, list[float]]({True: [], False: []})
    for number in range(2 * COLD_CALLS):
        is_whole = bool(number % 2)
        layer(torch.ones(WIDE, WIDE)).sum().backward()
        began = time.thread_time_ns()
        if is_whole:
            call()
        elif without is not None:
            without()
        spent[is_whole].append((time.thread_time_ns() - began) / 1e3)
    return median(spent[True]) - median(spent[False])


def lightning(callback: Any, sentences: list[dict[str, torch.Tensor]]) -> dict[str, float]:  # noqa: ANN401 - ours
    """Train with ``pytorch_lightning``."""
    import pytorch_lightning as pl

    found: dict[str, float] = {}

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = Model()

        def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
            loss: torch.Tensor = self.model(**batch)["loss"]
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters())

    class Measure(pl.Callback):
        def on_train_batch_end(
            self, trainer: pl.Trainer, module: pl.LightningModule, outputs: object, batch: object, batch_idx: int
        ) -> None:
            if batch_idx != AT_STEP:
                return
            optimizer = trainer.optimizers[0]

            def step() -> None:
                callback.on_train_batch_start(trainer, module, batch, batch_idx)
                callback.on_before_backward(trainer, module, None)
                callback.on_after_backward(trainer, module)
                callback.on_before_optimizer_step(trainer, module, optimizer)
                callback.on_train_batch_end(trainer, module, outputs, batch, batch_idx)

            found["all hooks of a step in succession, Lightning, CPU µs"] = median_us(step)
            found["all hooks of a step between computation, Lightning, CPU µs"] = cold_us(step)

    trainer = pl.Trainer(
        accelerator="cpu",
        callbacks=[callback, Measure()],
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        log_every_n_steps=1_000_000,
        logger=False,
        max_steps=STEPS,
    )
    trainer.fit(Module(), DataLoader(sentences, batch_size=BATCH))  # type: ignore[arg-type]
    return found


def huggingface(callback: Any, sentences: list[dict[str, torch.Tensor]]) -> dict[str, float]:  # noqa: ANN401 - ours
    """Train with ``transformers``."""
    from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

    found: dict[str, float] = {}
    batch = {name: torch.stack([sentence[name] for sentence in sentences[:BATCH]]) for name in sentences[0]}

    class Measure(TrainerCallback):
        def on_step_end(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
        ) -> None:
            if state.global_step != AT_STEP:
                return
            plain: Any = type(trainer)._unmetered_class  # type: ignore[attr-defined]  # noqa: SLF001 - to subtract it

            def step(of: Any) -> None:  # noqa: ANN401 - a class of Trainer
                of.get_batch_samples(trainer, iter([batch]), 1, torch.device("cpu"))
                of._maybe_log_save_evaluate(trainer, *due)  # noqa: SLF001 - called by the loop

            def hooks() -> None:
                step(type(trainer))
                callback.on_pre_optimizer_step(args, state, control, **kwargs)
                callback.on_optimizer_step(args, state, control, **kwargs)
                callback.on_step_end(args, state, control, **kwargs)

            names = plain._maybe_log_save_evaluate.__code__  # noqa: SLF001 - its arguments differ by version
            due = [None] * (names.co_argcount - 1 - len(plain._maybe_log_save_evaluate.__defaults__ or ()))  # noqa: SLF001
            for name in ("should_log", "should_save", "should_evaluate"):
                setattr(control, name, False)

            def bare() -> None:
                step(plain)

            found["all hooks of a step in succession, Hugging Face, CPU µs"] = median_us(hooks) - median_us(bare)
            found["all hooks of a step between computation, Hugging Face, CPU µs"] = cold_us(hooks, bare)

    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            disable_tqdm=True,
            logging_steps=1_000_000,
            max_steps=STEPS,
            per_device_train_batch_size=BATCH,
            report_to=[],
            save_strategy="no",
            use_cpu=True,
        )
        trainer = Trainer(Model(), arguments, train_dataset=sentences, callbacks=[callback, Measure()])
        trainer.train()
    return found


def main() -> None:
    """Train once."""
    from lightning_carbon import CarbonCallback, CarbonTrainerCallback

    torch.set_num_threads(1)
    words = torch.randint(0, WORDS, (LENGTH,))
    sentences = [{"input_ids": words, "labels": words}] * (BATCH * STEPS)
    if sys.argv[2] == "lightning":
        found = lightning(CarbonCallback(devices="all"), sentences)
    else:
        found = huggingface(CarbonTrainerCallback(devices="all"), sentences)
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
