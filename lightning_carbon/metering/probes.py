"""The probes of a run: one for each source that discovery found usable, with the gauges of its device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.metering.condition_watch import ConditionWatch
from lightning_carbon.metering.probe import Probe
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lightning_carbon.energy.condition import ConditionSum
    from lightning_carbon.ports import Clock, Finding


GAUGE_GAP_NS: Final = 2 * NANOSECONDS_PER_SECOND
"""The longest time that two readings of a gauge cover, unless five intervals are longer."""


def probes_of(
    findings: Iterable[Finding], clock: Clock, interval_seconds: float, *, phase: Callable[[], str]
) -> list[Probe]:
    """Make the probes.

    Args:
        findings: The findings of discovery, usable or not.
        clock: The clock that stamps readings.
        interval_seconds: How often sensors are read.
        phase: Gives the phase that the program is in.
    """
    max_gap_ns = max(GAUGE_GAP_NS, 5 * round(interval_seconds * NANOSECONDS_PER_SECOND))
    probes = []
    for found in findings:
        if found.port is None:
            continue
        probe = Probe(found.port, clock, max_gap_ns, fallback=found.fallback, later=found.later)
        if found.gauges is not None:
            probe.condition = ConditionWatch(found.gauges, clock.now_ns, phase)
        probes.append(probe)
    return probes


def sums_at(probes: Iterable[Probe]) -> tuple[ConditionSum | None, ...]:
    """What the gauges of each domain have shown; empty where no device has any."""
    found = tuple([None if probe.condition is None else probe.condition.sums for probe in probes])
    return found if any(found) else ()
