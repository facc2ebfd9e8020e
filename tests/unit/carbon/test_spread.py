"""How uncertain inputs are spread."""

from __future__ import annotations

from itertools import pairwise
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.spread import NORMAL_90, Shape, Spread, standard_normal

SHARES = [(place + 0.5) / 1_000 for place in range(1_000)]


@st.composite
def spreads(draw: st.DrawFn) -> Spread:
    """Any range that is not negative, read in any way."""
    low, value, high = sorted(draw(st.tuples(*[st.floats(0, 1e6)] * 3)))
    return Spread(low, value, high, draw(st.sampled_from(Shape)))


@given(spreads())
def test_quantiles_rise_and_are_never_negative(spread: Spread) -> None:
    """Whatever the range is read as."""
    found = spread.quantiles(SHARES)

    assert all(first <= second + 1e-9 * spread.high for first, second in pairwise(found))
    assert min(found) >= 0


@given(spreads().filter(lambda spread: spread.shape is not Shape.NORMAL))
def test_limits_hold_all_of_it(spread: Spread) -> None:
    """A uniform and a triangular distribution have no tails."""
    found = spread.quantiles(SHARES)

    assert spread.low - 1e-9 * spread.high <= found[0]
    assert found[-1] <= spread.high * (1 + 1e-9)


def test_each_shape_has_its_ninety_percent() -> None:
    """Of 10 around 100: nine tenths of limits, less of a triangle, all of a normal distribution's range."""
    ends = {shape: Spread(90.0, 100.0, 110.0, shape).quantiles([0.05, 0.5, 0.95]) for shape in Shape}

    assert ends[Shape.UNIFORM] == pytest.approx([91.0, 100.0, 109.0])
    assert ends[Shape.TRIANGULAR] == pytest.approx([90 + 10 * 0.1**0.5, 100.0, 110 - 10 * 0.1**0.5])
    assert ends[Shape.NORMAL] == pytest.approx([90.0, 100.0, 110.0], rel=1e-5)


def test_a_lopsided_range_is_a_lopsided_distribution() -> None:
    """The value is the median of a normal and the mode of a triangular distribution; limits have nothing but ends."""
    normal = Spread(40.0, 100.0, 110.0, Shape.NORMAL).quantiles([0.05, 0.5, 0.95])
    triangle = Spread(100.0, 100.0, 110.0, Shape.TRIANGULAR).quantiles([0.0, 1.0])

    assert normal == pytest.approx([40.0, 100.0, 110.0], rel=1e-4)
    assert triangle == pytest.approx([100.0, 110.0])


def test_a_point_has_no_spread() -> None:
    """What is given is given."""
    assert [5.0, 5.0] == Spread(5.0, 5.0, 5.0, Shape.NORMAL).quantiles([0.05, 0.95])
    assert Spread(5.0, 5.0, 5.0, Shape.UNIFORM).is_exact


def test_an_error_may_be_negative() -> None:
    """The sum of small offsets lies around zero."""
    assert Spread(-2.0, 0.0, 2.0, Shape.NORMAL).quantiles([0.001])[0] == pytest.approx(
        -2.0 * 3.0902 / NORMAL_90, rel=1e-4
    )


@given(st.floats(0.0001, 0.9999))
def test_the_normal_quantile_is_that_of_the_standard_library(share: float) -> None:
    """To the eighth decimal, without its import."""
    assert standard_normal(share) == pytest.approx(NormalDist().inv_cdf(share), abs=2e-8)
