"""The 90 % interval of a sum over runs."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_carbon.carbon.interval import LEVEL, OWN, Interval
from lightning_carbon.carbon.interval_sums import (
    IN_SQUARES,
    causes_of,
    interval_around,
    interval_between,
    interval_of_product,
    interval_of_sum,
)
from lightning_carbon.carbon.monte_carlo import Parts, Term, World, interval_of, pue_spread, sum_of
from lightning_carbon.carbon.spread import Shape, Spread
from lightning_carbon.carbon.uncertainty import Bounds
from tests.unit.records.samples import SURVEY

halves = st.tuples(st.floats(0.0, 1e6), st.floats(0.0, 1e6))
causes = st.dictionaries(st.sampled_from(["gpu A100", "gpu H100", "grid SWE", "PUE survey", OWN]), halves, max_size=5)
figures = st.tuples(st.floats(0.0, 1e9), causes).map(lambda drawn: (drawn[0], interval_around(*drawn)))


def sensors(causes: list[str], joules: float = 1_000.0) -> tuple[float, Interval]:
    """A run of sensors, each with a gain that is uniform within 10 %, and an offset of its own."""
    gain = Spread(0.9, 1.0, 1.1, Shape.UNIFORM)
    parts = Parts(tuple(Term(cause, joules, gain) for cause in causes), ((-20.0, 20.0),))
    total = joules * len(causes)
    return total, interval_of(lambda world: sum_of(parts, world), Bounds(total, 0.0, 3 * total))


def width(interval: Interval | None) -> float:
    """The width."""
    assert interval is not None
    return interval.high - interval.low


@given(figures, st.integers(1, 50))
def test_runs_of_one_common_cause_scale_as_their_sum(figure: tuple[float, Interval], count: int) -> None:
    """They all err the same way, whatever they add up to; and a sum of a single run is that run."""
    value, interval = figure
    common = interval_around(value, {name: ends for name, ends in interval.causes.items() if name != OWN})
    found, single = interval_of_sum([(value, common)] * count), interval_of_sum([figure])
    assert single is not None

    assert count * width(common) == pytest.approx(width(found), rel=1e-9, abs=1e-6)
    assert (single.low, single.high) == pytest.approx((interval.low, interval.high), rel=1e-9, abs=1e-6)


@given(st.floats(1.0, 1e6), halves, st.integers(1, 400))
def test_independent_runs_scale_as_the_root_of_their_number(
    value: float, ends: tuple[float, float], count: int
) -> None:
    """What is a run's own cancels in part against that of the others."""
    found = interval_of_sum([(value, interval_around(value, {OWN: ends}))] * count)

    assert sqrt(count) * sum(ends) == pytest.approx(width(found), rel=1e-9, abs=1e-6)


@given(st.lists(figures, max_size=8))
def test_a_sum_is_never_wider_than_its_parts_together(parts: list[tuple[float, Interval]]) -> None:
    """Nor does it leave the ends added up, or its value."""
    found = interval_of_sum(parts)
    total = sum(value for value, _ in parts)
    assert found is not None

    assert width(found) <= sum(width(interval) for _, interval in parts) * (1 + 1e-9) + 1e-6
    assert sum(interval.low for _, interval in parts) - 1e-3 <= found.low <= total + 1e-3
    assert total - 1e-3 <= found.high <= sum(interval.high for _, interval in parts) + 1e-3


@given(st.lists(figures, min_size=2, max_size=6), st.integers(1, 5))
def test_a_sum_of_sums_is_the_sum(parts: list[tuple[float, Interval]], cut: int) -> None:
    """However it is divided, as by projects."""
    groups = [group for group in (parts[:cut], parts[cut:]) if group]
    joined = [(sum(value for value, _ in group), interval_of_sum(group)) for group in groups]
    whole, again = interval_of_sum(parts), interval_of_sum(joined)
    assert whole is not None
    assert again is not None

    assert (whole.low, whole.high) == pytest.approx((again.low, again.high), rel=1e-9, abs=1e-3)


@settings(max_examples=8)
@given(st.lists(st.sampled_from(["gpu A", "gpu B", "gpu C", "cpu"]), min_size=1, max_size=6), st.integers(1, 5))
def test_it_agrees_with_drawing_all_runs_at_once(first: list[str], second: int) -> None:
    """Within a tenth of the width: the law of propagation against Monte Carlo over both runs."""
    runs = [sensors(first), sensors(["gpu A"] * second, 700.0)]
    gain = Spread(0.9, 1.0, 1.1, Shape.UNIFORM)
    terms = [(cause, 1_000.0) for cause in first] + [("gpu A", 700.0)] * second
    parts = Parts(tuple(Term(cause, joules, gain) for cause, joules in terms), ((-20.0, 20.0),) * 2)
    total = sum(value for value, _ in runs)
    drawn = interval_of(lambda world: sum_of(parts, world), Bounds(total, 0.0, 3 * total))

    assert width(drawn) == pytest.approx(width(interval_of_sum(runs)), rel=0.1)


def test_causes_of_a_run_are_what_each_has_in_its_interval() -> None:
    """Their squares add up to the interval, offsets are the run's own, and what hardly counts goes there, too."""
    value, interval = sensors(["gpu A", "gpu B", "gpu B"])
    below, above = (sqrt(sum(ends[side] ** 2 for ends in interval.causes.values())) for side in (0, 1))

    assert {"gpu A", "gpu B", OWN} == {*interval.causes}
    assert (value - interval.low, interval.high - value) == pytest.approx((below, above))
    assert 2.0 == pytest.approx(interval.causes["gpu B"][0] / interval.causes["gpu A"][0])
    assert {"a": (1.0, 1.0), OWN: (1e-4, 1e-4)} == {
        name: pytest.approx(ends, abs=1e-6)
        for name, ends in causes_of({"a": (1, 1), "b": (1e-4, 1e-4)}, (1, 1)).items()
    }
    assert {} == causes_of({OWN: (0.0, 0.0)}, (0.0, 0.0))


def test_several_offsets_are_one_own_error() -> None:
    """In squares, as they are independent of each other."""
    parts = Parts((), ((-10.0, 10.0), (-10.0, 10.0)))
    found = interval_of(lambda world: sum_of(parts, world), Bounds(100.0, 0.0, 1e3))

    assert {OWN} == {*found.causes}


def test_a_world_of_a_single_cause_has_all_others_at_their_median() -> None:
    """So what it draws is what that cause alone moves."""
    world = World((0.05, 0.5, 0.95), only="a")
    spread = Spread(0.0, 1.0, 2.0, Shape.UNIFORM)

    assert [0.1, 1.0, 1.9] == pytest.approx(world.draws("a", spread))
    assert [1.0, 1.0, 1.0] == pytest.approx(world.draws("b", spread))


def test_a_run_without_an_interval_or_without_its_causes_leaves_the_sum_without() -> None:
    """A record of before does not tell what errs together."""
    former = Interval(90.0, 110.0, LEVEL, "Monte Carlo", 2_000, 2019)
    exact = Interval(100.0, 100.0, LEVEL, "closed form")
    known = interval_around(100.0, {OWN: (3.0, 4.0)})

    assert interval_of_sum([(100.0, known), (100.0, None)]) is None
    assert interval_of_sum([(100.0, known), (100.0, former)]) is None
    assert Interval(197.0, 204.0, LEVEL, IN_SQUARES, causes={OWN: (3.0, 4.0)}) == interval_of_sum(
        [(100.0, known), (100.0, exact)]
    )


def test_a_product_has_the_causes_of_both() -> None:
    """As the energy of a site is that of its machines times a PUE, whose cause it shares with other runs."""
    energy = interval_around(100.0, {"gpu A": (10.0, 10.0)})
    found = interval_of_product(100.0, energy, pue_spread(SURVEY), cause="PUE")
    low, high = pue_spread(SURVEY).quantiles([0.05, 0.95])

    assert (10 * SURVEY.value, 10 * SURVEY.value) == pytest.approx(found.causes["gpu A"])
    assert (100 * (SURVEY.value - low), 100 * (high - SURVEY.value)) == pytest.approx(found.causes["PUE"])
    assert found.low < 100 * SURVEY.value < found.high


def test_limits_alone_are_a_uniform_distribution() -> None:
    """As that of making a card, of which publications differ; a figure at its lower limit has nothing below it."""
    found, at_the_end = interval_between(Bounds(50.0, 0.0, 100.0)), interval_between(Bounds(1.0, 1.0, 2.0))

    assert (5.0, 95.0) == pytest.approx((found.low, found.high))
    assert (1.0, 1.95) == pytest.approx((at_the_end.low, at_the_end.high))
