"""Least squares without negative values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.least_squares import RidgeProblem

UNIT = st.floats(0.0, 1.0)


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
    values = RidgeProblem(columns, ridge).solve(observed, [0.5] * len(columns), sweeps=5_000)
    told = RidgeProblem(columns, ridge).predict(values)

    for column, value in zip(columns, values, strict=True):
        slope = ridge * (value - 0.5) + sum(
            weight * (fitted - seen) for weight, fitted, seen in zip(column, told, observed, strict=True)
        )
        assert value >= 0.0
        assert slope >= -1e-4
        assert abs(slope) <= 1e-4 or value == pytest.approx(0.0, abs=1e-4)


def test_data_that_decide_everything_have_all_the_freedom() -> None:
    """The ridge decides what the data do not."""
    decided = RidgeProblem([[1e3, 0.0], [0.0, 1e3]], 0.01)
    alike = RidgeProblem([[1.0, 1.0], [1.0, 1.0]], 0.01)

    assert decided.freedom == pytest.approx(2.0, abs=1e-6)
    assert alike.freedom == pytest.approx(1.0, abs=0.01)
    assert alike.solve([3.0, 3.0], [1.0, 1.0]) == pytest.approx([1.5, 1.5], rel=0.01)


def test_a_descent_that_has_arrived_ends() -> None:
    """One unknown that would be negative is zero, and the other explains what is left."""
    values = RidgeProblem([[1.0, 1.0], [0.0, 1.0]], 1e-6).solve([2.0, 1.0], [0.0, 0.0])

    assert values == pytest.approx([1.5, 0.0], abs=1e-3)
