"""Trains a configuration, with or without the callback, and stops after every few steps until its parent says go on.

Speaks through its standard output and input: ``done`` for every turn, ``go`` or ``end`` in return.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[3] / "examples"
ENDLESS = 10**9


class Turns:
    """Counts steps, takes the time of every turn, and asks whether there is another.

    Args:
        steps: How many steps a turn has.
    """

    def __init__(self, steps: int) -> None:
        self._talk = sys.stdout
        self._steps_per_turn = steps
        self._steps = 0
        self._began = time.perf_counter()
        self.seconds: list[float] = []

    def step_ended(self) -> bool:
        """Count a step; after the last one of a turn, wait for the word.

        Returns:
            Whether the training is to end.
        """
        self._steps += 1
        if self._steps % self._steps_per_turn:
            return False
        _wait_for_the_device()
        self.seconds.append(time.perf_counter() - self._began)
        print("done", file=self._talk, flush=True)
        word = sys.stdin.readline().strip()
        self._began = time.perf_counter()
        return word != "go"


def _wait_for_the_device() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def lightning_callbacks(turns: Turns, *, metered: bool) -> list[Any]:
    """The callbacks of Lightning's trainer, ours among them or not."""
    import pytorch_lightning as pl

    from lightning_carbon import CarbonCallback

    class Watching(pl.Callback):
        def __init__(self) -> None:
            self._seen = 0

        def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
            # Of batches whose gradients are accumulated, the last one ends the step.
            if trainer.global_step > self._seen:
                self._seen = trainer.global_step
                trainer.should_stop = turns.step_ended()

    ours = [CarbonCallback(progress_bar=False)] if metered else []
    return [*ours, Watching()]


def huggingface_callbacks(turns: Turns, *, metered: bool) -> list[Any]:
    """The callbacks of Hugging Face's Trainer, ours among them or not."""
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

    from lightning_carbon import CarbonTrainerCallback

    class Watching(TrainerCallback):
        def on_step_end(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
        ) -> TrainerControl:
            control.should_training_stop = turns.step_ended()
            return control

    return [*([CarbonTrainerCallback()] if metered else []), Watching()]


def settings(kind: str, steps: int) -> dict[str, object]:
    """What is different from the configuration: no end, nothing in between, a row in every turn."""
    if kind == "lightning":
        return {
            "trainer.max_steps": ENDLESS,
            "trainer.max_epochs": -1,
            "trainer.max_time": None,
            "trainer.check_val_every_n_epoch": 1,
            "trainer.val_check_interval": None,
            "trainer.limit_val_batches": 0,
            "trainer.num_sanity_val_steps": 0,
            "trainer.log_every_n_steps": steps,
            "trainer.enable_checkpointing": False,
            "trainer.enable_model_summary": False,
            "trainer.enable_progress_bar": False,
        }
    return {
        "training.output_dir": "trained",
        "training.report_to": "none",
        "training.max_steps": ENDLESS,
        "training.logging_steps": steps,
        "training.eval_strategy": "no",
        "training.save_strategy": "no",
        "training.disable_tqdm": True,
    }


def main() -> None:
    """Train once."""
    answer, config, changes, arm, steps = sys.argv[1:6]
    sys.path.insert(0, str(EXAMPLES))
    building = import_module("building")
    turns = Turns(int(steps))
    sys.stdout = sys.stderr  # whatever else is printed must not be taken for the word
    example = Path(building.read_config(config)["study"]["command"][0]).stem
    kind = "lightning" if example in building.LIGHTNING else "huggingface"
    make = lightning_callbacks if kind == "lightning" else huggingface_callbacks
    callbacks = make(turns, metered=arm == "metered")
    training = building.training_of(config, {**settings(kind, int(steps)), **json.loads(changes)}, callbacks)
    training.fit()
    record = getattr(callbacks[0], "record", None)
    found = {
        "turns": turns.seconds,
        "steps": None if record is None else record.steps,
        "parameters": sum(weights.numel() for weights in training.model.parameters()),
    }
    Path(answer).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
