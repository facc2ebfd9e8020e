"""A coverage interval: where a figure lies with a stated probability, as opposed to the bounds that hold it. Pure."""

from __future__ import annotations

from typing import Final

from lightning_carbon.values import dataclass

LEVEL: Final = 0.9
"""The probability that intervals of records are for."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The interval that a figure lies in with a stated probability.

    Args:
        low: The lower end, in the unit of the figure.
        high: The upper end.
        level: The probability, 0 to 1.
        method: ``"closed form"`` where a single cause of error decides, else ``"Monte Carlo"``.
        draws: How many draws were made; ``None`` in closed form.
        seed: The seed of the draws; ``None`` in closed form.
    """

    low: float
    high: float
    level: float
    method: str
    draws: int | None = None
    seed: int | None = None
