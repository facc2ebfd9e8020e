"""The pace of readings: sparse where nobody asks for short times, and close where somebody does."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lightning_carbon.metering.pace import EDGE_SECONDS, SPARSE_SECONDS, Pace
from lightning_carbon.units import NANOSECONDS_PER_SECOND

CLOSE_NS = NANOSECONDS_PER_SECOND // 10
START_NS = 5 * NANOSECONDS_PER_SECOND


def readings(pace: Pace, until_seconds: float, *, is_watched: bool = False, row_seconds: float = 0.0) -> list[int]:
    """The moments of readings that are never late, from the start on, with rows in between."""
    moments, row_ns = [], START_NS
    while pace.due_ns <= START_NS + until_seconds * NANOSECONDS_PER_SECOND:
        while row_seconds and row_ns <= pace.due_ns:
            pace.row(row_ns)
            row_ns += round(row_seconds * NANOSECONDS_PER_SECOND)
        moments.append(pace.due_ns)
        pace.read(pace.due_ns, is_watched=is_watched)
    return moments


def test_where_nobody_asks_for_steps_counters_are_read_twice_a_second() -> None:
    """Between rows and phases the journal alone needs readings, none of them late for it."""
    moments = readings(Pace(CLOSE_NS, is_sparse=True, now_ns=START_NS), 20)
    apart = [later - earlier for earlier, later in pairwise(moments)]

    assert 20 / SPARSE_SECONDS == pytest.approx(len(moments), rel=0.05)
    assert max(apart) <= SPARSE_SECONDS * NANOSECONDS_PER_SECOND + CLOSE_NS / 2


def test_where_somebody_asks_for_steps_they_are_read_at_the_interval() -> None:
    """The setting says how often, whether rows come or not."""
    moments = readings(Pace(CLOSE_NS, is_sparse=False, now_ns=START_NS), 20)

    assert 200 == pytest.approx(len(moments), abs=2)


def test_readings_do_not_keep_step_with_a_load_of_their_period() -> None:
    """Sparse readings fall everywhere in the period of a counter that jumps ten times a second."""
    moments = readings(Pace(CLOSE_NS, is_sparse=True, now_ns=START_NS), 60)
    tenths = {(moment - START_NS) % CLOSE_NS * 10 // CLOSE_NS for moment in moments}

    assert set(range(10)) == tenths


@pytest.mark.parametrize(("row_seconds", "a_row"), [(0.3, 2), (0.6, 2), (3.0, 6)])
def test_every_row_has_news(row_seconds: float, a_row: int) -> None:
    """Rows that come often are foretold by the time between the last two, and get two readings each."""
    moments = readings(Pace(CLOSE_NS, is_sparse=True, now_ns=START_NS), 12, row_seconds=row_seconds)

    assert 12 / row_seconds * a_row == pytest.approx(len(moments), rel=0.15)


def test_a_row_every_step_reads_no_closer_than_the_interval() -> None:
    """A logger that takes a row at each step does not make the sampler read as often."""
    moments = readings(Pace(CLOSE_NS, is_sparse=True, now_ns=START_NS), 10, row_seconds=0.01)

    assert 100 == pytest.approx(len(moments), abs=2)


def test_a_counter_that_is_checked_is_read_closely() -> None:
    """A check needs what it compares to be of the same time."""
    moments = readings(Pace(CLOSE_NS, is_sparse=True, now_ns=START_NS), 10, is_watched=True)

    assert 100 == pytest.approx(len(moments), abs=2)


def test_a_phase_is_read_closely_as_it_begins() -> None:
    """The sparse pause is too long for it, which is told, and a few close readings follow."""
    pace = Pace(CLOSE_NS, is_sparse=True)
    pace.read(START_NS, is_watched=False)
    edge_ns = START_NS + CLOSE_NS
    is_too_late = pace.stay_close(edge_ns)
    moments = readings(pace, 1.1)
    close = [moment for moment in moments if moment < edge_ns + EDGE_SECONDS * NANOSECONDS_PER_SECOND]

    assert is_too_late
    assert edge_ns == moments[0]
    assert 3 == pytest.approx(len(close), abs=1)
    assert len(moments) <= len(close) + 3
