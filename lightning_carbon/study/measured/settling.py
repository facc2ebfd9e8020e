"""Settling of power: the end of the warm-up, the average after it, and the remaining drift. Pure.

The training is cut into equal blocks, each with its mean power. The warm-up is what has to be left out for the rest to
have the most certain mean: of all beginnings up to half of the blocks, the one after which the sum of squared
deviations from the rest's mean, over the square of its number of blocks, is smallest (the rule MSER of simulation
studies: K. P. White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69(6),
1997). A straight line through the rest by least squares is its drift. Power has settled unless that line rises or falls
by more than :data:`MOST_DRIFT_RATIO` of the mean from the beginning to the end of the rest, and by more than two of its
standard errors, lest noise alone count as a drift. Within that limit, the drift moves the average by 1 % at most, a
fifth of the uncertainty of GPUs' sensors.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import StudyError
from lightning_carbon.records.fields import SIGNED
from lightning_carbon.units import SECONDS_PER_MINUTE
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_DRIFT_RATIO: Final = 0.02
"""The change below which power has settled, as a share of its mean over the averaged time."""
MOST_BLOCKS: Final = 60
LEAST_BLOCK_SECONDS: Final = 0.5
"""The least length of a block: journals are written at this interval, so shorter blocks would not show more."""
LEAST_SECONDS: Final = 10.0
"""The least length of a training whose warm-up can be found."""
LEAST_AVERAGED_SECONDS: Final = 2.0
"""The least time that has to be left after a warm-up that the user gave."""


@dataclass(frozen=True, slots=True)
class Settling:
    """The mean power of a training, and whether it has settled.

    Args:
        warmup_seconds: The length of the warm-up, which is left out.
        averaged_seconds: The length of the rest.
        watts: The mean of the rest.
        watts_error: Two standard errors of that mean, from the scatter of its blocks.
        drift_watts_per_minute: The slope of the line through the rest.
        drift_error: Two standard errors of that slope.
        settled: Whether power has settled, by the rule of this module.
        rule: Whether the end of the warm-up was ``"found"`` or ``"given"``.
    """

    warmup_seconds: float
    averaged_seconds: float
    watts: float
    watts_error: float
    drift_watts_per_minute: float = field(metadata=SIGNED)
    drift_error: float
    settled: bool
    rule: str = "found"

    @property
    def drift_percent_per_minute(self) -> float | None:
        """The slope as a share of the mean; ``None`` where the mean is zero."""
        return 100 * self.drift_watts_per_minute / self.watts if self.watts else None


def block_count(seconds: float) -> int:
    """The number of blocks of a training."""
    return max(1, min(MOST_BLOCKS, int(seconds / LEAST_BLOCK_SECONDS)))


def settle(watts: Sequence[float], seconds: float, *, warmup_seconds: float | None = None) -> Settling:
    """Find the mean power, and whether it has settled.

    Args:
        watts: The mean power of each block, :func:`block_count` of them: of the whole training, or of the time after a
            given warm-up.
        seconds: How long the training was.
        warmup_seconds: The end of the warm-up, where the user gives it.

    Raises:
        StudyError: The training is too short.
    """
    left = seconds - (warmup_seconds or 0.0)
    if warmup_seconds is None and seconds < LEAST_SECONDS:
        message = (
            f"the training was metered for {seconds:.1f} s, too short to tell whether power has settled: it takes "
            f"{LEAST_SECONDS:.0f} s at least, and minutes as a rule"
        )
        raise StudyError(message)
    if left < LEAST_AVERAGED_SECONDS:
        message = (
            f"the training was metered for {seconds:.1f} s, and after a warm-up of {warmup_seconds:g} s at least "
            f"{LEAST_AVERAGED_SECONDS:.0f} s have to be left"
        )
        raise StudyError(message)
    block_seconds = left / len(watts)
    start = _warmup(watts) if warmup_seconds is None else 0
    rest = watts[start:]
    mean = sum(rest) / len(rest)
    slope, slope_error, mean_error = _line(rest, mean, block_seconds)
    averaged = block_seconds * len(rest)
    return Settling(
        warmup_seconds=(warmup_seconds or 0.0) + block_seconds * start,
        averaged_seconds=averaged,
        watts=mean,
        watts_error=2 * mean_error,
        drift_watts_per_minute=slope * SECONDS_PER_MINUTE,
        drift_error=2 * slope_error * SECONDS_PER_MINUTE,
        settled=abs(slope) * averaged <= MOST_DRIFT_RATIO * mean or abs(slope) <= 2 * slope_error,
        rule="found" if warmup_seconds is None else "given",
    )


def _warmup(watts: Sequence[float]) -> int:
    """The number of blocks to leave out."""
    best, best_start = float("inf"), 0
    for start in range(len(watts) // 2 + 1):
        rest = watts[start:]
        mean = sum(rest) / len(rest)
        uncertainty = sum((block - mean) ** 2 for block in rest) / len(rest) ** 2
        # Differences by rounding alone are no reason to leave blocks out.
        if uncertainty < best - 1e-12 * mean**2:
            best, best_start = uncertainty, start
    return best_start


def _line(watts: Sequence[float], mean: float, block_seconds: float) -> tuple[float, float, float]:
    """The slope of a line through blocks in watts per second, its standard error, and the mean's standard error."""
    count = len(watts)
    middle = (count - 1) / 2
    spread = sum((place - middle) ** 2 for place in range(count))
    slope = sum((place - middle) * (block - mean) for place, block in enumerate(watts)) / spread
    residue = sum((block - mean - slope * (place - middle)) ** 2 for place, block in enumerate(watts)) / (count - 2)
    scatter = sum((block - mean) ** 2 for block in watts) / (count - 1)
    return slope / block_seconds, sqrt(residue / spread) / block_seconds, sqrt(scatter / count)
