"""When a job would best have begun, by a series of carbon intensities, and the saving against other starts. Pure."""

from __future__ import annotations

from math import floor
from statistics import fmean
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.series import windows_of
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.units import HOURS_PER_DAY, SECONDS_PER_HOUR
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.carbon.series import IntensitySeries, Window

_MIDDLE: Final = (0.05, 0.95)
"""The shares of all starts between which the range lies: nine of ten."""


@dataclass(frozen=True, slots=True)
class HourOfDay:
    """All starts at an hour of the day.

    Args:
        hour: The hour, 0 to 23, UTC.
        grams: The mean carbon intensity of a job that begins then, in gCO2e/kWh, with the range of nine of ten days.
    """

    hour: int
    grams: Bounds[float]


@dataclass(frozen=True, slots=True)
class Starts:
    """The starts of a job of constant power that a series allows.

    Args:
        hours: The length of the job.
        best: The start that would have emitted least.
        worst: The start that would have emitted most.
        all: The mean carbon intensity over all starts, in gCO2e/kWh, with the range of nine of ten.
        by_hour: The starts by hour of the day, the cleanest first.
        count: The number of starts.
    """

    hours: float
    best: Window
    worst: Window
    all: Bounds[float]
    by_hour: tuple[HourOfDay, ...]
    count: int


def starts_of(series: IntensitySeries, hours: float) -> Starts | None:
    """Look for the best start of a job.

    Args:
        series: The carbon intensities.
        hours: The length of the job, more than zero.

    Returns:
        Its starts; ``None`` where the series has no stretch without gaps of that length.
    """
    windows = windows_of(series, hours * SECONDS_PER_HOUR)
    if not windows:
        return None
    days: dict[int, list[float]] = {}
    for window in windows:
        days.setdefault(floor(window.start / SECONDS_PER_HOUR) % HOURS_PER_DAY, []).append(window.grams)
    by_hour = (HourOfDay(hour, _spread(grams)) for hour, grams in days.items())
    return Starts(
        hours=hours,
        best=min(windows, key=lambda window: window.grams),
        worst=max(windows, key=lambda window: window.grams),
        all=_spread([window.grams for window in windows]),
        by_hour=tuple(sorted(by_hour, key=lambda found: (found.grams.value, found.hour))),
        count=len(windows),
    )


def by_month_and_hour(
    series: IntensitySeries, place_of: Callable[[float], tuple[int, int]]
) -> dict[tuple[int, int], float]:
    """The mean of a series in each month and hour of the day.

    Args:
        series: The carbon intensities.
        place_of: The month, 1 to 12, and the hour, 0 to 23, of a moment in seconds since 1970.

    Returns:
        gCO2e/kWh by month and hour, for those that the series has, weighted by time.
    """
    sums: dict[tuple[int, int], tuple[float, float]] = {}
    for start, end, grams in zip(series.starts, series.ends, series.grams, strict=True):
        at = start
        while at < end:
            until = min(end, (floor(at / SECONDS_PER_HOUR) + 1) * SECONDS_PER_HOUR)
            place = place_of(at)
            known, seconds = sums.get(place, (0.0, 0.0))
            sums[place] = known + grams * (until - at), seconds + until - at
            at = until
    return {place: total / seconds for place, (total, seconds) in sums.items()}


def _spread(values: list[float]) -> Bounds[float]:
    """The mean, and the range of nine of ten; the range holds the mean."""
    ordered, mean = sorted(values), fmean(values)
    low, high = (ordered[round(share * (len(ordered) - 1))] for share in _MIDDLE)
    return Bounds(mean, min(low, mean), max(high, mean))
