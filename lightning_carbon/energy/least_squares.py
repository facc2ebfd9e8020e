"""Least squares with quantities that are not negative, for up to some hundred unknowns, by nothing but arithmetic.

A ridge makes every system solvable: each unknown is drawn to a centre of its own, as strongly as a row of data would.
Without negative values, the answer is that of the Cholesky decomposition; else it is found from there by descent along
one coordinate after the other, which ends at the constrained minimum because the problem is convex.
"""

from __future__ import annotations

from math import sqrt
from operator import mul
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SWEEPS: Final = 200
"""The most rounds of descent over all unknowns."""
_STILL: Final = 1e-7
"""The share of the largest unknown by which a round of descent has to move any for another round to follow."""


class RidgeProblem:
    """A problem of least squares, as the products of the weights of its unknowns, summed over all rows of data.

    Args:
        products: Those of each unknown with itself and with those before it: the lower triangle of a matrix.
        ridge: How strongly each unknown is drawn to its centre, above 0.
    """

    def __init__(self, products: Sequence[Sequence[float]], ridge: float) -> None:
        self._ridge = ridge
        gram = [[*row[:-1], row[-1] + ridge] for row in products]
        self._lower = _cholesky(gram)
        self._rows = [[*row, *(later[place] for later in gram[place + 1 :])] for place, row in enumerate(gram)]

    def solve(self, moments: Sequence[float], centres: Sequence[float], *, sweeps: int = MOST_SWEEPS) -> list[float]:
        """The values, none negative, that explain what was observed best.

        Args:
            moments: The products of each unknown's weights with what was observed, summed over all rows.
            centres: What each unknown is drawn to.
            sweeps: The most rounds of descent.
        """
        drawn = [moment + self._ridge * centre for moment, centre in zip(moments, centres, strict=True)]
        found = _substitute(self._lower, drawn)
        if min(found) >= 0.0:
            return found
        return self._descend(drawn, [max(0.0, value) for value in found], sweeps)

    @property
    def freedom(self) -> float:
        """How many unknowns the data decide: all of them where they decide everything, 0 where centres do."""
        inverse = _inverse(self._lower)
        return len(self._rows) - self._ridge * sum(dot(row, row) for row in inverse)

    def _descend(self, moments: Sequence[float], values: list[float], sweeps: int) -> list[float]:
        for _ in range(sweeps):
            moved = 0.0
            for place, row in enumerate(self._rows):
                before = values[place]
                values[place] = max(0.0, before + (moments[place] - dot(row, values)) / row[place])
                moved = max(moved, abs(values[place] - before))
            if moved <= _STILL * max(values):
                break
        return values


def dot(left: Sequence[float], right: Sequence[float]) -> float:
    """The sum of the products of two rows."""
    return sum(map(mul, left, right), 0.0)


def _cholesky(gram: Sequence[Sequence[float]]) -> list[list[float]]:
    """The lower triangle whose product with its transpose is a matrix, of which the lower triangle is given."""
    lower: list[list[float]] = []
    for place, row in enumerate(gram):
        made: list[float] = []
        for other, above in enumerate(lower):
            made.append((row[other] - dot(made, above)) / above[other])
        made.append(sqrt(max(row[place] - dot(made, made), 0.0)) or 1.0)
        lower.append(made)
    return lower


def _substitute(lower: Sequence[Sequence[float]], moments: Sequence[float]) -> list[float]:
    forth: list[float] = []
    for row, moment in zip(lower, moments, strict=True):
        forth.append((moment - dot(row, forth)) / row[-1])
    values = forth
    for place in range(len(lower) - 1, -1, -1):
        row = lower[place]
        values[place] /= row[place]
        for other in range(place):
            values[other] -= row[other] * values[place]
    return values


def _inverse(lower: Sequence[Sequence[float]]) -> list[list[float]]:
    """The columns of the inverse of a lower triangle, each from its first number that is not 0 on."""
    columns = []
    for start in range(len(lower)):
        column: list[float] = []
        for place in range(start, len(lower)):
            unit = 1.0 if place == start else 0.0
            column.append((unit - dot(lower[place][start:], column)) / lower[place][place])
        columns.append(column)
    return columns
