"""How far the meter is from the external meter, over the whole load and over windows of several lengths."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND
from tests.reality.replaying import metered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.reality.traces import Trace

WINDOW_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
OFFSETS = 40
"""How many windows of a length are laid over the load, evenly."""
TRAILING_SECONDS = {"3090": {"power.draw": 1.0, "power.draw.average": 1.0}}
"""Columns that show the mean of the second before, by card (Yang et al. 2023: the RTX 3090)."""


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

    def mapping(self) -> dict[str, Any]:
        """As plain values, rounded to what the figures are worth."""
        values = asdict(self)
        values["windows"] = {length: [round(share, 4) for share in pair] for length, pair in self.windows.items()}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


def errors_of(trace: Trace, column: str) -> SensorErrors:
    """Replay one column of a trace through the meter, and compare."""
    card = "A100" if "a100" in trace.name else "RTX 3090"
    trailing = TRAILING_SECONDS.get("3090", {}).get(column, 0.0) if "3090" in card else 0.0
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
    windows = {
        f"{length:g}": _spread(trace, joules, [(at, at + length) for at in np.linspace(start, end - length, OFFSETS)])
        for length in WINDOW_SECONDS
        if length <= end - start
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
        windows=windows,
    )


def _median(trace: Trace, joules: Callable[[float, float], float], stretches: list[tuple[float, float]]) -> float:
    return float(np.median([joules(*stretch) / trace.joules(*stretch) - 1 for stretch in stretches]))


def _spread(
    trace: Trace, joules: Callable[[float, float], float], stretches: list[tuple[float, float]]
) -> tuple[float, float]:
    off = [abs(joules(*stretch) / trace.joules(*stretch) - 1) for stretch in stretches]
    return float(np.median(off)), float(np.percentile(off, 90))
