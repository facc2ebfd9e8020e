"""The energy of tests: what a sensor can tell of each, as a table and as plain values. Pure.

The energy between two moments is known as well as the sensor knows the moments, which is within one of its ticks. Of a
test that is shorter than that nobody can tell the energy, so it has none here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lightning_carbon.carbon.budgets import Quantity, budget_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.records.run import RunRecord

SCHEMA: Final = 1
SHOWN: Final = 10
"""The most tests in the table."""


class Resolution(NamedTuple):
    """How well the sensors of a process know an energy.

    Args:
        tick_seconds: The distance between two figures of the slowest; ``None`` where it is not known (yet).
        low_ratio: The lower end of the range of the run's energy, over that energy.
        high_ratio: The upper end.
    """

    tick_seconds: float | None = None
    low_ratio: float = 1.0
    high_ratio: float = 1.0


class CallCost(NamedTuple):
    """The energy of the call of a test.

    Args:
        test: The name that pytest has for it.
        seconds: How long the call took.
        joules: Its energy; ``None`` where the sensor does not resolve it.
        low_joules: The lower end of its range.
        high_joules: The upper end.
        budget_joules: The most that it may take; ``None`` where it has no budget.
    """

    test: str
    seconds: float
    joules: float | None = None
    low_joules: float | None = None
    high_joules: float | None = None
    budget_joules: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the test took more than its budget, whatever within the range is true."""
        return self.budget_joules is not None and self.low_joules is not None and self.low_joules > self.budget_joules

    def mapping(self) -> dict[str, Any]:
        """The test as plain values, without what is not known."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def cost_of(
    test: str, seconds: float, joules: float | None, *, resolution: Resolution, budget: float | None = None
) -> CallCost:
    """The energy of the call of a test, where the sensors resolve it.

    Args:
        test: Its name.
        seconds: How long it took.
        joules: What was metered while it ran.
        resolution: How well that is known.
        budget: The most joules that it may take.
    """
    tick = resolution.tick_seconds
    if joules is None or tick is None or seconds <= tick:
        return CallCost(test, seconds, budget_joules=budget)
    at_edges = tick / seconds
    low = max(0.0, joules * (resolution.low_ratio - at_edges))
    return CallCost(test, seconds, joules, low, joules * (resolution.high_ratio + at_edges), budget)


def resolution_of(record: RunRecord) -> Resolution:
    """How well the sensors of a run know an energy, by its record.

    Args:
        record: The record, so far or in the end.
    """
    energy = record.energy
    ticks = [domain.cadence_seconds for domain in energy.domains if domain.cadence_seconds is not None]
    tick = max(ticks, default=None)
    if not energy.total_joules:
        return Resolution(tick)
    return Resolution(tick, energy.low_joules / energy.total_joules, energy.high_joules / energy.total_joules)


def budget_joules(amount: object) -> float | None:
    """The joules of a budget; ``None`` where the text names no energy.

    Args:
        amount: Such as ``"50 J"`` or ``"0.1 Wh"``.
    """
    budget = budget_of(amount) if isinstance(amount, str) else None
    return None if budget is None or budget.quantity is not Quantity.ENERGY else budget.amount


def table_of(costs: Sequence[CallCost], parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The tests that took the most energy, and what is known of all of them.

    Args:
        costs: The tests.
        parts: The processes that ran them, as :func:`part_of` tells of each.
    """
    told = sorted((cost for cost in costs if cost.joules is not None), key=lambda cost: -(cost.joules or 0.0))
    lines = [
        f"{cost.joules:10.3g} J  {cost.low_joules:.3g} to {cost.high_joules:.3g} J  {cost.seconds:8.2f} s  {cost.test}"
        for cost in told[:SHOWN]
    ]
    if len(told) < len(costs):
        ticks = [part["tick_seconds"] for part in parts if "tick_seconds" in part]
        tick = f", {max(ticks):.3g} s" if ticks else ""
        lines.append(f"{len(costs) - len(told)} tests were shorter than a tick of the sensors{tick}: no figure")
    joules = sum(part.get("joules", 0.0) for part in parts)
    lines += [f"{joules:.4g} J in all, with what lies between tests; {_sources(parts)}"]
    return lines


def part_of(name: str, record: RunRecord) -> dict[str, Any]:
    """What a process has metered, as plain values.

    Args:
        name: The process, such as ``gw0``; empty where there is one alone.
        record: The record of its run.
    """
    energy = record.energy
    told = {
        "process": name,
        "run_id": record.run_id,
        "joules": energy.total_joules,
        "measured_joules": energy.measured_joules,
        "coverage_ratio": energy.coverage_ratio,
        "tick_seconds": resolution_of(record).tick_seconds,
        "hardware": [f"{domain.name} ({domain.provenance})" for domain in energy.domains],
    }
    return {key: value for key, value in told.items() if value is not None}


def _sources(parts: Sequence[Mapping[str, Any]]) -> str:
    hardware = dict.fromkeys(name for part in parts for name in part["hardware"])
    covered = min((part["coverage_ratio"] for part in parts), default=0.0)
    return f"{', '.join(hardware) or 'nothing is metered'}; readings cover {covered:.0%}"
