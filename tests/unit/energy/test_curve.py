"""The rising curve: its heights, its covered time, and what may be forgotten."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.curve import FOREVER_NS, EnergyCurve

later_knots = st.lists(st.tuples(st.integers(-5, 10**10), st.integers(0, 10**10), st.booleans()), max_size=20)
knots = st.tuples(st.integers(1, 10**10), st.integers(0, 10**10), st.booleans()).flatmap(
    lambda first: later_knots.map(lambda later: [first, *later])
)
"""Steps of a curve; only after the first does one not lead to the right."""

cuts = st.lists(st.integers(-(10**10), 2 * 10**11), max_size=20).map(sorted)


def curve_of(steps: list[tuple[int, int, bool]], start_ns: int = 7) -> EnergyCurve:
    """A curve of steps to the right, in nanoseconds, up, in microjoules, and whether readings cover them."""
    curve = EnergyCurve(start_ns)
    for gap_ns, microjoules, covered in steps:
        curve.rise(curve.end_ns + gap_ns, microjoules, covered=covered)
    return curve


@given(knots, cuts)
def test_a_curve_never_falls(steps: list[tuple[int, int, bool]], moments: list[int]) -> None:
    """Later is never lower, and time is never covered twice."""
    curve = curve_of(steps)

    for earlier, later in pairwise(moments):
        assert curve.height(earlier) <= curve.height(later)
        assert 0 <= curve.covered(later) - curve.covered(earlier) <= later - earlier


@given(knots, cuts)
def test_windows_that_tile_a_curve_sum_to_it(steps: list[tuple[int, int, bool]], moments: list[int]) -> None:
    """However a curve is cut, not a microjoule and not a nanosecond is lost or invented."""
    curve = curve_of(steps)
    edges = [-FOREVER_NS, *moments, FOREVER_NS]

    assert sum(rise for _, rise, _ in steps) == sum(curve.height(b) - curve.height(a) for a, b in pairwise(edges))
    covered = sum(max(0, gap) for gap, _, covered in steps if covered)
    assert covered == sum(curve.covered(b) - curve.covered(a) for a, b in pairwise(edges))


@given(knots, st.integers(0, 10**11), cuts)
def test_forgetting_the_past_changes_nothing_after_it(
    steps: list[tuple[int, int, bool]], before_ns: int, moments: list[int]
) -> None:
    """From the given moment on every height stays, and no knot is kept that is not needed for it."""
    whole, trimmed = curve_of(steps), curve_of(steps)
    trimmed.trim(before_ns)
    later = [before_ns, *(moment for moment in moments if moment >= before_ns)]

    assert [whole.height(at) for at in later] == [trimmed.height(at) for at in later]
    assert [whole.covered(at) for at in later] == [trimmed.covered(at) for at in later]
    assert trimmed.knots == 1 or trimmed.end_ns >= before_ns


@given(knots, st.integers(2, 50))
def test_a_tall_curve_is_the_same_curve_taller(steps: list[tuple[int, int, bool]], factor: int) -> None:
    """So many times the energy at every knot is so many times the height everywhere, but for the rounding."""
    low = curve_of(steps)
    high = curve_of([(gap, factor * rise, covered) for gap, rise, covered in steps])
    middle = (low.start_ns + low.end_ns) // 2

    assert high.height(FOREVER_NS) == factor * low.height(FOREVER_NS)
    assert 0 <= high.height(middle) - factor * low.height(middle) < factor


def test_heights_between_knots_lie_on_a_straight_line() -> None:
    """Half of the way is half of the energy, rounded down, and outside the curve is flat."""
    curve = curve_of([(10, 5, True), (10, 100, False)], start_ns=0)

    assert [curve.height(at) for at in (-1, 0, 5, 10, 15, 20, 99)] == [0, 0, 2, 5, 55, 105, 105]
    assert [curve.covered(at) for at in (-1, 0, 5, 10, 15, 20, 99)] == [0, 0, 5, 10, 10, 10, 10]
    assert (0, 20, 3) == (curve.start_ns, curve.end_ns, curve.knots)


def test_energy_that_arrives_late_raises_the_last_knot() -> None:
    """It is kept, and covers no time of its own."""
    curve = curve_of([(10, 5, True), (-3, 7, True)], start_ns=0)

    assert (12, 10, 2) == (curve.height(10), curve.covered(10), curve.knots)


def test_memory_stays_flat_where_the_past_is_forgotten() -> None:
    """A curve that is trimmed as it grows keeps a few knots, however long the run."""
    curve = EnergyCurve(0)
    for step in range(1, 10_001):
        curve.rise(step * 100, 1)
        curve.trim(step * 100 - 250)

    assert curve.knots == 4
    assert curve.start_ns == 10_000 * 100 - 300
    assert curve.height(10_000 * 100) == 10_000
