"""Where the jumps of a counter are placed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.ticks import ENOUGH_TICKS, TickGrid
from tests.strategies import MILLISECOND

PERIOD = 100 * MILLISECOND

brackets = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 50 * MILLISECOND), st.integers(0, 10**10)),
        st.one_of(st.integers(1, 5), st.integers(1, 10 * MILLISECOND), st.integers(1, 10**10)),
        st.sampled_from([None, True, False]),
    ),
    max_size=40,
)
"""Of each jump: how long after the reading that showed the one before its bracket begins, how wide the bracket is, and
what is known of the jump in doubt."""


def watched(jumps: int = ENOUGH_TICKS + 1, start_ns: int = 0) -> TickGrid:
    """A grid that has seen so many jumps, 100 ms apart, between readings 5 ms apart."""
    grid = TickGrid()
    for number in range(jumps):
        grid.place(start_ns + number * PERIOD + 1, start_ns + number * PERIOD + 5 * MILLISECOND + 1)
    return grid


@given(brackets, st.integers(0, 10**18))
def test_a_jump_is_placed_between_the_readings_that_saw_it(
    steps: list[tuple[int, int, bool | None]], at_ns: int
) -> None:
    """Whatever was learnt and whatever the numbers' size, what was seen wins."""
    grid = TickGrid()
    for gap, width, came in steps:
        after_ns, until_ns = at_ns + gap, at_ns + gap + width
        placed = grid.place(after_ns, until_ns, came=came)

        assert after_ns < placed <= until_ns
        assert grid.period_ns is None or grid.period_ns > 0
        at_ns = until_ns


@given(st.integers(0, 10**15), st.integers(0, 5 * MILLISECOND - 1))
def test_a_steady_beat_is_learnt(start_ns: int, offset_ns: int) -> None:
    """The range of the period is cut by every jump, and holds the true one to within a reading over all of them."""
    grid = TickGrid()
    for number in range(40):
        jump_ns = start_ns + number * PERIOD + offset_ns
        grid.place(jump_ns - offset_ns - 1, jump_ns - offset_ns + 5 * MILLISECOND)

    assert grid.period_ns == pytest.approx(PERIOD, abs=5 * MILLISECOND / 39 + 1)


def test_a_counter_that_moves_at_every_reading_is_taken_at_its_word() -> None:
    """There are no jumps to be seen, so the knots are at the readings."""
    grid = TickGrid()
    stamps = range(0, 100 * MILLISECOND, 5 * MILLISECOND)

    assert list(stamps[1:]) == [grid.place(after, until) for after, until in pairwise(stamps)]
    assert grid.period_ns is None
    assert grid.vague


def test_nothing_is_in_doubt_before_a_beat_is_known() -> None:
    """There is no expected jump that a reading could have fallen upon."""
    assert TickGrid().doubt(0, 1) is None


def test_a_reading_upon_an_expected_jump_leaves_open_which_one_it_saw() -> None:
    """The rise since the last reading may end with that jump or with the one before, and the doubt says until when."""
    grid = watched()
    last_ns = ENOUGH_TICKS * PERIOD
    expected_ns = last_ns + 2 * PERIOD + 3 * MILLISECOND
    doubt = grid.doubt(last_ns + 50 * MILLISECOND, expected_ns)

    assert doubt is not None
    assert expected_ns < doubt.until_ns < expected_ns + 10 * MILLISECOND
    assert doubt.until_ns < doubt.next_ns
    assert expected_ns + 90 * MILLISECOND < doubt.next_ns


@pytest.mark.parametrize(("came", "periods"), [(True, 2), (False, 1)])
def test_knowing_whether_it_came_settles_the_doubt(came: bool, periods: int) -> None:  # noqa: FBT001
    """The jump is placed at the one that was the last, not a whole period beside it."""
    grid = watched()
    last_ns = ENOUGH_TICKS * PERIOD
    placed = grid.place(last_ns + 50 * MILLISECOND, last_ns + 2 * PERIOD + 3 * MILLISECOND, came=came)

    assert placed == pytest.approx(last_ns + periods * PERIOD, abs=6 * MILLISECOND)


@pytest.mark.parametrize(("late_ms", "periods"), [(1, 1), (5, 2)])
def test_where_nobody_knows_the_likelier_one_is_taken(late_ms: int, periods: int) -> None:
    """A reading at the beginning of the expected range has hardly seen the jump, one at its end almost surely."""
    grid = watched()
    last_ns = ENOUGH_TICKS * PERIOD
    placed = grid.place(last_ns + 50 * MILLISECOND, last_ns + 2 * PERIOD + late_ms * MILLISECOND)

    assert placed == pytest.approx(last_ns + periods * PERIOD, abs=6 * MILLISECOND)


def test_no_doubt_where_a_reading_falls_between_two_jumps() -> None:
    """Every jump expected by then has come, and the next is far."""
    last_ns = ENOUGH_TICKS * PERIOD

    assert watched().doubt(last_ns + 50 * MILLISECOND, last_ns + 150 * MILLISECOND) is None


def test_frequent_readings_are_wanted_until_the_beat_is_known_well() -> None:
    """After enough jumps the range is narrow, so nothing more is to be learnt."""
    assert watched(2).vague
    assert not watched(ENOUGH_TICKS + 2).vague


def test_frequent_readings_are_wanted_again_where_the_range_has_grown_wide() -> None:
    """Readings far apart do not cut the range any more, and the period's own range widens it with every jump."""
    grid = watched()
    last_ns = ENOUGH_TICKS * PERIOD
    grid.place(last_ns + 50 * MILLISECOND, last_ns + 20 * PERIOD + 50 * MILLISECOND)

    assert grid.vague


def test_an_unexpected_jump_keeps_the_mean_beat() -> None:
    """The place is given up, the beat is not: it is as long as the jumps watched closely were apart."""
    grid = watched()
    unexpected_ns = ENOUGH_TICKS * PERIOD + 40 * MILLISECOND
    placed = grid.place(unexpected_ns, unexpected_ns + 5 * MILLISECOND)

    assert placed == unexpected_ns + 2.5 * MILLISECOND
    assert grid.vague
    assert grid.period_ns == pytest.approx(PERIOD, rel=0.06)


def test_no_range_is_too_narrow_to_go_on() -> None:
    """Brackets of a nanosecond leave ranges of nothing, at stamps where a float's step is wider than that."""
    grid = TickGrid()
    start_ns = 2**60
    for number in range(1_000):
        after_ns = start_ns + number * PERIOD

        assert grid.place(after_ns, after_ns + 1) == after_ns + 1


def test_a_beat_without_rule_does_not_keep_the_sampler_busy() -> None:
    """After a while only a few of the jumps are watched closely, whatever they do."""
    grid = TickGrid()
    wanted = 0
    for number in range(1_000):
        jump_ns = number * PERIOD + (number * number * 7_919 % 60) * MILLISECOND
        wanted += grid.vague
        width = 5 * MILLISECOND if grid.vague else 30 * MILLISECOND
        grid.place(jump_ns - width, jump_ns)

    assert wanted < 0.1 * 1_000
