"""A figure with the range it lies in: the one type for value, low and high, whatever the unit. Pure.

Ranges are combined end to end (interval arithmetic): errors are not assumed to cancel, so the range of a result follows
from the ranges of its inputs and is not a confidence interval. The 90 % interval of a figure (``monte_carlo``) lies
within its bounds.
"""

from __future__ import annotations

from operator import add, mul
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


class _Addable(Protocol):
    def __add__(self, other: Any, /) -> Any:  # noqa: ANN401 - whatever the amount is added to
        ...


Amount = TypeVar("Amount")
OtherAmount = TypeVar("OtherAmount")
Result = TypeVar("Result")
AddableAmount = TypeVar("AddableAmount", bound=_Addable)


@dataclass(frozen=True, slots=True)
class Bounds(Generic[Amount]):
    """A figure that is not negative, and the range it lies in.

    Args:
        value: The central value.
        low: The lower end; at most ``value``.
        high: The upper end; at least ``value``.
    """

    value: Amount
    low: Amount
    high: Amount

    @staticmethod
    def exactly(value: Result) -> Bounds[Result]:
        """A figure whose range is a point, as of a figure that the user gave."""
        return Bounds(value, value, value)

    def map(self, function: Callable[[Amount], Result]) -> Bounds[Result]:
        """Apply a rising function, such as a change of the unit, to the value and both ends."""
        return Bounds(function(self.value), function(self.low), function(self.high))

    def combine(self, other: Bounds[OtherAmount], function: Callable[[Amount, OtherAmount], Result]) -> Bounds[Result]:
        """Apply a function that rises with both figures to the two values, the two lows and the two highs."""
        return Bounds(function(self.value, other.value), function(self.low, other.low), function(self.high, other.high))

    def __add__(self: Bounds[AddableAmount], other: Bounds[AddableAmount]) -> Bounds[AddableAmount]:
        """Add end to end: errors of sensors are not assumed to cancel."""
        return self.combine(other, add)

    def times(self: Bounds[float], other: Bounds[float] | float) -> Bounds[float]:
        """Multiply low with low and high with high."""
        return self.combine(other if isinstance(other, Bounds) else Bounds.exactly(other), mul)

    def under(self: Bounds[float], numerator: float) -> Bounds[float]:
        """Divide a number by this figure; the low end of the result comes from the high end of the figure."""
        return Bounds(numerator / self.value, numerator / self.high, numerator / self.low)
