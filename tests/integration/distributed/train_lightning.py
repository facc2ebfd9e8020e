"""A Lightning training with a meter: ``train_lightning.py FOLDER STRATEGY RANKS``."""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path

from lightning_carbon.sources.simulated import SimulatedGPU
from tests.integration.lightning import support

PACKAGE = "pytorch_lightning"
WATTS = 300.0


def main() -> None:
    """Train for a while, each rank beside a GPU of its own."""
    warnings.simplefilter("ignore")
    folder, strategy, ranks = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    gpu = SimulatedGPU(watts=WATTS, tick_seconds=0.02, index=int(os.environ.get("LOCAL_RANK", "0")))
    trainer = support.make_trainer(
        PACKAGE,
        folder,
        support.make_callback(folder, sources=[gpu]),
        logger=support.loggers_of(PACKAGE).TensorBoardLogger(folder, "logs"),
        devices=ranks,
        strategy=strategy,
        log_every_n_steps=5,
    )
    trainer.fit(support.make_module(PACKAGE, lambda _: time.sleep(0.1)), support.loader(20 * ranks), None)


if __name__ == "__main__":
    main()
