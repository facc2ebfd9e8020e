"""Times ``import lightning_carbon`` in a process that has hardly imported anything else."""

import sys
from time import perf_counter

BEFORE = set(sys.modules)
BEGAN = perf_counter()

import lightning_carbon  # noqa: E402, F401 - the import is what is timed

MILLISECONDS = (perf_counter() - BEGAN) * 1e3
HEAVY = {
    "torch", "numpy", "lightning", "pytorch_lightning", "transformers", "pynvml", "psutil", "typer", "rich",
    "platformdirs", "asyncio", "multiprocessing", "email", "http", "urllib.request",
}  # fmt: skip

if __name__ == "__main__":
    import json
    from pathlib import Path

    heavy = sorted(HEAVY & (set(sys.modules) - BEFORE - {"json", "pathlib"}))
    Path(sys.argv[1]).write_text(json.dumps({"milliseconds": MILLISECONDS, "heavy": heavy}), encoding="utf-8")
