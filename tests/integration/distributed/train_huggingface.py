"""A training of Hugging Face's Trainer with a meter, and a loop: ``train_huggingface.py FOLDER [LOOP'S FOLDER]``."""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from lightning_carbon import CarbonTracker, Meter
from lightning_carbon.integrations.accelerate import tell_trackers
from lightning_carbon.sources.simulated import SimulatedGPU
from tests.integration.huggingface import support

WATTS = 300.0


def main() -> None:
    """Train for a while, each rank beside a GPU of its own; where a second folder is given, as a loop there, too."""
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    gpu = SimulatedGPU(watts=WATTS, tick_seconds=0.02, index=int(os.environ["LOCAL_RANK"]))
    trainer = support.make_trainer(
        folder,
        [support.make_callback(folder, sources=[gpu])],
        lambda: time.sleep(0.1),
        samples=80,
        logging_steps=5,
        report_to=["tensorboard"],
        ddp_backend="gloo",
    )
    trainer.train()
    if len(sys.argv) > 2:
        loop(Path(sys.argv[2]))


def loop(folder: Path) -> None:
    """Log ten steps to a tracker that meters for both processes, beside a meter in each of them."""
    given: dict[str, Any] = {"intensity": 1000.0, "pue": 1.0, "interval_seconds": 0.01}
    gpus = [SimulatedGPU(watts=WATTS, tick_seconds=0.02, index=number) for number in range(2)]
    ours = CarbonTracker(sources=gpus, ledger=folder / "ledger", **given)
    accelerator = Accelerator(log_with=["tensorboard", ours], project_dir=folder / "logs")
    accelerator.init_trackers("loop")
    own = SimulatedGPU(watts=WATTS, tick_seconds=0.02, index=accelerator.local_process_index)
    with Meter(sources=[own], ledger=folder / "ranks", **given) as meter:
        for step in range(10):
            time.sleep(0.1)
            meter.step_done()
            accelerator.wait_for_everyone()
            accelerator.log({"loss": 1.0}, step=step)
    accelerator.wait_for_everyone()
    tell_trackers(accelerator, meter)
    accelerator.end_training()
    assert accelerator.is_main_process or ours.record is None


if __name__ == "__main__":
    main()
