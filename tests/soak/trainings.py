"""The trainings that are killed: real trainers, on sources whose energy is known at every moment.

A training runs in a process of its own that is forked from one where everything is imported already: an import of a
framework takes longer than what is to be tested. Two ranks are started by torchrun's own agent, as forks likewise.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

import torch
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from lightning_carbon.sources.simulated import Saw, SimulatedGPU, Sine
from tests.integration.huggingface import support as huggingface
from tests.integration.lightning import support as lightning

Framework = Literal["lightning", "huggingface"]

STEP_SECONDS = 0.01
_SAVE_EVERY = 40
_FOREVER = 1_000_000


@dataclass(frozen=True, slots=True)
class Training:
    """A training that goes on until somebody ends it.

    Args:
        framework: Whose trainer it is.
        gpus: What each of its ranks meters.
        folder: For all its files.
    """

    framework: Framework
    gpus: tuple[SimulatedGPU, ...]
    folder: Path

    @property
    def ledger(self) -> Path:
        """The folder of its runs."""
        return self.folder / "ledger"

    def run(self) -> None:
        """Train, and never return of its own; for a process that was forked for this."""
        os.setpgrp()
        log = os.open(self.folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        torch.set_num_threads(1)
        if len(self.gpus) == 1:
            self._train()
            return
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=len(self.gpus),
            run_id=uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint="127.0.0.1:0",
            local_addr="127.0.0.1",
            max_restarts=0,
            start_method="fork",
            shutdown_timeout=5,
        )
        elastic_launch(config, self._train)()

    def _train(self) -> None:
        # A process that torchrun starts is a new one, without the handlers of torchrun's agent.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        rank = int(os.environ.get("RANK", "0"))
        train = self._with_lightning if self.framework == "lightning" else self._with_huggingface
        train(self.gpus[rank])

    def _with_lightning(self, gpu: SimulatedGPU) -> None:
        from pytorch_lightning.callbacks import ModelCheckpoint

        callback = lightning.make_callback(self.folder, sources=[gpu], interval_seconds=0.1)
        trainer = lightning.make_trainer(
            "pytorch_lightning",
            self.folder,
            [callback, ModelCheckpoint(self.folder / "kept", every_n_train_steps=_SAVE_EVERY)],
            enable_checkpointing=True,
            max_epochs=-1,
            strategy="ddp" if len(self.gpus) > 1 else "auto",
            devices=len(self.gpus),
        )
        module = lightning.make_module("pytorch_lightning", lambda _module: time.sleep(STEP_SECONDS))
        trainer.fit(module, lightning.loader(100), lightning.loader(4))

    def _with_huggingface(self, gpu: SimulatedGPU) -> None:
        huggingface.make_trainer(
            self.folder,
            [huggingface.make_callback(self.folder, sources=[gpu], interval_seconds=0.1)],
            lambda: time.sleep(STEP_SECONDS),
            samples=200,
            max_steps=_FOREVER,
            eval_strategy="steps",
            eval_steps=_SAVE_EVERY,
            save_strategy="steps",
            save_steps=_SAVE_EVERY,
            save_total_limit=1,
            **({"ddp_backend": "gloo"} if len(self.gpus) > 1 else {}),
        ).train()


def training(framework: Framework, ranks: int, folder: Path) -> Training:
    """A training whose GPUs swing, each in a way of its own."""
    folder.mkdir()
    waves = (Sine(300, 150, 3.7), Saw(100, 400, 5.3))
    return Training(framework, tuple(SimulatedGPU(watts=waves[rank], index=rank) for rank in range(ranks)), folder)
