"""When a job would have emitted least: the extremes, the hours of the day, the months."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.series import IntensitySeries, steps_of, windows_of
from lightning_carbon.carbon.starts import by_month_and_hour, starts_of

HOUR = 3600.0
DAY = datetime(2025, 1, 31, tzinfo=UTC).timestamp()


def hourly(*grams: float) -> IntensitySeries:
    """A series with a value for each hour from a midnight on."""
    return IntensitySeries(*steps_of((DAY + hour * HOUR, value) for hour, value in enumerate(grams)))


@given(grams=st.lists(st.floats(0, 1_000), min_size=1, max_size=60), hours=st.integers(1, 5))
def test_no_start_is_better_than_the_best(grams: list[float], hours: int) -> None:
    """Best and worst are the extremes of all windows, the mean lies between, and every hour's range holds its mean."""
    series = hourly(*grams)
    found = starts_of(series, hours)
    windows = [window.grams for window in windows_of(series, hours * HOUR)]

    if found is None:
        assert len(grams) < hours
    else:
        assert (min(windows), max(windows), len(windows)) == (found.best.grams, found.worst.grams, found.count)
        assert found.best.grams - 1e-9 <= found.all.value <= found.worst.grams + 1e-9
        for hour in found.by_hour:
            assert hour.grams.low <= hour.grams.value <= hour.grams.high


def test_hours_of_the_day_are_those_of_utc_the_cleanest_first() -> None:
    """Two days that are clean at 02:00: a job of an hour begins best then, on either day."""
    found = starts_of(hourly(*([300.0] * 2 + [100.0] + [300.0] * 21) * 2), 1.0)

    assert found is not None
    assert (DAY + 2 * HOUR, 100.0) == found.best
    assert (2, 100.0) == (found.by_hour[0].hour, found.by_hour[0].grams.value)
    assert 24 == len(found.by_hour)


def test_months_and_hours_are_weighted_by_time() -> None:
    """Half-hours of an hour are averaged, an interval of two hours counts in both, and zones are the caller's."""
    series = IntensitySeries(
        (DAY, DAY + HOUR / 2, DAY + HOUR), (DAY + HOUR / 2, DAY + HOUR, DAY + 3 * HOUR), (100.0, 300.0, 50.0)
    )

    def place_of(seconds: float) -> tuple[int, int]:
        moment = datetime.fromtimestamp(seconds, UTC)
        return moment.month, moment.hour

    assert {(1, 0): 200.0, (1, 1): 50.0, (1, 2): 50.0} == pytest.approx(by_month_and_hour(series, place_of))
