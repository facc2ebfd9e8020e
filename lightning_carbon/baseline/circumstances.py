"""Circumstances in which trials were run: clocks, temperature, throttling and power limit of their GPUs. Pure.

Where these differ between two sides, a difference in energy may be theirs, and not that of the change.
"""

from __future__ import annotations

from statistics import mean, median
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.condition import Gauge
from lightning_carbon.records.condition_words import gauge_words
from lightning_carbon.records.numbers import POWER, amount, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lightning_carbon.records.run import RunRecord

THROTTLED: Final = "throttled_ratio"


class Tolerance(NamedTuple):
    """How far two sides may differ without a word; ours: less moves energy by less than trials vary.

    Args:
        what: The circumstance, for people.
        gauge: Its name in a record.
        most: The largest difference that is left unsaid.
        is_share: Whether that is a share of the larger of both figures.
    """

    what: str
    gauge: str
    most: float
    is_share: bool


TOLERANCES: Final = (
    Tolerance("clocks of the GPUs", Gauge.SM_CLOCK.value, 0.02, is_share=True),
    Tolerance("memory clocks of the GPUs", Gauge.MEMORY_CLOCK.value, 0.02, is_share=True),
    Tolerance("power limits of the GPUs", Gauge.POWER_LIMIT.value, 0.01, is_share=True),
    Tolerance("temperatures of the GPUs", Gauge.TEMPERATURE.value, 5.0, is_share=False),
    Tolerance("shares of the time in which the GPUs were throttled", THROTTLED, 0.05, is_share=False),
)


def circumstances_of(record: RunRecord) -> dict[str, float]:
    """The circumstances of a run, the mean over its GPUs of each; absent is what none of them tells."""
    found: dict[str, list[float]] = {}
    for domain in record.energy.domains:
        if domain.device is None:
            continue
        for name, shown in domain.device.gauges.items():
            found.setdefault(name, []).append(shown.maximum if shown.mean is None else shown.mean)
        if domain.device.throttled_ratio is not None:
            found.setdefault(THROTTLED, []).append(domain.device.throttled_ratio)
    return {name: mean(values) for name, values in found.items()}


def differences(
    names: tuple[str, str], first: Sequence[Mapping[str, float]], second: Sequence[Mapping[str, float]]
) -> Iterator[str]:
    """The circumstances that differ between two sides, a sentence each.

    Args:
        names: The names of both sides.
        first: The circumstances of each trial of the first side.
        second: The same of the second side.
    """
    for tolerance in TOLERANCES:
        sides = [[told[tolerance.gauge] for told in side if tolerance.gauge in told] for side in (first, second)]
        if not all(sides):
            continue
        figures = [median(side) for side in sides]
        apart = abs(figures[0] - figures[1])
        if apart > tolerance.most * (max(figures) if tolerance.is_share else 1):
            said = " and ".join(f"{_words(tolerance.gauge, figures[place])} ({names[place]})" for place in (0, 1))
            yield f"The {tolerance.what} differ: {said}; a part of the change may be theirs."


def _words(gauge: str, value: float) -> str:
    if gauge == THROTTLED:
        return percent(value)
    if gauge == Gauge.POWER_LIMIT:
        return amount(value, POWER)
    return gauge_words(Gauge.SM_CLOCK if gauge == Gauge.MEMORY_CLOCK else gauge, value)
