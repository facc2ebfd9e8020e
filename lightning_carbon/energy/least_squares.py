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
    """Rows of data with weights, as columns: one for each unknown, and that of what was observed.

    Args:
        columns: The weight of every unknown in every row; each column as long as the others.
        ridge: How strongly each unknown is drawn to its centre, above 0.
    """

    def __init__(self, columns: Sequence[Sequence[float]], ridge: float) -> None:
        self._columns = columns
        self._ridge = ridge
        self._gram = [[_dot(column, other) for other in columns[: place + 1]] for place, column in enumerate(columns)]
        for place, row in enumerate(self._gram):
            row[place] += ridge
        self._lower = _cholesky(self._gram)
        self._rows = [
            [*row, *(later[place] for later in self._gram[place + 1 :])] for place, row in enumerate(self._gram)
        ]

    def solve(self, observed: Sequence[float], centres: Sequence[float], *, sweeps: int = MOST_SWEEPS) -> list[float]:
        """The values, none negative, that explain what was observed best.

        Args:
            observed: What was observed, by row.
            centres: What each unknown is drawn to.
            sweeps: The most rounds of descent.
        """
        moments = [
            _dot(column, observed) + self._ridge * centre for column, centre in zip(self._columns, centres, strict=True)
        ]
        found = _substitute(self._lower, moments)
        if min(found) >= 0.0:
            return found
        return self._descend(moments, [max(0.0, value) for value in found], sweeps)

    def predict(self, values: Sequence[float]) -> list[float]:
        """What would be observed, by row."""
        rows = len(self._columns[0])
        total = [0.0] * rows
        for column, value in zip(self._columns, values, strict=True):
            if value:
                total = [before + value * weight for before, weight in zip(total, column, strict=True)]
        return total

    @property
    def freedom(self) -> float:
        """How many unknowns the data decide: all of them where they decide everything, 0 where centres do."""
        inverse = _inverse(self._lower)
        return len(self._columns) - self._ridge * sum(_dot(row, row) for row in inverse)

    def _descend(self, moments: Sequence[float], values: list[float], sweeps: int) -> list[float]:
        for _ in range(sweeps):
            moved = 0.0
            for place, row in enumerate(self._rows):
                before = values[place]
                values[place] = max(0.0, before + (moments[place] - _dot(row, values)) / row[place])
                moved = max(moved, abs(values[place] - before))
            if moved <= _STILL * max(values):
                break
        return values


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(map(mul, left, right), 0.0)


def _cholesky(gram: Sequence[Sequence[float]]) -> list[list[float]]:
    """The lower triangle whose product with its transpose is a matrix, of which the lower triangle is given."""
    lower: list[list[float]] = []
    for place, row in enumerate(gram):
        made: list[float] = []
        for other, above in enumerate(lower):
            made.append((row[other] - _dot(made, above)) / above[other])
        made.append(sqrt(max(row[place] - _dot(made, made), 0.0)) or 1.0)
        lower.append(made)
    return lower


def _substitute(lower: Sequence[Sequence[float]], moments: Sequence[float]) -> list[float]:
    forth: list[float] = []
    for row, moment in zip(lower, moments, strict=True):
        forth.append((moment - _dot(row, forth)) / row[-1])
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
            column.append((unit - _dot(lower[place][start:], column)) / lower[place][place])
        columns.append(column)
    return columns
