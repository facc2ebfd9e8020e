"""A figure with its range, in words, for statements and cards. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.records.numbers import amount, digits, span

if TYPE_CHECKING:
    from lightning_carbon.carbon.uncertainty import Bounds
    from lightning_carbon.records.numbers import Scale


def in_unit(figure: Bounds[float], unit: str) -> str:
    """A figure with its range in a fixed unit, such as ``1.20 kWh (1.10 to 1.30)``."""
    return f"{digits(figure.value)} {unit} ({digits(figure.low)} to {digits(figure.high)})"


def scaled(figure: Bounds[float], scale: Scale) -> str:
    """A figure with its range in the unit that suits its size."""
    return f"{amount(figure.value, scale)} ({span(figure.low, figure.high, scale, like=figure.value)})"
