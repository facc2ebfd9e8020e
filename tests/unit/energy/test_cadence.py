"""How often a sensor has news."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.cadence import Cadence

MILLISECOND = 1_000_000


def seen(times: list[int], values: list[float]) -> int | None:
    """The cadence after these readings."""
    cadence = Cadence()
    for at_ns, value in zip(times, values, strict=True):
        cadence.note(at_ns, value)
    return cadence.ns


@given(st.integers(1, 20), st.integers(3, 30))
def test_a_sensor_that_is_read_more_often_than_it_has_news_has_its_own_cadence(reads: int, news: int) -> None:
    """What is read in between is the same again."""
    times = [number * MILLISECOND for number in range(reads * news)]

    assert reads * MILLISECOND == seen(times, [float(number // reads) for number in range(reads * news)])


def test_a_sensor_that_has_news_whenever_it_is_read_is_as_fast_as_that() -> None:
    """Some of them may be late."""
    times = [0, 100, 200, 300, 900, 1_000, 1_100]

    assert 100 == seen(times, [float(at_ns) for at_ns in times])


def test_a_power_that_does_not_change_is_news_each_time() -> None:
    """It cannot be told from a sensor that is that fast."""
    assert 10 == seen([*range(0, 100, 10)], [5.0] * 10)


def test_nothing_is_known_before_two_readings() -> None:
    """Nor guessed."""
    assert seen([], []) is None
    assert seen([5], [1.0]) is None
