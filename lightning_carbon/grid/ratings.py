"""The packaged table of accelerators, as far as its rows: what a part is rated for, by whom, of which year.

The table is :file:`data/accelerators.csv`; its header describes each column. What an estimate makes of it, peaks and
prices included, stands in :mod:`lightning_carbon.estimate.accelerators`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

# Beside the code rather than through importlib.resources, which costs 5 ms to import; pip always unpacks a wheel.
_TABLE = Path(__file__).with_name("data") / "accelerators.csv"


class Rating(NamedTuple):
    """The power that a part is rated for.

    Args:
        name: Its name in the table, or that of its family.
        low_watts: The least that it may be rated for, in watts.
        high_watts: The most, in watts; the same where a source gives the figure.
        source: Who says so, and when.
    """

    name: str
    low_watts: float
    high_watts: float
    source: str


@cache
def rows() -> tuple[dict[str, str], ...]:
    """The whole table, in its order, with the texts of its cells by column."""
    import csv

    with _TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(line for line in file if not line.startswith("#")))


def rating_of(name: str) -> Rating | None:
    """The rated power of a part for each device that a program sees; ``None`` where no source gives it.

    Args:
        name: Its name or one of its aliases, in either case.
    """
    wanted = name.casefold()
    for row in rows():
        names = [row["name"], *row["aliases"].split(";")]
        if wanted in map(str.casefold, names) and (watts := _watts(row)) is not None:
            return Rating(row["name"], watts, watts, f"{row['source']}, {row['year']}")
    return None


def rating_of_family(family: str, *prefixes: str) -> Rating | None:
    """The span of what several parts are rated for, where no source gives the figure of any.

    Args:
        family: What to call them.
        prefixes: What their names in the table begin with.
    """
    rated = {row["name"]: watts for row in rows() if (watts := _watts(row)) and row["name"].startswith(prefixes)}
    if not rated:
        return None
    source = (
        f"between {min(rated, key=rated.__getitem__)} and {max(rated, key=rated.__getitem__)} in the packaged table"
    )
    return Rating(family, min(rated.values()), max(rated.values()), source)


def _watts(row: dict[str, str]) -> float | None:
    """The rated power of a device, in watts; of a machine where nothing is known of the part alone."""
    text = row["power_watts"] or row["system_watts"]
    return float(text) / int(row["dies"] or 1) if text else None
