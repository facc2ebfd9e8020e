"""A figure with its range, in words, for statements and cards: its 90 % interval, else its bounds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.interval_sums import interval_between, interval_of_sum
from lightning_carbon.records.numbers import amount, digits, span
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR

if TYPE_CHECKING:
    from lightning_carbon.carbon.interval import Interval
    from lightning_carbon.carbon.uncertainty import Bounds
    from lightning_carbon.records.numbers import Scale
    from lightning_carbon.report.statements.consumption import Consumption


def in_unit(figure: Bounds[float], unit: str, interval: Interval | None) -> str:
    """A figure with its range in a fixed unit, such as ``1.20 kWh (1.10 to 1.30, 90 %)``.

    Args:
        figure: The figure with its bounds.
        unit: Its unit.
        interval: Its 90 % interval; ``None`` where it has none, and its bounds are said.
    """
    low, high, level = _ends(figure, interval)
    return f"{digits(figure.value)} {unit} ({digits(low)} to {digits(high)}{level})"


def scaled(figure: Bounds[float], scale: Scale, interval: Interval | None) -> str:
    """A figure with its range in the unit that suits its size.

    Args:
        figure: The figure with its bounds.
        scale: The units.
        interval: Its 90 % interval; ``None`` where it has none, and its bounds are said.
    """
    low, high, level = _ends(figure, interval)
    return f"{amount(figure.value, scale)} ({span(low, high, scale, like=figure.value)}{level})"


def in_joules(kilowatt_hours: Interval | None) -> Interval | None:
    """An interval in kWh as one in joules."""
    return None if kilowatt_hours is None else kilowatt_hours.times(JOULES_PER_KILOWATT_HOUR)


def with_making(usage: Consumption, made: Bounds[float]) -> Interval | None:
    """The 90 % interval of the CO2e of electricity and of making the hardware, in grams; ``None`` without the former.

    Args:
        usage: The usage of runs.
        made: The share of making, of which no more than limits are known.
    """
    electric = usage.grams_co2e.value, usage.likely.grams_co2e
    return interval_of_sum([electric, (made.value, interval_between(made))])


def _ends(figure: Bounds[float], interval: Interval | None) -> tuple[float, float, str]:
    if interval is None:
        return figure.low, figure.high, ""
    return interval.low, interval.high, f", {100 * interval.level:g} %"
