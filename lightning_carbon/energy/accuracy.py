"""How far the true energy may be from what a sensor shows, on either side. Pure.

Three kinds of error are kept apart, since they grow differently. A gain is a share of the energy. An offset is a power,
so it weighs more the less is drawn. And what a sensor does not see, or shows late, is a stretch of time on which it may
be wrong altogether: much of a short window, and nothing of a long one.
"""

from __future__ import annotations

from dataclasses import dataclass

from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The range around what a sensor shows.

    Args:
        below_ratio: How far below it the energy may be, as a share of it.
        above_ratio: How far above it.
        below_watts: How far below besides, for as long as the sensor is read.
        above_watts: How far above besides.
        blur_seconds: On both sides besides, what is used in so long, at the mean power of the time in question.
    """

    below_ratio: float
    above_ratio: float
    below_watts: float = 0.0
    above_watts: float = 0.0
    blur_seconds: float = 0.0

    def ends(self, microjoules: int, covered_ns: int) -> tuple[int, int]:
        """The range of an energy.

        Args:
            microjoules: What the sensor has shown.
            covered_ns: In how long; 0 where that is not known, which leaves the shares alone.

        Returns:
            The lower end, never below zero, and the upper one.
        """
        seconds = covered_ns / NANOSECONDS_PER_SECOND
        blur = microjoules * min(1.0, self.blur_seconds / seconds) if seconds > 0 else 0.0
        below = microjoules * self.below_ratio + self.below_watts * seconds * MICROJOULES_PER_JOULE + blur
        above = microjoules * self.above_ratio + self.above_watts * seconds * MICROJOULES_PER_JOULE + blur
        return max(0, microjoules - round(below)), microjoules + round(above)

    def or_wider(self, other: Accuracy) -> Accuracy:
        """The range that holds both."""
        return Accuracy(
            max(self.below_ratio, other.below_ratio),
            max(self.above_ratio, other.above_ratio),
            max(self.below_watts, other.below_watts),
            max(self.above_watts, other.above_watts),
            max(self.blur_seconds, other.blur_seconds),
        )


def either_way(ratio: float) -> Accuracy:
    """A range that is as wide below as above.

    Args:
        ratio: Half its width, as a share of the energy.
    """
    return Accuracy(ratio, ratio)
