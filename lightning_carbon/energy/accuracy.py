"""The accuracy of a sensor: how far the true energy may be from its reading, on either side. Pure.

Three kinds of error are kept separate, since they grow differently. A gain is a share of the energy. An offset is a
power, so it weighs more the less is drawn. And a sensor that misses time, or lags, may be wholly wrong over a stretch
of time: much of a short window, and next to nothing of a long window.
"""

from __future__ import annotations

from functools import lru_cache

from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND
from lightning_carbon.values import dataclass


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The range around a sensor's reading.

    Args:
        below_ratio: How far below the reading the energy may be, as a share of it.
        above_ratio: How far above the reading the energy may be, as a share of it.
        below_watts: How far below in addition, as a power over the time of reading.
        above_watts: How far above in addition, as a power over the time of reading.
        blur_seconds: How far on both sides in addition, as the energy of so many seconds at the mean power of the
            reading.
    """

    below_ratio: float
    above_ratio: float
    below_watts: float = 0.0
    above_watts: float = 0.0
    blur_seconds: float = 0.0

    def ends(self, microjoules: int, covered_ns: int) -> tuple[int, int]:
        """The range of an energy.

        Args:
            microjoules: The reading.
            covered_ns: The time of the reading; 0 where it is not known, and then only the shares count.

        Returns:
            The lower end, never below zero, and the upper end.
        """
        seconds = covered_ns / NANOSECONDS_PER_SECOND
        blur = microjoules * min(1.0, self.blur_seconds / seconds) if seconds > 0 else 0.0
        below = microjoules * self.below_ratio + self.below_watts * seconds * MICROJOULES_PER_JOULE + blur
        above = microjoules * self.above_ratio + self.above_watts * seconds * MICROJOULES_PER_JOULE + blur
        return max(0, microjoules - round(below)), microjoules + round(above)

    def or_wider(self, other: Accuracy) -> Accuracy:
        """The range that holds both ranges."""
        return Accuracy(
            max(self.below_ratio, other.below_ratio),
            max(self.above_ratio, other.above_ratio),
            max(self.below_watts, other.below_watts),
            max(self.above_watts, other.above_watts),
            max(self.blur_seconds, other.blur_seconds),
        )


@lru_cache(64)
def either_way(ratio: float) -> Accuracy:
    """A range that is as wide below as above.

    Args:
        ratio: Half its width, as a share of the energy.
    """
    return Accuracy(ratio, ratio)
