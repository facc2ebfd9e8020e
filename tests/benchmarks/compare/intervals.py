"""What pairs of measurements say: the median of their ratios, and how sure that is."""

from __future__ import annotations

import random
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 2_000
_SEED = 20_261_128


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval.

    Args:
        value: The figure.
        low: The lower end.
        high: The upper end.
    """

    value: float
    low: float
    high: float


def interval_of(starts: Sequence[Sequence[float]]) -> Interval:
    """The median over all starts, and its 95 % interval by bootstrap (Efron, 1979): starts, then pairs within each.

    What one start has in common, such as where its memory lies, is no independent evidence, so starts are drawn first.

    Args:
        starts: The figures of each start, at least one each.
    """
    draw = random.Random(_SEED)
    medians = sorted(
        median([draw.choice(figures) for figures in draw.choices(starts, k=len(starts)) for _ in figures])
        for _ in range(RESAMPLES)
    )
    low, high = medians[RESAMPLES // 40], medians[-RESAMPLES // 40 - 1]
    return Interval(median([figure for figures in starts for figure in figures]), low, high)
