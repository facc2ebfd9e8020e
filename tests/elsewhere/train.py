"""Trainings where Linux's modules, calls and folders are missing: both trainers, a plain loop, and a run left open.

On Linux they are taken away; on another system this is how it goes there.
Run as ``python -m tests.elsewhere.train FOLDER`` it prints a JSON of what came out.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from tests.elsewhere.stripped import strip


def _fit_with_lightning(folder: Path) -> Any:  # noqa: ANN401 - a record
    import pytorch_lightning as pl
    import torch

    from lightning_carbon import CarbonCallback

    class Line(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def training_step(self, batch: torch.Tensor, _number: int) -> torch.Tensor:
            loss: torch.Tensor = self.layer(batch).square().mean()
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    callback = CarbonCallback(ledger=folder / "ledger", project="lightning")
    trainer = pl.Trainer(
        callbacks=[callback],
        default_root_dir=folder,
        max_steps=4,
        log_every_n_steps=1,
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Line(), torch.utils.data.DataLoader(torch.ones(16, 4), batch_size=4))  # type: ignore[arg-type]
    return callback.record


def _fit_with_transformers(folder: Path) -> Any:  # noqa: ANN401 - a record
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

    from lightning_carbon import CarbonTrainerCallback

    tokens = torch.arange(8)
    samples = [{"input_ids": tokens, "labels": tokens} for _ in range(8)]
    callback = CarbonTrainerCallback(ledger=folder / "ledger", project="huggingface")
    arguments = TrainingArguments(
        output_dir=str(folder / "out"), max_steps=4, use_cpu=True, report_to=[], save_strategy="no", disable_tqdm=True
    )
    model = GPT2LMHeadModel(GPT2Config(vocab_size=16, n_positions=8, n_embd=8, n_layer=1, n_head=1))
    Trainer(model, arguments, train_dataset=samples, callbacks=[callback]).train()
    return callback.record


def _loop(folder: Path) -> Any:  # noqa: ANN401 - a record
    from lightning_carbon import Meter

    with Meter(ledger=folder / "ledger", project="loop", per_step=True) as meter:
        for _ in range(3):
            meter.step_done(samples=1)
    return meter.record


def _killed(folder: Path) -> None:
    """A run that nobody ends: the process is gone at once."""
    from lightning_carbon import Meter

    meter = Meter(ledger=folder / "ledger", project="killed").start()
    meter.step_done()
    meter.row()


def main() -> None:
    """Train, and tell."""
    folder = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    refused = strip(folder).refused if sys.platform == "linux" else []
    records = {"lightning": _fit_with_lightning, "huggingface": _fit_with_transformers, "loop": _loop}
    told = {}
    for name, train in records.items():
        record = train(folder)
        told[name] = {
            "status": str(record.status),
            "steps": record.steps,
            "location": record.location,
            "domains": [[domain.kind, domain.provenance] for domain in record.energy.domains],
            "absent": [[finding.subject, finding.reason] for finding in record.energy.absent],
            "host": dict(record.host),
        }
    _killed(folder)
    print(json.dumps({"records": told, "refused": sorted(set(refused))}), flush=True)  # noqa: T201
    os._exit(0)


if __name__ == "__main__":
    main()
