"""How a record holds an interval, and how it is read back. Pure."""

from __future__ import annotations

from functools import partial
from typing import Final

from lightning_carbon.carbon.interval import Interval
from lightning_carbon.records.fields import Misfit, at, number, read, read_by


def stored_interval(values: object) -> Interval:
    """Read an interval.

    Raises:
        Misfit: It ends before it begins, or is for no probability.
    """
    found = read(Interval, values)
    if any(len(ends) != 2 for ends in found.causes.values()):  # noqa: PLR2004 - below and above
        raise Misfit("has a cause without two ends", "causes")
    if found.low > found.high:
        reason = f"is {found.low:g}, above the upper end, {found.high:g}"
        raise Misfit(reason, "low")
    at({"level": found.level}, "level", partial(number, most=1.0))
    return found


INTERVAL: Final = read_by(stored_interval)
"""Metadata of a field that is an interval."""
