"""The two factors between a joule at the plug of a server and a gram of CO2e, each with range and source.

They are stored in journals and records as they stand here, so the names of their fields are keys of a file.
"""

from __future__ import annotations

from dataclasses import dataclass

from lightning_carbon.carbon.uncertainty import Bounds


@dataclass(frozen=True, slots=True)
class Intensity(Bounds[float]):
    """The carbon intensity of the electricity of a place and time, in gCO2e/kWh.

    Args:
        value: The central value.
        low: The lower end of its range; at most ``value``.
        high: The upper end of its range; at least ``value``.
        source: Its publisher.
        year: The year that it describes; ``None`` where the user gave the value.
        basis: The emissions counted, such as ``"life-cycle, generation"``; location-based unless it says otherwise.
        region: The ISO 3166-1 alpha-3 code, ``"WORLD"``, or ``"custom"`` where the user gave the value.
        assumed: Whether the place of the run is unknown and the value therefore assumed.
    """

    value: float
    low: float
    high: float
    source: str
    year: int | None
    basis: str
    region: str
    assumed: bool


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
