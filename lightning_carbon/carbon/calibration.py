"""The rest of a machine from readings of its wall meter: a constant and a share, with their uncertainty. Pure.

What a wall meter shows beyond the chips over a stretch of time is one equation: rest = constant + share x chips. The
class of the machine says what both are likely to be. Taken as normal distributions, both are least squares in closed
form, in which the class counts as much as it is narrow; so a single stretch is enough, and every other adds to it.

References:
    JCGM 100:2008 (GUM), annex H.3: a straight line by least squares, with the uncertainties of both coefficients.
    A. Gelman et al., Bayesian Data Analysis, 3rd edition, 2013, section 14.8: prior information as further equations.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.spread import NORMAL_90
from lightning_carbon.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lightning_carbon.carbon.rest import RestModel

WALL_RATIO: Final = 0.02
"""The half width of a wall meter's 90 % interval, as a share of what it shows; ours."""

LOAD_SHARE: Final = 0.072
"""The standard deviation of the share of the next load, whatever was calibrated: regulators of a board, cables of a
card and fans lose differently. From the first day's runs of a desktop at a wall meter of Fischer et al. 2025 (arXiv
2509.22092): how far each of three kinds of load is off where a line by the other two has it (``make reality``)."""

_UNKNOWN_WATTS: Final = 500.0
"""The standard deviation of a constant of which the class says nothing, as that of a virtual machine; ours."""


@dataclass(frozen=True, slots=True)
class WallStretch:
    """A stretch of time in which chips and wall were measured.

    Args:
        chips_watts: The mean power of the chips.
        chips_low_watts: The lower end of its range.
        chips_high_watts: The upper end of its range.
        wall_watts: The mean power at the plug.
        count_watts: The least that the wall meter tells over the stretch, such as a Wh; 0 where that is small.
    """

    chips_watts: float
    chips_low_watts: float
    chips_high_watts: float
    wall_watts: float
    count_watts: float = 0.0

    @property
    def rest_watts(self) -> float:
        """The mean power of the rest of the machine."""
        return self.wall_watts - self.chips_watts

    @property
    def variance(self) -> float:
        """The variance of the rest, from the ranges of both, in square watts."""
        chips = (self.chips_high_watts - self.chips_low_watts) / 2
        read = (chips**2 + (WALL_RATIO * self.wall_watts) ** 2) / NORMAL_90**2
        # Both ends of the stretch are cut to a count, so their difference has a triangular error.
        return read + self.count_watts**2 / 6


def calibrated(stretches: Iterable[WallStretch], known: RestModel, *, date: str) -> RestModel:
    """The rest of a machine that was held against a wall meter, with 90 % intervals for ranges.

    Args:
        stretches: The stretches of time, at least one.
        known: The class of the machine.
        date: The date of the calibration.
    """
    constant_deviation = (known.constant_high_watts - known.constant_low_watts) / 2 / NORMAL_90 or _UNKNOWN_WATTS
    share_deviation = (known.share_high - known.share_low) / 2 / NORMAL_90
    # The normal equations, of which the class is the first two rows: a c + b s = e, b c + d s = f.
    a, b, d = constant_deviation**-2, 0.0, share_deviation**-2
    e, f = a * known.constant_watts, d * known.share
    count = 0
    for stretch in stretches:
        weight, chips, rest = 1 / stretch.variance, stretch.chips_watts, stretch.rest_watts
        a, b, d = a + weight, b + weight * chips, d + weight * chips * chips
        e, f = e + weight * rest, f + weight * chips * rest
        count += 1
    determinant = a * d - b * b
    constant, share = (d * e - b * f) / determinant, (a * f - b * e) / determinant
    variance = a / determinant + LOAD_SHARE**2  # of the next load, whose share is another
    constant_half, share_half = NORMAL_90 * sqrt(d / determinant), NORMAL_90 * sqrt(variance)
    constant, share = max(0.0, constant), max(0.0, share)
    stretches_read = "a stretch" if count == 1 else f"{count} stretches"
    return replace(
        known,
        machine=f"{known.machine.partition(',')[0]}, calibrated {date}",
        constant_watts=constant,
        constant_low_watts=max(0.0, constant - constant_half),
        constant_high_watts=constant + constant_half,
        share=share,
        share_low=max(0.0, share - share_half),
        share_high=share + share_half,
        source=f"{stretches_read} at a wall meter, {date}",
        assumed=False,
        portion=1.0,
        reason=f"calibrated {date}",
        pivot_watts=b / determinant / variance,
    )
