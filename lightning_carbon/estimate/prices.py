"""Prices of an hour of an accelerator and of a kilowatt-hour. Pure; the prices themselves are data.

Prices are in US dollars of their year, and each carries its source: a price without a year says nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.units import Energy


@dataclass(frozen=True, slots=True)
class CloudPrice:
    """The price of an accelerator in a cloud, in USD for an hour.

    Args:
        low: The low end, such as the price of capacity that may be taken away at any time (pre-emptible, spot).
        high: The high end, such as the list price on demand; at least ``low``.
        source: Who asked it, or who published it.
        year: The year it was asked in; ``None`` where the user gave it, or the source has it.
    """

    low: float
    high: float
    source: str
    year: int | None


@dataclass(frozen=True, slots=True)
class ElectricityPrice:
    """The price of a kilowatt-hour.

    Args:
        usd_per_kwh: USD for a kWh.
        source: Who asked it, or who published it.
        year: The year it was asked in; ``None`` where the user gave it, or the source has it.
    """

    usd_per_kwh: float
    source: str
    year: int | None


def price_for(name: str, prices: Mapping[str, CloudPrice]) -> CloudPrice | None:
    """The price of an accelerator, by the word of its name that prices are listed under.

    Args:
        name: Its driver's name for it, such as ``"Tesla P100-PCIE-16GB"``.
        prices: Prices by short names, such as ``"P100"``.

    Returns:
        The price; ``None`` where no word has one, and for a slice of a GPU (MIG), which is not sold alone.
    """
    words = set(re.split(r"[^a-z0-9]+", name.casefold()))
    if "mig" in words:
        return None
    return next((price for short, price in prices.items() if short.casefold() in words), None)


def cloud_usd(hours: float, count: int, price: CloudPrice) -> tuple[float, float]:
    """The cost of accelerators in a cloud.

    Args:
        hours: The duration.
        count: The number of accelerators.
        price: The price of an accelerator for an hour.

    Returns:
        The low and the high end, in USD.
    """
    accelerator_hours = hours * count
    return accelerator_hours * price.low, accelerator_hours * price.high


def electricity_usd(energy: Energy, usd_per_kwh: float) -> float:
    """The cost of electricity.

    Args:
        energy: The site's energy: that of its computers times the PUE, since the site pays for both.
        usd_per_kwh: The price.

    Returns:
        USD.
    """
    return energy.kilowatt_hours * usd_per_kwh
