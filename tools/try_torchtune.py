"""Meter a loop on torchtune, which has no hooks, by a plain ``Meter``, on the processor.

``.venv/bin/python tools/try_torchtune.py`` makes a throw-away environment with torch, torchtune and a torchao that
goes with it, and trains a tiny model there. Needs a package index.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_PACKAGES: Final = (
    ["torch==2.13.0"],
    ["torchtune==0.6.1", "torchao==0.13.0", "nvidia-ml-py", "psutil", "platformdirs"],
)
_INSIDE: Final = "--inside"
_STEPS: Final = 3


def try_inside() -> int:
    """Train, in the environment that has torchtune.

    Returns:
        Zero if the record has the steps and tokens of the loop.
    """
    import torch
    from torchtune.models.llama3 import llama3
    from torchtune.modules.loss import CEWithChunkedOutputLoss

    from lightning_carbon import Meter

    model = llama3(vocab_size=64, num_layers=1, num_heads=2, num_kv_heads=1, embed_dim=32, max_seq_len=32)
    loss_of, optimizer = CEWithChunkedOutputLoss(), torch.optim.AdamW(model.parameters())
    model.set_num_output_chunks(loss_of.num_output_chunks)
    with tempfile.TemporaryDirectory() as ledger, Meter(region="SE", project="torchtune", ledger=ledger) as meter:
        for batch in torch.randint(64, (_STEPS, 4, 32)):
            loss_of(model(batch), batch).backward()
            optimizer.step()
            optimizer.zero_grad()
            meter.step_done(samples=len(batch), tokens=batch.numel())
    record = meter.record
    print(", ".join(f"{package} {version(package)}" for package in ("torch", "torchtune", "torchao")))
    print(record.summary())
    return 0 if (record.steps, record.tokens) == (_STEPS, _STEPS * 4 * 32) else 1


def main() -> int:
    """Make the environment, and try torchtune there.

    Returns:
        Zero if what is counted is right.
    """
    if _INSIDE in sys.argv:
        return try_inside()
    with tempfile.TemporaryDirectory(prefix="torchtune-") as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        for packages in _PACKAGES:
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
            subprocess.run(install, check=True)  # noqa: S603 - fixed words
        offline = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
        return subprocess.run([python, __file__, _INSIDE], env=offline, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
