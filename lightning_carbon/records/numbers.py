"""Figures for people, with three significant digits in a unit of suitable size, and text that fits a terminal.

Small figures are never shown as zero: a milligram reads as a milligram, and a share of almost 100 % not as 100 %.
"""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.units import (
    HOURS_PER_DAY,
    JOULES_PER_WATT_HOUR,
    KILO,
    MEGA,
    MICRO,
    MILLI,
    MINUTES_PER_HOUR,
    SECONDS_PER_MINUTE,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lightning_carbon.carbon.interval import Interval

NOTHING = "–"
"""The placeholder in a table for a figure that is not known."""

WIDTH = 100
"""The width of a line of text; a single word may be wider, which keeps paths whole."""

_DIGITS = 3


class Unit(NamedTuple):
    """A unit, such as the kilojoule.

    Args:
        name: Its name.
        size: Its size, in joules, watts or grams.
        least: The smallest value it is used for.
    """

    name: str
    size: float
    least: float


class Scale(NamedTuple):
    """The units of a quantity, such as energy.

    Args:
        base: The unit that zero is given in.
        units: All of them, the largest first; the last serves whatever is smaller still.
    """

    base: Unit
    units: tuple[Unit, ...]


def _scale(base: str, *units: tuple[str, float, float]) -> Scale:
    known = tuple(Unit(*unit) for unit in units)
    return Scale(next(unit for unit in known if unit.name == base), known)


_WH = JOULES_PER_WATT_HOUR

ENERGY = _scale(
    "J",
    ("MWh", MEGA * _WH, MEGA * _WH),
    ("kWh", KILO * _WH, KILO * _WH),
    ("kJ", KILO, KILO),
    ("J", 1.0, 1.0),
    ("mJ", MILLI, MILLI),
    ("µJ", MICRO, 0.0),
)
WATT_HOURS = _scale(
    "Wh",
    ("MWh", MEGA * _WH, MEGA * _WH),
    ("kWh", KILO * _WH, KILO * _WH),
    ("Wh", _WH, MILLI * _WH),
    ("mWh", MILLI * _WH, MICRO * _WH),
    ("µWh", MICRO * _WH, 0.0),
)
POWER = _scale("W", ("MW", MEGA, MEGA), ("kW", KILO, KILO), ("W", 1.0, 1.0), ("mW", MILLI, 0.0))
# Grams down to a thousandth: they are what people compare.
CO2E = _scale(
    "gCO2e",
    ("tCO2e", MEGA, MEGA),
    ("kgCO2e", KILO, KILO),
    ("gCO2e", 1.0, MILLI),
    ("mgCO2e", MILLI, MILLI / 100),
    ("µgCO2e", MICRO, 0.0),
)


def digits(value: float) -> str:
    """A number with three significant digits, without an exponent."""
    if not value:
        return "0"
    if not isfinite(value):
        return str(value)  # an energy over a time that a float hardly distinguishes from zero
    behind = _DIGITS - 1 - floor(log10(abs(value)))
    return f"{value:,.{max(0, behind)}f}"


def amount(value: float, scale: Scale) -> str:
    """A value with the unit that suits its size.

    Args:
        value: In joules, watts or grams.
        scale: One of the scales of this module.
    """
    unit = _unit(value, scale)
    return f"{digits(value / unit.size)} {unit.name}"


def span(low: float, high: float, scale: Scale, *, like: float) -> str:
    """A range in the unit that suits a value within it, ``like``."""
    unit = _unit(like or high, scale)
    return f"{digits(low / unit.size)} to {digits(high / unit.size)} {unit.name}"


def likely(interval: Interval | None, scale: Scale, *, like: float) -> str:
    """An interval with its probability, such as ``"12.4 to 14.0 kJ (90 %)"``; empty where there is none, or no width.

    Args:
        interval: The interval.
        scale: The units of its figure.
        like: The figure.
    """
    if interval is None or interval.low >= interval.high:
        return ""
    return f"{span(interval.low, interval.high, scale, like=like)} ({100 * interval.level:g} %)"


def percent(ratio: float) -> str:
    """A share in percent; a small share never shows as 0 %, nor almost all as 100 %."""
    text = f"{100 * ratio:.1f}"
    if text == "0.0" and ratio > 0:
        text = "<0.1"
    if text == "100.0" and ratio < 1:
        text = ">99.9"
    return f"{text} %"


def signed_percent(ratio: float) -> str:
    """The change that a ratio is, in percent: ``-10.0 %`` for 0.9."""
    return f"{100 * (ratio - 1):+.1f} %".replace("-0.0 ", "+0.0 ")


def duration(seconds: float) -> str:
    """A time in the two largest units that it fills."""
    minutes, rest = divmod(round(seconds), SECONDS_PER_MINUTE)
    if not minutes:
        return f"{digits(seconds)} s"
    hours, minutes = divmod(minutes, MINUTES_PER_HOUR)
    if not hours:
        return f"{minutes} min {rest} s"
    days, hours = divmod(hours, HOURS_PER_DAY)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"


def table(rows: Sequence[Sequence[str]], align: str) -> list[str]:
    """Align cells in columns, as lines of text.

    Args:
        rows: The cells, as many in every row as there are columns.
        align: ``<`` or ``>`` for every column.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, align, widths, strict=True)).rstrip()
        for row in rows
    ]


def printable(text: str) -> str:
    """Text in a single line: line ends and control characters of terminals become blanks."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def shorten(text: str, width: int) -> str:
    """Cut a text to a width, with an ellipsis where something is missing."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def wrap(text: str, *, first: str = "", rest: str = "", lines: int = 4) -> list[str]:
    """Break a text into lines at its spaces, and cut it where it takes too many lines.

    Args:
        text: The text.
        first: The beginning of the first line.
        rest: The beginning of the other lines.
        lines: The most lines.
    """
    broken = [first]
    start = first
    for word in text.split():
        glue = "" if broken[-1] == start else " "
        if glue and len(broken[-1]) + 1 + len(word) > WIDTH:
            start = rest
            broken.append(rest + word)
        else:
            broken[-1] += glue + word
    return broken if len(broken) <= lines else [*broken[: lines - 1], shorten(broken[lines - 1], WIDTH - 2) + " …"]


def _unit(value: float, scale: Scale) -> Unit:
    return next(unit for unit in scale.units if abs(value) >= unit.least) if value else scale.base


def median_of(values: Iterable[float]) -> float:
    """The median of values, at least one; ``statistics`` takes 5 ms to import, with all that it needs."""
    ranked = sorted(values)
    middle = len(ranked) // 2
    return ranked[middle] if len(ranked) % 2 else (ranked[middle - 1] + ranked[middle]) / 2
