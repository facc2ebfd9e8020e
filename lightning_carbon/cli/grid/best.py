"""``lightning-carbon grid best``: when a job would have emitted least."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.intensity import MARGINAL
from lightning_carbon.carbon.series import IntensitySeries
from lightning_carbon.carbon.starts import HourOfDay, Starts, starts_of
from lightning_carbon.cli.output import show
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.series import read_series
from lightning_carbon.records.numbers import CO2E, amount, digits, percent
from lightning_carbon.report.sheets import Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lightning_carbon.cli.forms import Form

SCHEMA: Final = 1


def show_best(series: Path | None, region: str | None, *, hours: float | None, kwh: float | None, form: Form) -> None:
    """Print when a job would have emitted least.

    Args:
        series: The file of the series.
        region: A region in its place, for which no profile may be packaged.
        hours: The length of the job.
        kwh: Its energy, if masses are wanted.
        form: The form of the output.

    Raises:
        ConfigError: An argument cannot be used, or the series is too short.
    """
    if series is None:
        where = "https://app.electricitymaps.com/datasets or https://transparency.entsoe.eu"
        fix = f"no profile of the hours of a place may be packaged; download a file, such as from {where}, and give it."
        raise ConfigError("series" if region is None else "region", region, fix)
    if region is not None:
        raise ConfigError("region", region, "the place is that of the series; leave --region out.")
    length, energy = positive("hours", hours, "give the length of the job, such as 6."), None
    if kwh is not None:
        energy = positive("kwh", kwh, "give an energy above 0, such as 120.")
    found = read_series(series, argument="series")
    starts = starts_of(found, length)
    if starts is None:
        longest = f"none of its stretches without gaps has {length:g} h"
        raise ConfigError("hours", hours, f"{longest} ({found.source}); give fewer hours, or a longer series.")
    show(form, [_sheet(found, starts, energy)], _mapping(found, starts, energy), label="best-start")


def positive(argument: str, value: float | None, fix: str) -> float:
    """A number above zero.

    Raises:
        ConfigError: It is missing, or no such number.
    """
    if value is None or not isfinite(value) or value <= 0:
        raise ConfigError(argument, value, fix)
    return value


def moment(seconds: float) -> str:
    """A moment for people, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _sheet(series: IntensitySeries, starts: Starts, kwh: float | None) -> Sheet:
    head = ("Start", "gCO2e/kWh", *(("CO2e",) if kwh else ()), "Saved against the mean")
    notes = [
        f"{starts.count:,} starts of {starts.hours:g} h at constant power; {_against(starts)}.",
        f"{series.source}: {series.basis}; the past says what would have been, not what will be.",
        *series.notes,
    ]
    if series.signal == MARGINAL:
        notes.insert(0, "Marginal: the saving of shifting a job; not to be compared with average factors.")
    rows = tuple(_rows(starts, kwh))
    return Sheet("When to start", head, "<" + ">" * (len(head) - 1), rows, tuple(notes))


def _rows(starts: Starts, kwh: float | None) -> Iterator[tuple[str, ...]]:
    hour = starts.by_hour[0]
    named = (
        (f"best: {moment(starts.best.start)}", starts.best.grams),
        (f"best hour of the day: {hour.hour:02d}:00 UTC, in the mean", hour.grams.value),
        ("mean of all starts", starts.all.value),
        (f"worst: {moment(starts.worst.start)}", starts.worst.grams),
    )
    for name, grams in named:
        mass = (amount(grams * kwh, CO2E),) if kwh else ()
        yield (name, digits(grams), *mass, _saved(grams, starts.all.value))


def _saved(grams: float, mean: float) -> str:
    ratio = 1 - grams / mean if mean else 0.0
    return percent(ratio) if ratio >= 0 else f"{percent(-ratio)} more"


def _against(starts: Starts) -> str:
    least, most = (_ratio(starts.best.grams, end) for end in (starts.all.low, starts.all.high))
    return f"the best saves {percent(max(0.0, least))} to {percent(max(0.0, most))} against nine of ten of them"


def _ratio(grams: float, against: float) -> float:
    return 1 - grams / against if against else 0.0


def _mapping(series: IntensitySeries, starts: Starts, kwh: float | None) -> dict[str, object]:
    mean = starts.all
    mapping: dict[str, object] = {
        "schema": SCHEMA,
        "series": {
            "source": series.source,
            "basis": series.basis,
            "signal": series.signal,
            "notes": list(series.notes),
        },
        "hours": starts.hours,
        "starts": starts.count,
        "best": {"start": moment(starts.best.start), "grams_co2e_per_kilowatt_hour": starts.best.grams},
        "worst": {"start": moment(starts.worst.start), "grams_co2e_per_kilowatt_hour": starts.worst.grams},
        "all": {"value": mean.value, "low": mean.low, "high": mean.high},
        "saved_ratio": {
            "value": _ratio(starts.best.grams, mean.value),
            "low": _ratio(starts.best.grams, mean.low),
            "high": _ratio(starts.best.grams, mean.high),
        },
        "by_hour_utc": {f"{found.hour:02d}": found.grams.value for found in sorted(starts.by_hour, key=_hour)},
    }
    if kwh is not None:
        mapping["grams_co2e"] = {"best": starts.best.grams * kwh, "mean": mean.value * kwh}
    return mapping


def _hour(found: HourOfDay) -> int:
    return found.hour
