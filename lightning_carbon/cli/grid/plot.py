"""``lightning-carbon grid plot``: a series by hour of the day and month."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path

from lightning_carbon.carbon.starts import by_month_and_hour
from lightning_carbon.cli.grid.pictures import save
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.series import read_series
from lightning_carbon.report.intensity_figure import month_figure


def plot_series(series: Path, output: Path | None, *, zone: str) -> None:
    """Draw a series into a file, and say where.

    Args:
        series: The file of the series.
        output: The picture; default: the name of the series with ``.png``, in the present folder.
        zone: The zone of the hours, by its name in the IANA database.

    Raises:
        ConfigError: A file or the zone cannot be used.
    """
    clock = zone_of(zone)
    found = read_series(series, argument="series")
    path = output or Path(f"{series.stem}.png")

    def place_of(seconds: float) -> tuple[int, int]:
        moment = datetime.fromtimestamp(seconds, clock)
        return moment.month, moment.hour

    grams = by_month_and_hour(found, place_of)
    signal = f", {found.signal}" if found.signal != "average" else ""
    title = f"{found.source}{signal}: {found.mean_grams:.3g} gCO2e/kWh in the mean"
    save(partial(month_figure, grams, title, zone), path, "output" if output else "series")
    say(f"{path}: {found.source} by hour of the day ({zone}) and month")
    for note in found.notes:
        say(f"* {note}")


def zone_of(name: str) -> tzinfo:
    """A zone by its name.

    Raises:
        ConfigError: There is no such zone.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        raise ConfigError("zone", name, "give a zone of the IANA database, such as Europe/Berlin or UTC.") from None
