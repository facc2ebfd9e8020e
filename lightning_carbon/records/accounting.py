"""What stands beside the location-based figure of a run: a contract's, the parts by scope, and water. Pure.

Nothing here is netted with anything: each figure is of the whole energy of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.footprint import footprint
from lightning_carbon.carbon.intensity import Intensity
from lightning_carbon.carbon.water import WaterUsage
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from lightning_carbon.carbon.intensity import PowerUsage
    from lightning_carbon.carbon.uncertainty import Bounds
    from lightning_carbon.units import Energy


@dataclass(frozen=True, slots=True)
class MarketRecord:
    """The CO2e of a run by the user's contract (GHG Protocol Scope 2 Guidance, 2015: market-based), PUE included.

    Args:
        grams_co2e: The central value.
        low: The lower end of its range.
        high: The upper end of its range.
        intensity: The factor of the contract.
    """

    grams_co2e: float
    low: float
    high: float
    intensity: Intensity


@dataclass(frozen=True, slots=True)
class ScopesRecord:
    """The parts of the location-based figure, where the source of the factor splits it.

    Args:
        scope2_grams_co2e: What power stations emitted (Scope 2).
        scope3_grams_co2e: What producing the fuel and building the stations emitted (Scope 3, category 3).
    """

    scope2_grams_co2e: float
    scope3_grams_co2e: float


@dataclass(frozen=True, slots=True)
class WaterRecord:
    """The water that the site used for a run; that of power stations is not in it.

    Args:
        litres: The central value.
        low: The lower end of its range.
        high: The upper end of its range.
        wue: The factor from kWh of IT energy to litres.
    """

    litres: float
    low: float
    high: float
    wue: WaterUsage


def market_of(energy: Bounds[Energy], pue: PowerUsage, contract: Intensity | None) -> MarketRecord | None:
    """Price an energy by a contract; ``None`` without one.

    Args:
        energy: The IT energy.
        pue: The site's energy for each unit of it.
        contract: The factor of the contract.
    """
    if contract is None:
        return None
    priced = footprint(energy, pue, contract)
    return MarketRecord(priced.value.grams, priced.low.grams, priced.high.grams, contract)


def scopes_of(energy: Energy, pue: PowerUsage, intensity: Intensity) -> ScopesRecord | None:
    """Split a figure by scope; ``None`` where the source of the factor does not.

    Args:
        energy: The IT energy.
        pue: The site's energy for each unit of it.
        intensity: The factor of the figure.
    """
    if intensity.direct is None or intensity.upstream is None:
        return None
    kilowatt_hours = energy.kilowatt_hours * pue.value
    return ScopesRecord(kilowatt_hours * intensity.direct, kilowatt_hours * intensity.upstream)


def water_of(energy: Bounds[Energy] | None, wue: WaterUsage | None) -> WaterRecord | None:
    """The water for an energy; ``None`` where the user asked for none, or no energy is known.

    Args:
        energy: The IT energy.
        wue: The litres for each kWh of it.
    """
    if energy is None or wue is None:
        return None
    litres = energy.map(lambda amount: amount.kilowatt_hours).times(wue)
    return WaterRecord(litres.value, litres.low, litres.high, wue)
