"""From energy to a mass of CO2e with its range: (E x PUE x I), by interval arithmetic.

The energy is what the IT equipment used. PUE brings it to the meter of the site, the carbon intensity to the
atmosphere (location-based). Each factor has a range; the range of the product runs from the product of the lows to
the product of the highs. It follows from the stated ranges and is not a confidence interval. The form is
that of the Software Carbon Intensity specification (ISO/IEC 21031:2024) without its embodied term, which is not part
of a run's electricity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.units import CarbonMass
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.units import Energy


@dataclass(frozen=True, slots=True)
class Footprint(Bounds[CarbonMass]):
    """A mass of CO2e with its range and everything it was computed from.

    Args:
        value: The central value.
        low: The lower end of the range.
        high: The upper end of the range.
        intensity: The carbon intensity used.
        pue: The power usage effectiveness used.
    """

    intensity: Intensity
    pue: PowerUsage


def footprint(energy: Bounds[Energy], pue: PowerUsage, intensity: Intensity) -> Footprint:
    """Price an energy in CO2e.

    Args:
        energy: The energy of the IT equipment.
        pue: The site's energy for each unit of it.
        intensity: The emissions of a unit of electricity.

    Returns:
        The mass, and the range that follows from the three ranges.
    """
    grams = energy.map(lambda amount: amount.kilowatt_hours).times(intensity).times(pue)
    mass = grams.map(CarbonMass)
    return Footprint(mass.value, mass.low, mass.high, intensity, pue)


def mass_of(energy: Energy, pue: PowerUsage, intensity: Intensity) -> CarbonMass:
    """The central value alone, for figures that are shown during a run."""
    return CarbonMass(energy.kilowatt_hours * intensity.value * pue.value)
