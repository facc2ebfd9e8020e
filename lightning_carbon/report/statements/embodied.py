"""The embodied emissions of accelerators, from a packaged table, and the share of them that a training answers for.

Published figures for one accelerator differ up to fourfold, so that each row is a figure of one source, and a figure is
their median, with all of them as its range. Servers around the accelerators are not in it.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files
from statistics import median
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.units import GRAMS_PER_KILOGRAM, SECONDS_PER_YEAR
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from lightning_carbon.report.statements.consumption import Consumption

LIFE_YEARS: Final = Bounds(4.0, 3.0, 6.0)
"""The life of an accelerator, in years: 3 in EcoLogits 0.11.3 (2025), 6 in Luccioni et al. (JMLR 24, 2023)."""
BUSY_RATIO: Final = 0.85
"""The share of its life in which an accelerator is used: Luccioni et al. (JMLR 24, 2023)."""
_WORD: Final = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Embodied:
    """The embodied emissions of a model of accelerator.

    Args:
        accelerator: Its name.
        kilograms: The median of the published figures, with their range.
        sources: The published figures, with their sources.
    """

    accelerator: str
    kilograms: Bounds[float]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmbodiedShare:
    """The share of embodied emissions that a training answers for.

    Args:
        grams: It, in grams of CO2e.
        trace: The arithmetic behind it.
        unknown: The accelerators that the table does not have.
    """

    grams: Bounds[float]
    trace: tuple[str, ...]
    unknown: tuple[str, ...]


def embodied_of(name: str) -> Embodied | None:
    """The embodied emissions of an accelerator; ``None`` where the table does not have it.

    Args:
        name: Its name as its driver tells it, such as ``NVIDIA A100-SXM4-80GB``.
    """
    words = {word.upper() for word in _WORD.findall(name)}
    return next((known for known in _table() if known.accelerator in words), None)


def share_of(usage: Consumption, life_years: float | None = None, busy_ratio: float = BUSY_RATIO) -> EmbodiedShare:
    """The embodied emissions of the time in which a training used its accelerators.

    Args:
        usage: The usage of its runs.
        life_years: The life of an accelerator; by default :data:`LIFE_YEARS` with its range.
        busy_ratio: The share of its life in which it is used.
    """
    life = LIFE_YEARS if life_years is None else Bounds.exactly(life_years)
    value = low = high = 0.0
    trace, unknown = [], []
    for name, seconds in usage.accelerators.items():
        known = embodied_of(name)
        if known is None:
            unknown.append(name)
            continue
        lives = Bounds(
            *(seconds / (years * SECONDS_PER_YEAR * busy_ratio) for years in (life.value, life.high, life.low))
        )
        kilograms = known.kilograms
        value += kilograms.value * lives.value
        low += kilograms.low * lives.low
        high += kilograms.high * lives.high
        trace.append(
            f"{name}: {kilograms.value:g} kg ({kilograms.low:g} to {kilograms.high:g}; {'; '.join(known.sources)}) x "
            f"{seconds:,.1f} s / ({life.value:g} years ({life.low:g} to {life.high:g}) x {busy_ratio:g} in use)"
        )
    return EmbodiedShare(Bounds(value, low, high).times(GRAMS_PER_KILOGRAM), tuple(trace), tuple(unknown))


@cache
def _table() -> tuple[Embodied, ...]:
    text = files(__package__).joinpath("data", "embodied.csv").read_text(encoding="utf-8")
    by_name: dict[str, list[tuple[float, str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        by_name.setdefault(row["accelerator"], []).append((float(row["kilograms_co2e"]), row["source"]))
    return tuple(
        Embodied(
            name,
            Bounds(median(kg for kg, _ in rows), min(kg for kg, _ in rows), max(kg for kg, _ in rows)),
            tuple(f"{kg:g} kg: {source}" for kg, source in rows),
        )
        for name, rows in by_name.items()
    )
