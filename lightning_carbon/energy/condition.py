"""The condition of a device beside its power: how busy, fast, hot and full it is, and what slows it down. Pure.

Readings are seconds apart, so sums weight each by the time around it: a mean is the integral by trapezoids over the
time that two readings in a row enclose, and a share of time throttled is the same integral of yes and no. A time
without readings is a gap: it is in neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from lightning_carbon.energy.phases import Phase
from lightning_carbon.units import NANOSECONDS_PER_SECOND
from lightning_carbon.values import dataclass, field, replace

READ_SECONDS: Final = 2.0
"""How far apart readings of a condition are; ours: a GPU heats up in tens of seconds."""
GAP_NS: Final = round(3 * READ_SECONDS * NANOSECONDS_PER_SECOND)
"""The longest time between two readings that they enclose; ours."""
IDLE_OF_LIMIT: Final = 0.14
"""The draw of an idle GPU as a share of its power limit: the median of seven models by nvidia-smi, from 0.10 (H100) to
0.48 (T4), in NVIDIA/k8s-test-infra (2026); METHODOLOGY.md has the table, and ``make reality`` prints it."""


class Throttle(StrEnum):
    """A reason for which a device runs slower than it was asked to."""

    POWER_CAP = "power_cap"
    """It would draw more than its power limit."""
    HEAT = "heat"
    """It is too hot."""
    POWER_BRAKE = "power_brake"
    """The machine's power supply asks for less."""
    HARDWARE = "hardware"
    """Its hardware slows it down, and does not say whether for heat or power."""
    SYNC_BOOST = "sync_boost"
    """It waits for the slowest of a group whose clocks were tied together."""


class Gauge(StrEnum):
    """A figure of the condition of a device; its name ends with the unit."""

    UTILIZATION = "utilization_ratio"
    SM_CLOCK = "sm_clock_megahertz"
    MEMORY_CLOCK = "memory_clock_megahertz"
    TEMPERATURE = "temperature_celsius"
    MEMORY_USED = "memory_used_bytes"
    POWER_LIMIT = "power_limit_watts"


PLAUSIBLE: Final[Mapping[Gauge, tuple[float, float]]] = MappingProxyType(
    {
        Gauge.UTILIZATION: (0.0, 1.0),
        Gauge.SM_CLOCK: (1.0, 10_000.0),
        Gauge.MEMORY_CLOCK: (1.0, 50_000.0),
        Gauge.TEMPERATURE: (-40.0, 150.0),
        Gauge.MEMORY_USED: (0.0, float(1 << 50)),
        Gauge.POWER_LIMIT: (1.0, 100_000.0),
    }
)
"""What a figure may be; ours, several times what hardware of 2026 shows. Silicon is specified from -40 to 125 °C. What
lies outside, such as NVML's 0xFFFFFFFF for a value that it does not have, is no reading."""


class Condition(NamedTuple):
    """A reading of the condition of a device; ``None`` is what it does not tell.

    Args:
        utilization_ratio: The share of the time since the last reading, or of the last second, in which it computed.
        sm_clock_megahertz: The clock of its processors.
        memory_clock_megahertz: The clock of its memory.
        temperature_celsius: Its temperature.
        memory_used_bytes: Its memory in use, by all processes.
        power_limit_watts: The power limit in force.
        throttled: The reasons for which it runs slower than it was asked to; empty where it does not.
    """

    utilization_ratio: float | None = None
    sm_clock_megahertz: float | None = None
    memory_clock_megahertz: float | None = None
    temperature_celsius: float | None = None
    memory_used_bytes: float | None = None
    power_limit_watts: float | None = None
    throttled: frozenset[Throttle] | None = None

    def figures(self) -> dict[Gauge, float]:
        """The figures that it has, without those that cannot be."""
        found = {}
        for gauge, value in zip(Gauge, self, strict=False):
            low, high = PLAUSIBLE[gauge]
            if isinstance(value, int | float) and low <= value <= high:
                found[gauge] = float(value)
        return found


class GaugeSum(NamedTuple):
    """What a gauge has shown so far.

    Args:
        ns: The nanoseconds that readings enclose.
        integral: Its value times seconds, over those.
        most: The highest reading.
        last: The last reading.
    """

    ns: int
    integral: float
    most: float
    last: float

    @property
    def mean(self) -> float | None:
        """The mean over time; ``None`` where a single reading is known."""
        return self.integral / (self.ns / NANOSECONDS_PER_SECOND) if self.ns else None


@dataclass(frozen=True, slots=True)
class ConditionSum:
    """What the gauges of a device have shown since the start of a run; sums of two moments can be subtracted.

    Args:
        gauges: What each gauge has shown.
        watched_ns: The nanoseconds between readings that told whether it was throttled; 0 where it does not tell.
        throttled_ns: Those in which it was, for any reason.
        reasons_ns: Those of each reason; two reasons may hold at once.
        train_ns: The nanoseconds between readings of its utilization while training steps ran.
        train_busy_ns: Those in which it computed.
        throttled: The reasons at the last reading; ``None`` where it does not tell.
    """

    gauges: Mapping[str, GaugeSum] = field(default_factory=dict)
    watched_ns: int = 0
    throttled_ns: int = 0
    reasons_ns: Mapping[str, int] = field(default_factory=dict)
    train_ns: int = 0
    train_busy_ns: int = 0
    throttled: tuple[str, ...] | None = None

    def share(self, reason: str) -> float | None:
        """The share of the time in which it was throttled for a reason; ``None`` where it does not tell."""
        return self.reasons_ns.get(reason, 0) / self.watched_ns if self.watched_ns else None


class Look(NamedTuple):
    """A reading of a condition at a moment.

    Args:
        at_ns: The moment.
        condition: The reading.
        phase: The phase that the program was in.
    """

    at_ns: int
    condition: Condition
    phase: str


def after(known: ConditionSum, before: Look | None, now: Look) -> ConditionSum:
    """The sums after one more reading.

    Args:
        known: The sums so far.
        before: The reading before; ``None`` for the first.
        now: The reading.
    """
    ns = 0 if before is None else now.at_ns - before.at_ns
    if not 0 < ns <= GAP_NS:
        before, ns = None, 0
    seconds = ns / NANOSECONDS_PER_SECOND
    figures, earlier = now.condition.figures(), {} if before is None else before.condition.figures()
    gauges = dict(known.gauges)
    for gauge, value in figures.items():
        last = gauges.get(gauge, GaugeSum(0, 0.0, value, value))
        added_ns, added = (ns, (earlier[gauge] + value) / 2 * seconds) if gauge in earlier else (0, 0.0)
        gauges[gauge] = GaugeSum(last.ns + added_ns, last.integral + added, max(last.most, value), value)
    reasons = now.condition.throttled
    found = replace(known, gauges=gauges, throttled=None if reasons is None else tuple(sorted(map(str, reasons))))
    if before is None:
        return found
    before_reasons = before.condition.throttled
    if reasons is not None and before_reasons is not None:
        reasons_ns = dict(known.reasons_ns)
        for reason in Throttle:
            if held_ns := _held_ns(ns, is_before=reason in before_reasons, is_now=reason in reasons):
                reasons_ns[reason] = reasons_ns.get(reason, 0) + held_ns
        found = replace(
            found,
            watched_ns=known.watched_ns + ns,
            throttled_ns=known.throttled_ns + _held_ns(ns, is_before=bool(before_reasons), is_now=bool(reasons)),
            reasons_ns=reasons_ns,
        )
    if before.phase == now.phase == Phase.TRAIN and Gauge.UTILIZATION in figures and Gauge.UTILIZATION in earlier:
        busy = (earlier[Gauge.UTILIZATION] + figures[Gauge.UTILIZATION]) / 2
        found = replace(found, train_ns=known.train_ns + ns, train_busy_ns=known.train_busy_ns + round(busy * ns))
    return found


def _held_ns(ns: int, *, is_before: bool, is_now: bool) -> int:
    """How much of the time between two readings a reason held: all, half or nothing of it."""
    return ns * (is_before + is_now) // 2
