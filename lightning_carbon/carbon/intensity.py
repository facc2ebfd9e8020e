"""The two factors between a joule at the plug of a server and a gram of CO2e, each with range and source.

They are stored in journals and records as they stand here, so the names of their fields are keys of a file.

References:
    GHG Protocol, *Scope 2 Guidance* (2015): the emissions of burning fuel in power stations are Scope 2; those of
    producing the fuel and building the stations are Scope 3, category 3 (*Corporate Value Chain Standard*, 2011,
    section 5.4). A life-cycle factor holds both, so its figure is no "location-based Scope 2".
"""

from __future__ import annotations

from typing import Final

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.values import dataclass

LIFE_CYCLE: Final = "life-cycle"
"""The word of a basis that counts fuel, building and dismantling beside the combustion."""
DIRECT: Final = "direct"
"""The word of a basis that counts what leaves the stacks of power stations, and nothing else."""
LOCATION: Final = "location"
"""Accounting by the grid of the place."""
MARKET: Final = "market"
"""Accounting by the contract of the user."""
AVERAGE: Final = "average"
"""The emissions of all generation, shared by all consumption."""
MARGINAL: Final = "marginal"
"""The emissions of the generation that answers a change of the consumption."""
GIVEN: Final = "given"
"""The source of a factor that the user gave."""
MIN_DOUBTLESS_GRAMS: Final = 1.0
"""The lowest intensity in the literature, in gCO2e/kWh (IPCC AR5 WG III, 2014, table A.III.2: hydropower); a smaller
figure other than 0 is more likely in kg."""
MAX_GRAMS: Final = 5_000.0
"""Over twice the highest intensity there, 2,200 gCO2e/kWh; a larger figure is in mg."""


@dataclass(frozen=True, slots=True)
class Intensity(Bounds[float]):
    """The carbon intensity of the electricity of a place and time, in gCO2e/kWh.

    Args:
        value: The central value.
        low: The lower end of its range; at most ``value``.
        high: The upper end of its range; at least ``value``.
        source: Its publisher.
        year: The year that it describes; ``None`` where the user gave the value.
        basis: The emissions counted, and whose: ``"life-cycle, generation"``, ``"direct, generation"``, ``"life-cycle,
            consumption"`` (with trade across borders) or ``"as given"``.
        region: The ISO 3166-1 alpha-3 code, the code of a zone inside a country (``"US-CA"``), ``"WORLD"``, ``"mix"``,
            or ``"custom"`` where the user gave the value.
        assumed: Whether the place of the run is unknown and the value therefore assumed.
        typed: The region as the user typed it; ``None`` where none was given.
        licence: The licence of the source's data; empty where none is known or needed.
        direct: The part of the value that power stations emit (Scope 2); ``None`` where the source does not split it.
        upstream: The part of producing fuel and building stations (Scope 3, category 3); ``None``
            where it does not.
        accounting: ``"location"``, or ``"market"`` for the factor of a contract.
        signal: ``"average"``, or ``"marginal"``, which is never mixed with averages.
        span: The methods and years that the range spans, in words; empty in records of before.
    """

    value: float
    low: float
    high: float
    source: str
    year: int | None
    basis: str
    region: str
    assumed: bool
    typed: str | None = None
    licence: str = ""
    direct: float | None = None
    upstream: float | None = None
    accounting: str = LOCATION
    signal: str = AVERAGE
    span: str = ""

    @property
    def place(self) -> str:
        """The place as people see it: as typed, else by its code."""
        return self.typed or self.region

    @property
    def scopes(self) -> str:
        """The scopes of the GHG Protocol that the value belongs to, in words; empty where the user gave the value."""
        if self.direct is not None and self.upstream is not None:
            return f"Scope 2 (direct) {self.direct:.4g} + Scope 3 category 3 (upstream) {self.upstream:.4g} gCO2e/kWh"
        if self.basis.startswith(DIRECT):
            return "Scope 2 (direct emissions alone)"
        if self.basis.startswith(LIFE_CYCLE):
            return "Scope 2 and Scope 3 category 3 together, which the source does not split"
        return ""


@dataclass(frozen=True, slots=True)
class PowerUsage(Bounds[float]):
    """Power usage effectiveness (ISO/IEC 30134-2): energy into the site for each unit of energy into its IT equipment.

    Args:
        value: The central value, at least 1.
        low: The lower end of its range.
        high: The upper end of its range.
        source: Its publisher, or ``"given"``.
        assumed: Whether the site's own figure is unknown and the value therefore assumed.
    """

    value: float
    low: float
    high: float
    source: str
    assumed: bool
