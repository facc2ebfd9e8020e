"""Least squares without negative values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.least_squares import MOST_SWEEPS, RidgeProblem, dot

UNIT = st.floats(0.0, 1.0)


def solved(
    columns: list[list[float]], observed: list[float], ridge: float, *, centre: float, sweeps: int = MOST_SWEEPS
) -> list[float]:
    """The values that explain rows of data, given as columns."""
    moments = [dot(column, observed) for column in columns]
    return problem_of(columns, ridge).solve(moments, [centre] * len(columns), sweeps=sweeps)


def problem_of(columns: list[list[float]], ridge: float) -> RidgeProblem:
    """The problem of rows of data."""
    return RidgeProblem([[dot(left, right) for right in columns[: n + 1]] for n, left in enumerate(columns)], ridge)


@given(
    st.integers(1, 4).flatmap(
        lambda unknowns: st.tuples(
            st.lists(st.lists(UNIT, min_size=6, max_size=6), min_size=unknowns, max_size=unknowns),
            st.lists(st.floats(-2.0, 2.0), min_size=6, max_size=6),
            st.floats(0.01, 1.0),
        )
    )
)
def test_no_step_from_the_answer_that_is_allowed_explains_more(
    problem: tuple[list[list[float]], list[float], float],
) -> None:
    """No value is negative, and where one is above zero, or could rise, the misfit is at its least."""
    columns, observed, ridge = problem
    values = solved(columns, observed, ridge, centre=0.5, sweeps=5_000)
    told = [dot(values, row) for row in zip(*columns, strict=True)]

    for column, value in zip(columns, values, strict=True):
        slope = ridge * (value - 0.5) + sum(
            weight * (fitted - seen) for weight, fitted, seen in zip(column, told, observed, strict=True)
        )
        assert value >= 0.0
        assert slope >= -1e-4
        assert abs(slope) <= 1e-4 or value == pytest.approx(0.0, abs=1e-4)


def test_data_that_decide_everything_have_all_the_freedom() -> None:
    """The ridge decides what the data do not."""
    alike = [[1.0, 1.0], [1.0, 1.0]]

    assert problem_of([[1e3, 0.0], [0.0, 1e3]], 0.01).freedom == pytest.approx(2.0, abs=1e-6)
    assert problem_of(alike, 0.01).freedom == pytest.approx(1.0, abs=0.01)
    assert solved(alike, [3.0, 3.0], 0.01, centre=1.0) == pytest.approx([1.5, 1.5], rel=0.01)


def test_a_descent_that_has_arrived_ends() -> None:
    """One unknown that would be negative is zero, and the other explains what is left."""
    values = solved([[1.0, 1.0], [0.0, 1.0]], [2.0, 1.0], 1e-6, centre=0.0)

    assert values == pytest.approx([1.5, 0.0], abs=1e-3)
