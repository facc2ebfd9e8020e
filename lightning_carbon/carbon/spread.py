"""How an uncertain input is spread: the distribution that a stated range is read as, by its quantiles. Pure.

References:
    JCGM 101:2008, section 6.4.2: where no more than two limits is known of a quantity, it is uniform between them.
    JCGM 100:2008 (GUM), section 4.3.9: a triangular distribution, where values near the limits are less likely.
"""

from __future__ import annotations

from enum import StrEnum
from math import erfc, exp, pi, sqrt
from typing import TYPE_CHECKING, Final

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

NORMAL_90: Final = 1.6449
"""The half width that holds 90 % of a normal distribution, in standard deviations."""


class Shape(StrEnum):
    """The distribution that a range is read as."""

    UNIFORM = "uniform"
    """Anywhere between two limits; the value counts for nothing."""
    TRIANGULAR = "triangular"
    """Between two limits, most likely at the value."""
    NORMAL = "normal"
    """The halves of two normal distributions that meet at the value, their median; 90 % lie in the range."""


@dataclass(frozen=True, slots=True)
class Spread:
    """An uncertain quantity that is not negative, unless its range is.

    Args:
        low: The lower end of its range.
        value: Its value.
        high: The upper end of its range.
        shape: The distribution that the range is read as.
    """

    low: float
    value: float
    high: float
    shape: Shape

    @property
    def is_exact(self) -> bool:
        """Whether its range is a point."""
        return self.low >= self.high

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """The figures that it stays below with given probabilities.

        Args:
            shares: The probabilities, each between 0 and 1.
        """
        low, value, high, shape = self.low, self.value, self.high, self.shape
        if self.is_exact:
            return [value] * len(shares)
        width, below, above = high - low, value - low, high - value
        if shape is Shape.UNIFORM:
            return [low + share * width for share in shares]
        if shape is Shape.TRIANGULAR:
            lower, upper, bend = width * below, width * above, below / width
            return [low + sqrt(share * lower) if share < bend else high - sqrt((1 - share) * upper) for share in shares]
        normals = map(standard_normal, shares)
        found = [value + normal / NORMAL_90 * (above if normal > 0 else below) for normal in normals]
        return found if low < 0 else [max(0.0, figure) for figure in found]


def standard_normal(share: float) -> float:
    """The quantile of the standard normal distribution, right to 0.00000001 between 0.0001 and 0.9999.

    ``statistics.NormalDist`` has it, too, and takes 10 ms to import with all that it needs.

    Args:
        share: The probability.
    """
    if share > 0.5:  # noqa: PLR2004 - the median: both halves are alike, to the last bit
        return -standard_normal(1 - share)
    # Tukey's lambda distribution (1962) is close to the normal for an exponent of 0.135; Halley's method does the rest.
    found: float = (share**0.135 - (1 - share) ** 0.135) / 0.1975
    for _ in range(2):
        step = (erfc(-found / sqrt(2)) / 2 - share) * sqrt(2 * pi) * exp(found * found / 2)
        found -= step / (1 + found * step / 2)
    return found
