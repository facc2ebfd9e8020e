"""The water of a data centre for each unit of its computers' energy. Pure."""

from __future__ import annotations

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.values import dataclass


@dataclass(frozen=True, slots=True)
class WaterUsage(Bounds[float]):
    """Water usage effectiveness (ISO/IEC 30134-9): the litres that a site uses for each kWh of its IT equipment.

    Water that power stations use is not in it.

    Args:
        value: The central value, in litres/kWh.
        low: The lower end of its range.
        high: The upper end of its range.
        source: Its publisher, or ``"given"``.
        assumed: Whether the site's own figure is unknown and the value therefore a default that was asked for.
    """

    value: float
    low: float
    high: float
    source: str
    assumed: bool
