"""How far the meter is from the external meter, over the whole load and over windows of several lengths."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lightning_carbon.sources.nvml.accuracy import MEAN, PART, WHOLE, family_of, stated
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND
from tests.reality.replaying import metered

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.energy.accuracy import Accuracy
    from tests.reality.traces import Trace

WINDOW_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
OFFSETS = 40
"""How many windows of a length are laid over the load, evenly."""
TRAILING_SECONDS = {"RTX 3090": {"power.draw": 1.0, "power.draw.average": 1.0}}
"""Columns that show the mean of the second before, by card (Yang et al. 2023: the RTX 3090)."""
FAMILIES = {"RTX 3090": family_of("GeForce RTX 3090", (8, 6), None), "A100": family_of("A100-PCIE-40GB", (8, 0), None)}
BLURRED = 95.0
"""The stated blur holds so many of 100 windows of each length."""


@dataclass(frozen=True)
class SensorErrors:
    """What one column of nvidia-smi was off by on one trace, as shares of the external meter's energy.

    Args:
        trace: The trace.
        card: The model of the GPU.
        column: The column.
        trailing_seconds: Of how long a time it shows the mean; 0 where it shows the power of the moment.
        load_seconds: How long the load was.
        total: Of the energy of the whole load, signed.
        busy: Of the energy between switching on and off, in the median over bursts, signed.
        idle: Of the energy between switching off and on, in the median, signed.
        windows: By length in seconds: the median and the 90th percentile of the unsigned error.
        sensor: How it sees: a part of the time, the whole of it, or the mean of the last second.
        blur_seconds: What the energy of a window is outside of the range of gain and offset, in time at its mean power;
            as much as 95 of 100 windows need, of the length that needs the most.
        total_inside: Whether the energy of the whole load is in the stated range.
        inside: By length in seconds: the share of windows whose energy is in the stated range.
    """

    trace: str
    card: str
    column: str
    trailing_seconds: float
    load_seconds: float
    total: float
    busy: float
    idle: float | None
    windows: dict[str, tuple[float, float]]
    sensor: str
    blur_seconds: float
    total_inside: bool
    inside: dict[str, float]

    def mapping(self) -> dict[str, Any]:
        """As plain values, rounded to what the figures are worth."""
        values = asdict(self)
        values["windows"] = {length: [round(share, 4) for share in pair] for length, pair in self.windows.items()}
        values["inside"] = {length: round(share, 4) for length, share in self.inside.items()}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


def errors_of(trace: Trace, column: str) -> SensorErrors:
    """Replay one column of a trace through the meter, and compare."""
    card = "A100" if "a100" in trace.name else "RTX 3090"
    trailing = TRAILING_SECONDS.get(card, {}).get(column, 0.0)
    shown = trace.shown[column]
    timeline = metered(shown, window_seconds=trailing)
    began = shown[0][0]

    def joules(start: float, end: float) -> float:
        bounds = [round((at - began) * NANOSECONDS_PER_SECOND) for at in (start, end)]
        return timeline.between(*bounds).microjoules / MICROJOULES_PER_JOULE

    start, end = trace.load
    stretches = list(zip(trace.edges, trace.edges[1:], strict=False))
    watts = [trace.joules(*stretch) / (stretch[1] - stretch[0]) for stretch in stretches]
    middle = (max(watts) + min(watts)) / 2
    busy = [stretch for stretch, power in zip(stretches, watts, strict=True) if power >= middle]
    idle = [stretch for stretch, power in zip(stretches, watts, strict=True) if power < middle]
    cuts = {
        f"{length:g}": [(at, at + length) for at in np.linspace(start, end - length, OFFSETS)]
        for length in WINDOW_SECONDS
        if length <= end - start
    }
    accuracy = stated(FAMILIES[card], is_mean=trailing > 0).accuracy

    def is_inside(begins: float, ends: float) -> bool:
        return _is_inside(accuracy, joules(begins, ends), trace.joules(begins, ends), ends - begins)

    outside = {
        length: [_outside(accuracy, joules(*cut), trace.joules(*cut), cut[1] - cut[0]) for cut in windows]
        for length, windows in cuts.items()
    }
    return SensorErrors(
        trace=trace.name,
        card=card,
        column=column,
        trailing_seconds=trailing,
        load_seconds=end - start,
        total=joules(start, end) / trace.joules(start, end) - 1,
        busy=_median(trace, joules, busy),
        idle=_median(trace, joules, idle) if idle else None,
        windows={length: _spread(trace, joules, windows) for length, windows in cuts.items()},
        sensor=MEAN if trailing else PART if card == "A100" else WHOLE,
        blur_seconds=max(float(np.percentile(found, BLURRED)) for found in outside.values()),
        total_inside=is_inside(start, end),
        inside={length: float(np.mean([is_inside(*cut) for cut in windows])) for length, windows in cuts.items()},
    )


def _is_inside(accuracy: Accuracy, shown: float, true: float, seconds: float) -> bool:
    """Whether a true energy is in the range around the one that the meter made of what was shown, all in joules."""
    low, high = accuracy.ends(round(shown * MICROJOULES_PER_JOULE), round(seconds * NANOSECONDS_PER_SECOND))
    return low <= true * MICROJOULES_PER_JOULE <= high


def _outside(accuracy: Accuracy, shown: float, true: float, seconds: float) -> float:
    """How far a true energy is outside of the range of gain and offset, in seconds at the power that was shown."""
    above = true - shown * (1 + accuracy.above_ratio) - accuracy.above_watts * seconds
    below = shown * (1 - accuracy.below_ratio) - accuracy.below_watts * seconds - true
    return max(0.0, above, below) * seconds / shown


def _median(trace: Trace, joules: Callable[[float, float], float], stretches: list[tuple[float, float]]) -> float:
    return float(np.median([joules(*stretch) / trace.joules(*stretch) - 1 for stretch in stretches]))


def _spread(
    trace: Trace, joules: Callable[[float, float], float], stretches: list[tuple[float, float]]
) -> tuple[float, float]:
    off = [abs(joules(*stretch) / trace.joules(*stretch) - 1) for stretch in stretches]
    return float(np.median(off)), float(np.percentile(off, 90))
