"""The file that a run of the GPU tests leaves: what was measured, on what, with which driver and versions, and when.

Committed under ``tests/benchmarks/results``, one file for each model of GPU; ``tools/gpu_tables.py`` writes the tables
of README.md and METHODOLOGY.md from them.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

SCHEMA = 1
FOLDER = Path(__file__).parents[2] / "benchmarks" / "results"
PREFIX = "gpu-"
VARIABLE = "GPU_RESULTS"
"""Names another folder for the file."""

_PACKAGES = ("torch", "pytorch-lightning", "transformers", "accelerate", "nvidia-ml-py", "psutil")


class Results:
    """Collects what the tests measure.

    Args:
        machine: What it is measured on; ``machine_of`` tells.
    """

    def __init__(self, machine: dict[str, Any]) -> None:
        self.machine = machine
        self.sections: dict[str, Any] = {}
        self.skipped: dict[str, str] = {}

    def add(self, section: str, found: object) -> None:
        """Note what was measured, under a name: a dataclass, or a list or mapping of some.

        Raises:
            ValueError: There is such a section already.
        """
        if section in self.sections:
            message = f"{section} was measured already"
            raise ValueError(message)
        self.sections[section] = plain(found)

    def as_mapping(self, seconds: float) -> dict[str, Any]:
        """The file, as plain values."""
        return {
            "schema": SCHEMA,
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "machine": self.machine,
            "seconds": round(seconds, 1),
            "skipped": self.skipped,
            "results": self.sections,
        }

    def write(self, folder: Path, seconds: float) -> Path | None:
        """Write the file, if anything was measured; another one of this model of GPU is replaced.

        Returns:
            Where it lies.
        """
        if not self.sections:
            return None
        path = folder / f"{PREFIX}{slug(self.machine['gpu'])}.json"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_mapping(seconds), indent=2, allow_nan=False) + "\n", encoding="utf-8")
        return path


def read_results(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """Every file of results in a folder, by name.

    Raises:
        ValueError: One of them is of another schema, or none.
    """
    found = []
    for path in sorted(folder.glob(f"{PREFIX}*.json")):
        whole = json.loads(path.read_text(encoding="utf-8"))
        if whole.get("schema") != SCHEMA:
            message = f"{path} has schema {whole.get('schema')}, and {SCHEMA} is known: measure again"
            raise ValueError(message)
        found.append(whole)
    return found


def plain(found: Any) -> Any:  # noqa: ANN401 - whatever was measured
    """What was measured as JSON has it."""
    if is_dataclass(found) and not isinstance(found, type):
        return asdict(found)
    if isinstance(found, dict):
        return {str(name): plain(value) for name, value in found.items()}
    return [plain(part) for part in found] if isinstance(found, list | tuple) else found


def slug(name: str) -> str:
    """A name as part of a file's."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold().removeprefix("nvidia")).strip("-")


def gpu_facts(index: int = 0) -> dict[str, Any]:
    """What NVML tells of a GPU: its model and settings, and the driver."""
    import pynvml

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    asked: dict[str, Any] = {
        "gpu": lambda: pynvml.nvmlDeviceGetName(handle),
        "gpus": pynvml.nvmlDeviceGetCount,
        "driver": pynvml.nvmlSystemGetDriverVersion,
        "nvml": pynvml.nvmlSystemGetNVMLVersion,
        "power_limit_watts": lambda: pynvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3,
        "memory_bytes": lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
        "mig": lambda: pynvml.nvmlDeviceGetMigMode(handle)[0] == pynvml.NVML_DEVICE_MIG_ENABLE,
        "architecture": lambda: int(pynvml.nvmlDeviceGetArchitecture(handle)),
    }
    found = {}
    for name, ask in asked.items():
        try:
            value = ask()
        except Exception:  # noqa: BLE001 -- what a GPU does not tell is not known
            value = None
        found[name] = value.decode() if isinstance(value, bytes) else value
    return found


def machine_of(gpu: dict[str, Any]) -> dict[str, Any]:
    """What the figures depend on.

    Args:
        gpu: What :func:`gpu_facts` told.
    """
    import torch

    packages: dict[str, str | None] = {}
    for package in _PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = None
    return {
        **gpu,
        "cuda": vars(torch.version).get("cuda"),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "packages": packages,
        "commit": _commit(),
        "command": "make test-gpu",
        "executable": Path(sys.executable).name,
    }


def _commit() -> str | None:
    """Which source was measured, if it lies in a repository."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
