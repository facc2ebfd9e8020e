"""What an hour of an accelerator and a kilowatt-hour cost. Pure; which prices hold is data's to say.

Prices are in US dollars of their year, and each carries where it is from: a price without a year says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning_carbon.units import Energy


@dataclass(frozen=True, slots=True)
class CloudPrice:
    """What one accelerator costs in a cloud, in USD for an hour.

    Args:
        low: The low end, such as the price of capacity that may be taken away at any time (pre-emptible, spot).
        high: The high end, such as the list price on demand; at least ``low``.
        source: Who asked it, or who published it.
        year: The year it was asked in.
    """

    low: float
    high: float
    source: str
    year: int


@dataclass(frozen=True, slots=True)
class ElectricityPrice:
    """What a kilowatt-hour costs.

    Args:
        usd_per_kwh: USD for a kWh.
        source: Who asked it, or who published it.
        year: The year it was asked in; ``None`` where the user gave it.
    """

    usd_per_kwh: float
    source: str
    year: int | None


def cloud_usd(hours: float, count: int, price: CloudPrice) -> tuple[float, float]:
    """What accelerators cost in a cloud.

    Args:
        hours: How long they are taken.
        count: How many.
        price: What one costs for an hour.

    Returns:
        The low and the high end, in USD.
    """
    accelerator_hours = hours * count
    return accelerator_hours * price.low, accelerator_hours * price.high


def electricity_usd(energy: Energy, usd_per_kwh: float) -> float:
    """What electricity costs.

    Args:
        energy: What the site draws: the energy of its computers times the PUE, since the site pays for both.
        usd_per_kwh: The price.

    Returns:
        USD.
    """
    return energy.kilowatt_hours * usd_per_kwh
