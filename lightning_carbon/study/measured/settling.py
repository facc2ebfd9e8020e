"""Whether power has settled: where the warm-up ends, the average after it, and by how much it still drifts. Pure.

The training is cut into equal blocks, each with its mean power. The warm-up is what has to be left out for the rest to
have the most certain mean: of all beginnings up to half of the blocks, the one after which the sum of squared
deviations from the rest's mean, over the square of its number of blocks, is smallest (the rule MSER of simulation
studies: K. P. White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69(6),
1997). A straight line through the rest by least squares is its drift. Power has settled unless that line rises or falls
by more than :data:`MOST_DRIFT_RATIO` of the mean from the beginning to the end of the rest, and by more than two of its
standard errors, so that noise alone is not taken for a drift. Within that limit, the drift moves the average by 1 % at
most, a fifth of what the sensors of GPUs may be off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import StudyError
from lightning_carbon.records.fields import SIGNED
from lightning_carbon.units import SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_DRIFT_RATIO: Final = 0.02
"""Power that changes by less than this share of its mean while it is averaged has settled."""
MOST_BLOCKS: Final = 60
LEAST_BLOCK_SECONDS: Final = 0.5
"""Journals are written that often; shorter blocks would not know more."""
LEAST_SECONDS: Final = 10.0
"""A training below this is too short to tell where its warm-up ends."""
LEAST_AVERAGED_SECONDS: Final = 2.0
"""What has to be left after a warm-up that the user gave."""


@dataclass(frozen=True, slots=True)
class Settling:
    """What became of power over a training.

    Args:
        warmup_seconds: The beginning that is left out.
        averaged_seconds: The rest.
        watts: The mean of the rest.
        watts_error: Two standard errors of that mean, from the scatter of its blocks.
        drift_watts_per_minute: The slope of the line through the rest.
        drift_error: Two standard errors of that slope.
        settled: Whether power has settled, by the rule of this module.
        rule: Who said where the warm-up ends: ``"found"``, or ``"given"``.
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
    """Into how many blocks a training is cut."""
    return max(1, min(MOST_BLOCKS, int(seconds / LEAST_BLOCK_SECONDS)))


def settle(watts: Sequence[float], seconds: float, *, warmup_seconds: float | None = None) -> Settling:
    """Tell whether power has settled.

    Args:
        watts: The mean power of each block, as many as :func:`block_count` says: of the whole training, or of what
            comes after a warm-up that is given.
        seconds: How long the training was.
        warmup_seconds: Where the warm-up ends, where the user knows better.

    Raises:
        StudyError: The training is too short to tell.
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
    """How many blocks to leave out."""
    best, best_start = float("inf"), 0
    for start in range(len(watts) // 2 + 1):
        rest = watts[start:]
        mean = sum(rest) / len(rest)
        uncertainty = sum((block - mean) ** 2 for block in rest) / len(rest) ** 2
        # Rounding alone makes no beginning worth leaving out.
        if uncertainty < best - 1e-12 * mean**2:
            best, best_start = uncertainty, start
    return best_start


def _line(watts: Sequence[float], mean: float, block_seconds: float) -> tuple[float, float, float]:
    """The slope of a line through blocks in watts per second, its standard error, and that of the mean."""
    count = len(watts)
    middle = (count - 1) / 2
    spread = sum((place - middle) ** 2 for place in range(count))
    slope = sum((place - middle) * (block - mean) for place, block in enumerate(watts)) / spread
    residue = sum((block - mean - slope * (place - middle)) ** 2 for place, block in enumerate(watts)) / (count - 2)
    scatter = sum((block - mean) ** 2 for block in watts) / (count - 1)
    return slope / block_seconds, sqrt(residue / spread) / block_seconds, sqrt(scatter / count)
