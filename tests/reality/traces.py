"""Traces of real GPUs: what nvidia-smi showed, and beside it an external power meter in the slot and the cables.

The format is that of ``plotting/data`` in https://github.com/JimZeyuYang/GPU_Power_Benchmark (MIT), of Yang, Adamek and
Armour, "Part-time Power Measurements: nvidia-smi's Lack of Attention" (arXiv 2312.02741, 2023). The traces are no part
of this repository; ``LIGHTNING_CARBON_TRACES`` names a folder that has them in ``gpu-traces/``.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

VARIABLE = "LIGHTNING_CARBON_TRACES"
COLUMNS = ("power.draw", "power.draw.average", "power.draw.instant")

_TICKS_PER_SECOND = 2_933_500.0
_CLOCK_WRAPS_AT = 65_536
_BEGAN_BEFORE_SECONDS = 0.05
_WATTS_PER_SQUARE = 0.007568 * 0.0488
"""Volts and amperes of a step of the two converters (the benchmark's own calibration, 2023)."""
_OVERFLOW = 0x800
_UTC_OFFSET_SECONDS = 3600
"""The machine's local time was one hour ahead of UTC."""


@dataclass(frozen=True)
class Trace:
    """A load on a GPU, as its sensors and as an external meter saw it.

    Args:
        name: Of its folder.
        shown: What each column of nvidia-smi showed: moments in seconds since 1970, and watts.
        true_at: Moments of the external meter's samples, in seconds since 1970.
        true_watts: The power at each.
        edges: When the load was switched on or off, in seconds since 1970.
    """

    name: str
    shown: dict[str, list[tuple[float, float]]]
    true_at: NDArray[np.float64]
    true_watts: NDArray[np.float64]
    edges: list[float]

    @property
    def distinct_columns(self) -> list[str]:
        """The columns, without those that show what an earlier one does."""
        columns: dict[tuple[tuple[float, float], ...], str] = {}
        for name, readings in self.shown.items():
            columns.setdefault(tuple(readings), name)
        return list(columns.values())

    @property
    def load(self) -> tuple[float, float]:
        """From the first edge to the last."""
        return self.edges[0], self.edges[-1]

    @cached_property
    def _true_joules(self) -> NDArray[np.float64]:
        steps = np.diff(self.true_at) * (self.true_watts[1:] + self.true_watts[:-1]) / 2
        return np.concatenate([[0.0], np.cumsum(steps)])

    def joules(self, start: float, end: float) -> float:
        """The energy between two moments by the external meter."""
        heights = np.interp([start, end], self.true_at, self._true_joules)
        return float(heights[1] - heights[0])


def folder() -> Path | None:
    """Where the traces are; ``None`` where nobody said, or they are not there."""
    named = os.environ.get(VARIABLE)
    found = Path(named) / "gpu-traces" if named else None
    return found if found is not None and found.is_dir() else None


def traces(root: Path) -> list[Trace]:
    """All traces of a folder, by name."""
    return [read(path) for path in sorted(root.iterdir()) if (path / "gpudata.csv").is_file()]


def read(path: Path) -> Trace:
    """One trace."""
    true_at, true_watts = _external(path)
    return Trace(path.name, _shown(path / "gpudata.csv"), true_at, true_watts, _edges(path / "timestamps.csv"))


def _shown(path: Path) -> dict[str, list[tuple[float, float]]]:
    shown: dict[str, list[tuple[float, float]]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, skipinitialspace=True):
            local = datetime.strptime(row["timestamp"], "%Y/%m/%d %H:%M:%S.%f").replace(tzinfo=UTC)
            at = local.timestamp() - _UTC_OFFSET_SECONDS
            for column in COLUMNS:
                text = row.get(f"{column} [W]")
                if text:
                    shown.setdefault(column, []).append((at, float(text)))
    return shown


def _external(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    began = float((path / "PMD_start_ts.txt").read_text(encoding="utf-8")) / 1e6 - _BEGAN_BEFORE_SECONDS
    samples = np.frombuffer((path / "PMD_data.bin").read_bytes(), dtype="<u2").reshape(-1, 9)
    ticks = np.remainder(np.diff(samples[:, 0].astype(np.int64)), _CLOCK_WRAPS_AT)
    at = began + np.concatenate([[0], np.cumsum(ticks)]) / _TICKS_PER_SECOND
    values = (samples[:, 1:] >> 4).astype(np.float64)
    values[(samples[:, 1:] >> 4) & _OVERFLOW != 0] = 0.0
    watts = (values[:, 0::2] * values[:, 1::2]).sum(axis=1) * _WATTS_PER_SQUARE
    return at, watts


def _edges(path: Path) -> list[float]:
    """When the load was switched on or off; every moment stands there twice."""
    with path.open(encoding="utf-8") as stream:
        next(stream)
        return sorted({float(line) / 1e6 for line in stream if line.strip()})
