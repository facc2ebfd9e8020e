"""From energy to a mass of CO2e with its range: (E x PUE x I), by interval arithmetic.

The energy is what the IT equipment used. PUE brings it to the meter of the site, the carbon intensity to the
atmosphere (location-based). Each factor has a range; the range of the product runs from the product of the lows to
the product of the highs, so it is what follows from the stated ranges, and not a confidence interval. The form is
that of the Software Carbon Intensity specification (ISO/IEC 21031:2024) without its embodied term, which is not part
of a run's electricity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lightning_carbon.units import CarbonMass, Energy

if TYPE_CHECKING:
    from lightning_carbon.carbon.intensity import Intensity, PowerUsage


@dataclass(frozen=True, slots=True)
class EnergyRange:
    """An energy and the range it lies in.

    Args:
        value: The central value.
        low: The lower end.
        high: The upper end.
    """

    value: Energy
    low: Energy
    high: Energy

    @classmethod
    def within(cls, value: Energy, uncertainty_ratio: float) -> EnergyRange:
        """The range of a sensor that may be off by a share of what it shows; never below zero."""
        half = round(value.microjoules * uncertainty_ratio)
        return cls(value, Energy(max(0, value.microjoules - half)), Energy(value.microjoules + half))

    def __add__(self, other: EnergyRange) -> EnergyRange:
        """Add end to end: errors of sensors are not assumed to cancel."""
        return EnergyRange(self.value + other.value, self.low + other.low, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Footprint:
    """A mass of CO2e with its range and everything it was computed from.

    Args:
        mass: The central value.
        low: The lower end of the range.
        high: The upper end of the range.
        intensity: The carbon intensity used.
        pue: The power usage effectiveness used.
    """

    mass: CarbonMass
    low: CarbonMass
    high: CarbonMass
    intensity: Intensity
    pue: PowerUsage


def footprint(energy: EnergyRange, pue: PowerUsage, intensity: Intensity) -> Footprint:
    """Price an energy in CO2e.

    Args:
        energy: What the IT equipment used.
        pue: What the site uses for each unit of it.
        intensity: What a unit of electricity stands for.

    Returns:
        The mass, and the range that follows from the three ranges.
    """
    return Footprint(
        mass=CarbonMass(intensity.value.of(energy.value).grams * pue.value),
        low=CarbonMass(intensity.low.of(energy.low).grams * pue.low),
        high=CarbonMass(intensity.high.of(energy.high).grams * pue.high),
        intensity=intensity,
        pue=pue,
    )
