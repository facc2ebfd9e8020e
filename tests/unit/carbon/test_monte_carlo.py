"""The 90 % interval of an energy and its CO2e."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_carbon.carbon.footprint import footprint
from lightning_carbon.carbon.interval import Interval
from lightning_carbon.carbon.monte_carlo import (
    SEED,
    Parts,
    Plug,
    Priced,
    Term,
    World,
    interval_of,
    intervals_of,
    plugs_of,
    sum_of,
)
from lightning_carbon.carbon.spread import NORMAL_90, Shape, Spread
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.grid.machines import DESKTOP, MACHINES
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy
from tests.unit.records.samples import GIVEN_GRID, GIVEN_PUE, SURVEY, WORLD

HOUR = 3_600
DESK = MACHINES[DESKTOP]
LOW, HIGH = 1579.031353536485, 1822.361480220763
"""The interval of three parts, worked out once."""


def chip(joules: float, ratio: float, cause: str = "gpu", *, watts: float = 0.0, shape: Shape = Shape.UNIFORM) -> Parts:
    """An hour of a sensor."""
    offset = watts * HOUR
    return Parts((Term(cause, joules, Spread(1 - ratio, 1.0, 1 + ratio, shape)),), ((-offset, offset),))


def bounds_of(parts: Parts, scale: float = 1.0) -> Bounds[float]:
    """All errors at their worst together."""
    value = sum(term.amount for term in parts.terms)
    low = sum(term.amount * term.factor.low for term in parts.terms) + sum(low for low, _ in parts.offsets)
    high = sum(term.amount * term.factor.high for term in parts.terms) + sum(high for _, high in parts.offsets)
    return Bounds(value * scale, max(0.0, low) * scale, high * scale)


def width(interval: Interval) -> float:
    """The width."""
    return interval.high - interval.low


def energy_of(parts: Parts) -> Interval:
    """The interval of an energy alone."""
    return interval_of(lambda world: sum_of(parts, world), bounds_of(parts))


def priced(parts: Parts, *, is_assumed: bool = True, plugs: tuple[Plug, ...] | None = None) -> Priced:
    """A run whose bounds are those of interval arithmetic."""
    pue, grid = (SURVEY, WORLD) if is_assumed else (GIVEN_PUE, GIVEN_GRID)
    chips = bounds_of(parts).map(Energy.from_joules)
    machine = None
    if plugs is not None:
        machine = Bounds.exactly(Energy.ZERO)
        for plug in plugs:
            own = bounds_of(plug.chips).map(Energy.from_joules)
            machine += own if plug.rest is None else own + plug.rest.rest_of(own, round(plug.duration_ns))
    mass = footprint(machine or chips, pue, grid).map(lambda mass: mass.grams)
    in_joules = None if machine is None else machine.map(lambda energy: energy.joules)
    return Priced(parts, chips.map(lambda energy: energy.joules), plugs, in_joules, mass, pue, grid)


all_parts = st.lists(
    st.builds(
        chip,
        st.floats(1.0, 1e9),
        st.floats(0.0, 0.9),
        st.sampled_from(["gpu A", "gpu B", "cpu"]),
        watts=st.floats(0.0, 20.0),
        shape=st.sampled_from(Shape),
    ),
    min_size=1,
    max_size=8,
).map(Parts.joined)


@settings(max_examples=12)
@given(all_parts, st.booleans(), st.floats(1.0, 100.0))
def test_an_interval_lies_within_the_bounds_and_around_the_value(
    parts: Parts,
    is_assumed: bool,  # noqa: FBT001 - drawn
    hours: float,
) -> None:
    """Of the chips, of the machine and of the CO2e, whatever they were worked out from."""
    run = priced(parts, is_assumed=is_assumed, plugs=(Plug(parts, hours * HOUR * NANOSECONDS_PER_SECOND, DESK),))
    found = intervals_of(run)

    for interval, bounds in (
        (found.chips, run.chips_bounds),
        (found.machine, run.machine_bounds),
        (found.mass, run.mass_bounds),
    ):
        assert interval is not None
        assert bounds is not None
        assert bounds.low <= interval.low <= bounds.value <= interval.high <= bounds.high


@settings(max_examples=10)
@given(all_parts, st.floats(0.001, 1_000.0))
def test_an_interval_scales_with_its_figure(parts: Parts, factor: float) -> None:
    """Ten times the energy, with ten times the errors, has ten times the interval."""
    small, large = energy_of(parts), energy_of(parts.times(factor))

    assert large.low == pytest.approx(factor * small.low, rel=1e-9, abs=1e-9)
    assert large.high == pytest.approx(factor * small.high, rel=1e-9, abs=1e-9)


@settings(max_examples=6)
@given(st.integers(1, 60), st.floats(0.01, 0.5))
def test_more_independent_parts_never_widen_it(count: int, ratio: float) -> None:
    """As a share of the whole: errors of different causes cancel in part, those of a single cause never do."""
    widths = []
    for parts in (count, 2 * count):
        independent = Parts.joined(chip(1_000.0, 0.0, watts=ratio * 1_000 / HOUR) for _ in range(parts))
        common = Parts.joined(chip(1_000.0, ratio) for _ in range(parts))
        widths.append(width(energy_of(independent)) / parts)

        assert width(energy_of(common)) == pytest.approx(parts * 1_000 * ratio * 1.8, rel=1e-6)

    assert widths[1] < widths[0]


def test_constants_have_no_width() -> None:
    """A figure of which every input is given is itself, in closed form."""
    found = intervals_of(priced(chip(7_40_000.0, 0.0), is_assumed=False))

    assert found.machine is None
    assert Interval(7_40_000.0, 7_40_000.0, 0.9, "closed form") == found.chips
    assert 0.0 == pytest.approx(width(found.mass))


def test_a_single_cause_is_exact() -> None:
    """Its quantiles are known, so nothing is drawn."""
    found = energy_of(chip(1_000.0, 0.10))

    assert "closed form" == found.method
    assert [910.0, 1_090.0] == pytest.approx([found.low, found.high])


def test_two_uniform_causes_are_a_triangle() -> None:
    """The sum of two equal ones has ends that are known: 5 % below 1 - sqrt(0.1) of the way."""
    found = energy_of(Parts.joined([chip(1_000.0, 0.10, "a"), chip(1_000.0, 0.10, "b")]))
    half = 200 * (1 - sqrt(0.1))

    assert (2_000, 2019) == (found.draws, found.seed)
    assert [2_000 - half, 2_000 + half] == pytest.approx([found.low, found.high], abs=0.02 * half)


def test_normal_causes_add_in_squares() -> None:
    """In closed form the 90 % intervals of ten independent normal distributions add as the root of their squares."""
    parts = Parts.joined(chip(1_000.0, 0.02 * number, f"{number}", shape=Shape.NORMAL) for number in range(1, 11))
    found = interval_of(lambda world: sum_of(parts, world), Bounds(10_000.0, 0.0, 1e9))
    half = sqrt(sum((20.0 * number) ** 2 for number in range(1, 11)))

    assert [10_000 - half, 10_000 + half] == pytest.approx([found.low, found.high], abs=0.03 * half)


def test_few_draws_agree_with_many_plain_ones() -> None:
    """2,000 stratified draws against 40,000 plain ones, of eight cards, a model of the rest, PUE and grid."""
    cards = Parts.joined(
        [*(chip(1e6, 0.05, watts=5.0) for _ in range(8)), chip(1e6, 0.3, "cpu", shape=Shape.TRIANGULAR)]
    )
    plugs = (Plug(cards, HOUR * NANOSECONDS_PER_SECOND, DESK),)
    run = priced(cards, plugs=plugs)
    found = intervals_of(run).mass
    random, masses = Random(1), []
    inputs = (
        (DESK.constant_low_watts, DESK.constant_watts, DESK.constant_high_watts),
        (DESK.share_low, DESK.share, DESK.share_high),
    )
    for _ in range(40_000):
        gain, model = random.uniform(-0.05, 0.05), random.triangular(-0.3, 0.3, 0.0)
        offsets = sum(random.uniform(-5, 5) for _ in range(8))
        chips = 8e6 * (1 + gain) + 1e6 * (1 + model) + offsets * HOUR
        constant, share = (random.triangular(low, high, value) for low, value, high in inputs)
        normal = random.gauss(0, 1) / NORMAL_90
        grid = max(0.0, WORLD.value + normal * (WORLD.high - WORLD.value if normal > 0 else WORLD.value - WORLD.low))
        pue = random.triangular(SURVEY.low, SURVEY.high, SURVEY.value)
        masses.append((chips * (1 + share) + constant * HOUR) / 3.6e6 * pue * grid)
    masses.sort()

    assert masses[2_000] == pytest.approx(found.low, abs=0.03 * width(found))
    assert masses[38_000] == pytest.approx(found.high, abs=0.03 * width(found))


def test_the_same_inputs_give_the_same_interval_in_any_order() -> None:
    """To nine digits, and on every platform: these figures were worked out once."""
    parts = [
        chip(1_000.0, 0.10, "a"),
        chip(500.0, 0.20, "b", shape=Shape.TRIANGULAR),
        chip(200.0, 0.1, "c", watts=0.01),
    ]
    there, back = energy_of(Parts.joined(parts)), energy_of(Parts.joined(reversed(parts)))

    assert there.low == pytest.approx(back.low, rel=1e-12)
    assert there.high == pytest.approx(back.high, rel=1e-12)
    assert [LOW, HIGH] == pytest.approx([there.low, there.high], rel=1e-9)


def test_each_stratum_is_drawn_once() -> None:
    """So the draws of a single quantity are its quantiles, in an order of their own for each cause."""
    world = World([0.1, 0.2, 0.3, 0.4], SEED)
    spread = Spread(0.0, 0.5, 1.0, Shape.UNIFORM)
    first, again, other = (world.draws(cause, spread) for cause in ("a", "a", "e"))

    assert first is again
    assert [0.1, 0.2, 0.3, 0.4] == sorted(first) == sorted(other)
    assert first != other
    assert ("a", "e") == world.causes


def test_the_value_is_in_the_interval_of_a_sensor_that_reads_low() -> None:
    """Where a sensor can err to one side alone, the interval begins at what it shows."""
    parts = Parts((Term("gpu", 1_000.0, Spread(1.0, 1.0, 1.2, Shape.UNIFORM)),))

    assert [1_000.0, 1_190.0] == pytest.approx([energy_of(parts).low, energy_of(parts).high])


def test_hosts_of_a_class_err_together() -> None:
    """Two halves of a desktop are as uncertain as a whole, and so are two desktops, as a share."""
    chips = chip(1e6, 0.0)
    ns = HOUR * NANOSECONDS_PER_SECOND
    whole = World([0.05, 0.5, 0.95], SEED)
    halves = [Plug(chips.times(0.5), ns, replace(DESK, portion=0.5, reason=reason)) for reason in ("a", "b")]

    assert plugs_of(halves, whole) == pytest.approx(plugs_of([Plug(chips, ns, DESK)], whole))
    assert plugs_of([Plug(chips, ns, DESK)] * 2, whole) == pytest.approx(
        [2 * joules for joules in plugs_of([Plug(chips, ns, DESK)], whole)]
    )
    assert [1e6] * 3 == plugs_of([Plug(chips)], whole)


def test_a_calibrated_line_turns_around_the_mean_of_its_points() -> None:
    """At the power of the calibration the rest is known better than constant and share, which err apart."""
    model = replace(
        DESK,
        constant_low_watts=30.0,
        constant_high_watts=70.0,
        share_low=0.05,
        share_high=0.25,
        pivot_watts=150.0,
    )
    ns = HOUR * NANOSECONDS_PER_SECOND
    halves = {}
    for watts in (50.0, 150.0, 900.0):
        plug = Plug(chip(watts * HOUR, 0.0), ns, model)
        found = interval_of(partial(plugs_of, [plug]), Bounds((1.15 * watts + 50) * HOUR, 0.0, 1e12))
        halves[watts] = width(found) / HOUR / 2
    height = sqrt(20**2 - 15**2)

    assert halves[150.0] == pytest.approx(height, rel=0.02)
    assert halves[50.0] == pytest.approx(sqrt(height**2 + 10**2), rel=0.05)
    assert halves[900.0] == pytest.approx(sqrt(height**2 + 75**2), rel=0.05)


def test_many_small_offsets_are_drawn_together() -> None:
    """A thousand cards have their four widest offsets drawn and the others as a normal distribution."""
    world = World([0.25, 0.75], SEED)
    sum_of(Parts((), tuple((-1.0, 1.0) for _ in range(1_000))), world)

    assert 5 == len(world.causes)
