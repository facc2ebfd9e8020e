"""What a budget is, and how much of it an energy uses."""

from __future__ import annotations

import pytest

from lightning_carbon.carbon.budgets import Budget, Quantity, budget_of
from lightning_carbon.grid.pue import pue_of
from lightning_carbon.settings.grid_checks import check_intensity
from lightning_carbon.units import Energy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 kWh", Budget(Quantity.ENERGY, 7.2e6, "2 kWh")),
        ("1_000J", Budget(Quantity.ENERGY, 1e3, "1_000J")),
        (" 1.5 MJ ", Budget(Quantity.ENERGY, 1.5e6, "1.5 MJ")),
        ("500 g", Budget(Quantity.CARBON, 500.0, "500 g")),
        ("2e-1 kgCO2e", Budget(Quantity.CARBON, 200.0, "2e-1 kgCO2e")),
        ("1 t CO2", None),
        ("10 EUR", Budget(Quantity.COST, 10.0, "10 EUR", "EUR")),
        ("0 kWh", None),
        ("1e999 kWh", None),
        ("-1 kWh", None),
        ("kWh", None),
        ("2", None),
        ("2 kwh", None),
        ("10 euro", None),
    ],
)
def test_a_budget_is_an_amount_with_its_unit(text: str, expected: Budget | None) -> None:
    """Of energy, of CO2e or of money; nothing is guessed."""
    assert expected == budget_of(text)


@pytest.mark.parametrize(("text", "share"), [("2 kWh", 0.5), ("1 kg", 0.15), ("1 EUR", 0.375)])
def test_an_energy_uses_a_share_of_it(text: str, share: float) -> None:
    """CO2e and money include PUE, and energy does not."""
    budget, intensity = budget_of(text), check_intensity(100)

    assert budget is not None
    assert intensity is not None
    assert pytest.approx(share) == budget.share(Energy.from_joules(3.6e6), pue_of(1.5), intensity, price_per_kwh=0.25)
