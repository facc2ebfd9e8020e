"""A coverage interval: where a figure lies with a stated probability, as opposed to the bounds that hold it. Pure."""

from __future__ import annotations

from typing import Final

from lightning_carbon.values import dataclass, field, replace

LEVEL: Final = 0.9
"""The probability that intervals of records are for."""
OWN: Final = "own"
"""The name of all errors that a figure has for itself: in a sum, those of one figure are independent of another's."""


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
        causes: How much of it each cause of error has, below and above the figure, in its unit; their squares add up to
            those of the interval. Causes of a name go together in a sum over runs, and all that is a run's own is
            ``"own"``.
    """

    low: float
    high: float
    level: float
    method: str
    draws: int | None = None
    seed: int | None = None
    causes: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def can_be_added(self) -> bool:
        """Whether its causes are known, which records of before do not tell."""
        return bool(self.causes) or self.low >= self.high

    def times(self, factor: float) -> Interval:
        """The interval of a multiple of the figure, as in another unit."""
        causes = {name: (below * factor, above * factor) for name, (below, above) in self.causes.items()}
        return replace(self, low=self.low * factor, high=self.high * factor, causes=causes)
