"""A tiny language model, a Trainer that waits for its meter, and ways to read back what was logged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from lightning_carbon import CarbonTrainerCallback
from lightning_carbon.records.rows import METRICS
from lightning_carbon.sources.simulated import SimulatedCounter
from lightning_carbon.units import Energy

WATTS = 360.0
BATCH_SIZE = 2
TOKENS = 8
PATIENCE_SECONDS = 300.0
BUSY = 0.25
"""A busy machine may stop a thread between reading a sensor and stamping the reading, which matters in short runs; how
exact the meter is, `test_accuracy.py` says, on a clock that no machine holds up."""

TOTALS = ("train_energy_", "train_machine_", "train_carbon_")


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


class Sentences(list[dict[str, Tensor]]):
    """Samples of eight tokens.

    Args:
        samples: How many.
    """

    def __init__(self, samples: int) -> None:
        super().__init__({"input_ids": torch.arange(TOKENS), "labels": torch.arange(TOKENS)} for _ in range(samples))


class PatientTrainer(Trainer):
    """Calls a function in every training step and every evaluation step, such as one that waits for the meter."""

    on_step: Callable[[], object] = staticmethod(lambda: None)
    on_evaluated: Callable[[], object] = staticmethod(lambda: None)

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:  # noqa: ANN401 - as the Trainer has it
        """Wait, and train."""
        self.on_step()
        return super().training_step(*args, **kwargs)

    def prediction_step(self, *args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401 - likewise
        """Wait, and predict."""
        self.on_step()
        return super().prediction_step(*args, **kwargs)

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - likewise
        """Evaluate, and wait."""
        output = super().evaluation_loop(*args, **kwargs)
        self.on_evaluated()
        return output


class Listener(TrainerCallback):
    """Keeps what it is told, as the integrations of loggers do."""

    def __init__(self) -> None:
        self.logs: list[dict[str, Any]] = []

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: object,
    ) -> None:
        """Keep a copy."""
        self.logs.append({**(logs or {}), "step": state.global_step})


def make_callback(folder: Path, **arguments: Any) -> CarbonTrainerCallback:  # noqa: ANN401 - of several types
    """A callback with a ledger of its own and, if no other is given, one source of constant power."""
    arguments.setdefault("sources", [CountedReads()])
    return CarbonTrainerCallback(
        intensity=1000.0, pue=1.0, ledger=folder / "ledger", **{"interval_seconds": 0.01, **arguments}
    )


def make_trainer(
    folder: Path,
    callbacks: Sequence[TrainerCallback] = (),
    on_step: Callable[[], object] | None = None,
    samples: int = 8,
    **arguments: Any,  # noqa: ANN401 - of several types
) -> PatientTrainer:
    """A quiet Trainer on the processor: four steps an epoch, a log every two steps.

    Args:
        folder: What it may write to.
        callbacks: Its callbacks.
        on_step: Called in every training step and every evaluation step.
        samples: How many there are to train on; there are four to evaluate on.
        arguments: More or other ``TrainingArguments``.
    """
    torch.manual_seed(0)
    config = GPT2Config(
        n_layer=1, n_head=1, n_embd=8, vocab_size=16, n_positions=TOKENS, bos_token_id=0, eos_token_id=1, pad_token_id=2
    )
    settings = {
        "output_dir": str(folder / "out"),
        "per_device_train_batch_size": BATCH_SIZE,
        "per_device_eval_batch_size": BATCH_SIZE,
        "num_train_epochs": 1,
        "logging_steps": 2,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": True,
        "dataloader_pin_memory": False,
        "disable_tqdm": True,
        **arguments,
    }
    trainer = PatientTrainer(
        model=GPT2LMHeadModel(config),
        args=TrainingArguments(**settings),
        train_dataset=Sentences(samples),
        eval_dataset=Sentences(4),
        callbacks=list(callbacks),
    )
    if on_step is not None:
        trainer.on_step = on_step
    return trainer


def metered_trainer(
    folder: Path,
    **arguments: Any,  # noqa: ANN401 - of several types
) -> tuple[PatientTrainer, CarbonTrainerCallback]:
    """A Trainer whose every step waits until the one before is settled."""
    source = CountedReads()
    callback = make_callback(folder, sources=[source])
    return make_trainer(folder, [callback], source.wait, **arguments), callback


def carbon_names(log: dict[str, Any]) -> set[str]:
    """The names in a log that are ours."""
    rows = {metric.name for metric in METRICS}
    return {name for name in log if name in rows or name.startswith(TOTALS) or "_energy_" in name or "_carbon_" in name}


def values_of(logs: Sequence[dict[str, Any]], name: str) -> list[float]:
    """The values of a metric in the logs that have it."""
    return [log[name] for log in logs if name in log]


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values of every tag in TensorBoard's files in or below a folder."""
    [file] = folder.rglob("events.out.tfevents.*")
    events = EventAccumulator(str(file.parent), size_guidance={"scalars": 0}).Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def records_in(folder: Path) -> list[Path]:
    """The records in a ledger, oldest first."""
    return sorted((folder / "ledger").rglob("record.json"), key=lambda path: path.stat().st_mtime_ns)
