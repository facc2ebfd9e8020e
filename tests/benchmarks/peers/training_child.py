"""Trains a small model with one of the tools, stopping after every turn of steps until its parent says go on.

``training_child ANSWER FRAMEWORK TOOL TURNS``; speaks as :mod:`tests.benchmarks.training_child` does. Each peer is
called where its own documentation calls it: CodeCarbon and trackio around the training (in Hugging Face by the
callbacks that ``transformers`` has for them), CarbonTracker around epochs, Zeus around the training and around steps,
landauer-gap by its own callbacks.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from tests.benchmarks.peers.adapters import ADAPTERS
from tests.benchmarks.peers.face import Nothing, Task
from tests.benchmarks.training_child import BATCH, TRAININGS, Sentences, Stopwatch, ours

CALLBACKS = {
    ("huggingface", "codecarbon"): ("transformers.integrations", "CodeCarbonCallback"),
    ("huggingface", "trackio"): ("transformers.integrations", "TrackioCallback"),
    ("huggingface", "landauer"): ("joules.integrations.huggingface", "JoulesCallback"),
    ("lightning", "landauer"): ("joules.integrations.lightning", "JoulesCallback"),
}
"""What a tool, or a trainer for it, has ready to be put into the trainer."""
TURN_STEPS = 75
"""About a second, so that what a tool does once a second happens about as often as it would."""


def in_lightning(adapter: Nothing) -> object:
    """A Lightning callback that calls an adapter."""
    import pytorch_lightning as pl

    class Calls(pl.Callback):
        def on_train_start(self, *_: object) -> None:
            adapter.start()

        def on_train_batch_start(self, *_: object) -> None:
            adapter.begin()

        def on_train_batch_end(self, *_: object) -> None:
            adapter.end()

        def on_train_end(self, *_: object) -> None:
            adapter.stop()

    return Calls()


def in_huggingface(adapter: Nothing) -> object:
    """A Hugging Face callback that calls an adapter."""
    from transformers import TrainerCallback

    class Calls(TrainerCallback):
        def on_train_begin(self, *_: object, **__: object) -> None:
            adapter.start()

        def on_step_begin(self, *_: object, **__: object) -> None:
            adapter.begin()

        def on_step_end(self, *_: object, **__: object) -> None:
            adapter.end()

        def on_train_end(self, *_: object, **__: object) -> None:
            adapter.stop()

    return Calls()


def callback_of(framework: str, tool: str, folder: Path) -> object | None:
    """What is put into the trainer."""
    if tool == "none":
        return None
    if tool == "ours":
        return ours(framework)
    folder.mkdir()
    if (framework, tool) in CALLBACKS:
        os.environ |= {"CODECARBON_LOG_LEVEL": "error", "TRACKIO_DIR": str(folder)}
        module, name = CALLBACKS[framework, tool]
        made: object = getattr(import_module(module), name)()
        return made
    # CarbonTracker's unit is the epoch, of which this training has one; Zeus's example marks steps.
    adapter = ADAPTERS[tool](Task(folder, part="all", mark=tool == "zeus"))
    adapter.load()
    return in_lightning(adapter) if framework == "lightning" else in_huggingface(adapter)


def main() -> None:
    """Train once."""
    answer, framework, tool, turns = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    watch = Stopwatch(TURN_STEPS)
    sys.stdout = sys.stderr  # whatever else is printed must not be taken for the word
    with TemporaryDirectory() as name:
        folder = Path(name)
        callback = callback_of(framework, tool, folder / "tool")
        TRAININGS[framework](folder, Sentences(BATCH * TURN_STEPS * turns), watch, callback)
    answer.write_text(json.dumps({"blocks": watch.blocks}), encoding="utf-8")


if __name__ == "__main__":
    main()
