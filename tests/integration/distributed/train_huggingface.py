"""A training of Hugging Face's Trainer with a meter: ``train_huggingface.py FOLDER``."""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path

from lightning_carbon.sources.simulated import SimulatedGPU
from tests.integration.huggingface import support

WATTS = 300.0


def main() -> None:
    """Train for a while, each rank beside a GPU of its own."""
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


if __name__ == "__main__":
    main()
