"""The condition of a device in a few words: how hot, fast, busy and full it is, and what slows it down. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.condition import Gauge, Throttle
from lightning_carbon.records.numbers import percent, printable
from lightning_carbon.units import BYTES_PER_GIBIBYTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lightning_carbon.energy.condition import Condition

REASONS: Final[Mapping[str, str]] = {
    Throttle.POWER_CAP.value: "at its power limit",
    Throttle.HEAT.value: "heat",
    Throttle.POWER_BRAKE.value: "power brake",
    Throttle.HARDWARE.value: "by its hardware",
    Throttle.SYNC_BOOST.value: "sync boost",
}
"""The reasons of throttling for people."""


_FORMS: Final[Mapping[str, Callable[[float], str]]] = {
    Gauge.TEMPERATURE.value: lambda celsius: f"{celsius:.0f} °C",
    Gauge.SM_CLOCK.value: lambda megahertz: f"{megahertz:,.0f} MHz",
    Gauge.MEMORY_CLOCK.value: lambda megahertz: f"memory {megahertz:,.0f} MHz",
    Gauge.UTILIZATION.value: lambda ratio: f"{percent(ratio)} busy",
    Gauge.MEMORY_USED.value: lambda used: f"{used / BYTES_PER_GIBIBYTE:.1f} GiB in use",
    Gauge.POWER_LIMIT.value: lambda watts: f"limit {watts:.0f} W",
}


def gauge_words(name: str, value: float) -> str:
    """A figure of a device with its unit; a gauge that this version does not know keeps its name."""
    form = _FORMS.get(name)
    return printable(f"{name} {value:g}") if form is None else form(value)


def reason_words(reasons: Iterable[str]) -> str:
    """The reasons of throttling for people."""
    return ", ".join(REASONS.get(reason, printable(reason)) for reason in reasons)


def condition_words(condition: Condition) -> str:
    """Everything that a device tells of its condition; empty where it tells nothing."""
    said = [gauge_words(gauge, value) for gauge, value in condition.figures().items()]
    if condition.throttled is not None:
        reasons = reason_words(sorted(condition.throttled))
        said.append(f"throttled: {reasons}" if reasons else "not throttled")
    return ", ".join(said)
