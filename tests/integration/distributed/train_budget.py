"""A training that its budget ends: ``train_budget.py loop|lightning|huggingface FOLDER``, started as two ranks.

Each rank meters a GPU of its own of 300 W, takes steps of 50 ms, and writes down at which step it ended.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from lightning_carbon.sources.simulated import SimulatedGPU

WATTS = 300.0
RANK = int(os.environ.get("LOCAL_RANK", "0"))
BUDGET = {"budget": "6000 J", "on_budget": "checkpoint_and_stop"}
MOST_STEPS = 4000


def gpu() -> SimulatedGPU:
    """The GPU of this rank."""
    return SimulatedGPU(watts=WATTS, tick_seconds=0.02, index=RANK)


def step(*_: Any) -> None:  # noqa: ANN401 - whatever a framework hands over
    """The time of a step."""
    time.sleep(0.05)


def tell(folder: Path, steps: int, saved: list[str]) -> None:
    """Write down at which step this rank ended."""
    (folder / f"rank-{RANK}.json").write_text(json.dumps({"steps": steps, "saved": saved}), encoding="utf-8")


def loop(folder: Path) -> None:
    """A loop of one's own, whose ranks meet in every step, and save before they stop."""
    import torch
    from torch import distributed

    from lightning_carbon import Meter
    from lightning_carbon.errors import BudgetReached

    distributed.init_process_group("gloo")
    meter = Meter(ledger=folder / "ledger", project="loop", region="SE", pue=1.0, sources=[gpu()], **BUDGET)  # type: ignore[arg-type]  # texts
    taken = 0
    try:
        with meter, meter.phase("train"):
            for taken in range(1, MOST_STEPS + 1):  # noqa: B007 - the last counts
                step()
                distributed.all_reduce(torch.ones(1))
                meter.step_done(samples=1)
    except BudgetReached:
        (folder / f"saved-{RANK}.txt").write_text("a checkpoint")
    tell(folder, taken, [path.name for path in folder.glob(f"saved-{RANK}.txt")])
    distributed.destroy_process_group()


def lightning(folder: Path) -> None:
    """Lightning's trainer, which starts its second rank itself."""
    from tests.integration.lightning import support

    callback = support.make_callback(folder, sources=[gpu()], **BUDGET)
    package = support.PACKAGES[0]
    trainer = support.make_trainer(package, folder, callback, devices=2, strategy="ddp", log_every_n_steps=10)
    trainer.fit(support.make_module(package, step), support.loader(2 * MOST_STEPS), None)
    tell(folder, trainer.global_step, [path.name for path in folder.rglob("*.ckpt")])


def huggingface(folder: Path) -> None:
    """Hugging Face's Trainer."""
    from tests.integration.huggingface import support

    callback = support.make_callback(folder, sources=[gpu()], **BUDGET)
    trainer = support.make_trainer(
        folder, [callback], step, samples=4 * MOST_STEPS, logging_steps=10, ddp_backend="gloo"
    )
    trainer.train()
    tell(folder, trainer.state.global_step, [path.name for path in (folder / "out").glob("checkpoint-*")])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    {"loop": loop, "lightning": lightning, "huggingface": huggingface}[sys.argv[1]](Path(sys.argv[2]))
