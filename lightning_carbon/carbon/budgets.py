"""A budget: an amount of energy, CO2e or money that a run may use. Pure."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.footprint import mass_of
from lightning_carbon.units import GRAMS_IN, JOULES_IN
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.units import Energy


class Quantity(StrEnum):
    """The quantity that a budget limits."""

    ENERGY = "energy"
    """Energy of the machines at their plugs, or of what is metered of them, without PUE."""
    CARBON = "CO2e"
    """CO2e of the run, PUE included."""
    COST = "cost"
    """The price of the electricity, PUE included."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may use.

    Args:
        quantity: The quantity that is limited.
        amount: The limit, in joules, in grams of CO2e, or in units of the currency; more than zero.
        text: The budget as it was given.
        currency: The currency, by its code of three letters; empty where the limit is no money.
    """

    quantity: Quantity
    amount: float
    text: str
    currency: str = ""

    def share(self, energy: Energy, pue: PowerUsage, intensity: Intensity, *, price_per_kwh: float = 0.0) -> float:
        """The share of the budget that an energy uses.

        Args:
            energy: Energy of the run's machines, without PUE.
            pue: The site's energy for each unit of it.
            intensity: The emissions of a unit of electricity.
            price_per_kwh: The price of a kWh in the budget's currency; needed where it limits cost.
        """
        used = {
            Quantity.ENERGY: energy.joules,
            Quantity.CARBON: mass_of(energy, pue, intensity).grams,
            Quantity.COST: energy.kilowatt_hours * pue.value * price_per_kwh,
        }
        return used[self.quantity] / self.amount


_AMOUNT: Final = r"\s*(?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?P<unit>[A-Za-z]+?)(?:CO2e?)?\s*"
_CURRENCY: Final = r"[A-Z]{3}"


def budget_of(text: str) -> Budget | None:
    """The budget that a text names, such as ``"2 kWh"``, ``"500 g"`` or ``"10 EUR"``; ``None`` where it names none."""
    found = re.fullmatch(_AMOUNT, text)
    if found is None:
        return None
    amount, unit = float(found["number"]), found["unit"]
    if not 0 < amount < math.inf:
        return None
    if unit in JOULES_IN:
        return Budget(Quantity.ENERGY, amount * JOULES_IN[unit], text.strip())
    if unit in GRAMS_IN:
        return Budget(Quantity.CARBON, amount * GRAMS_IN[unit], text.strip())
    return Budget(Quantity.COST, amount, text.strip(), unit) if re.fullmatch(_CURRENCY, unit) else None
