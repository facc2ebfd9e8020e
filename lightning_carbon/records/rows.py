"""A row: what was used since the row before, and the one table of metric names.

The table is the truth for names, units and meanings; the documentation is generated from it. A metric whose value is
not known is absent from a row, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Row:
    """What was used since the row before.

    Args:
        seconds: How long that is.
        kind_joules: Energy by kind of domain, children of other domains included.
        total_joules: The sum over the domains that no other includes; ``None`` where nothing is measured.
        phase_joules: That total by phase.
        coverage_ratio: The mean over those domains of the share of the time that readings cover.
        grams_co2e: What the total stands for, PUE included.
        run_joules: The total of the run so far.
        run_grams_co2e: The same for the run so far.
        steps: How many steps ended.
        step_joules: The energy of those steps.
        samples: How many samples they had, where known.
        tokens: How many tokens they had, where known.
        ranks: How many processes of the run are in these sums.
    """

    seconds: float
    total_joules: float | None
    coverage_ratio: float | None
    grams_co2e: float | None
    run_joules: float | None
    run_grams_co2e: float | None
    kind_joules: dict[str, float] = field(default_factory=dict)
    phase_joules: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    step_joules: float | None = None
    samples: int | None = None
    tokens: int | None = None
    ranks: int = 1

    def as_metrics(self, prefix: str = "") -> dict[str, float]:
        """The row as logger metrics: names of :data:`METRICS` to Python floats.

        Args:
            prefix: Put before every name.
        """
        values = ((metric.name, metric.of(self)) for metric in METRICS)
        return {prefix + name: value for name, value in values if value is not None}


class Metric(NamedTuple):
    """One metric.

    Args:
        name: Its name in loggers; the part before the slash groups cards in TensorBoard.
        unit: Its unit.
        meaning: What it says, in one line.
        of: Its value in a row, or ``None`` where it is not known.
    """

    name: str
    unit: str
    meaning: str
    of: Callable[[Row], float | None]


def _per(value: float | None, count: float | None) -> float | None:
    return value / count if value is not None and count else None


METRICS: tuple[Metric, ...] = (
    Metric("energy/gpu_joules", "J", "energy of the GPUs in this row", lambda row: row.kind_joules.get("gpu")),
    Metric(
        "energy/cpu_joules", "J", "energy of the CPU packages in this row", lambda row: row.kind_joules.get("package")
    ),
    Metric("energy/dram_joules", "J", "energy of the memory in this row", lambda row: row.kind_joules.get("dram")),
    Metric("energy/total_joules", "J", "all energy metered in this row, without PUE", lambda row: row.total_joules),
    Metric(
        "energy/run_kwh",
        "kWh",
        "energy of the run so far, without PUE",
        lambda row: _per(row.run_joules, JOULES_PER_KILOWATT_HOUR),
    ),
    Metric(
        "power/gpu_watts",
        "W",
        "mean power of the GPUs over this row",
        lambda row: _per(row.kind_joules.get("gpu"), row.seconds),
    ),
    Metric(
        "power/total_watts",
        "W",
        "mean power of everything metered over this row",
        lambda row: _per(row.total_joules, row.seconds),
    ),
    Metric("carbon/row_grams_co2e", "gCO2e", "CO2e of this row, PUE included", lambda row: row.grams_co2e),
    Metric("carbon/run_grams_co2e", "gCO2e", "CO2e of the run so far, PUE included", lambda row: row.run_grams_co2e),
    Metric(
        "energy/joules_per_step",
        "J",
        "energy of a step, waiting for its data included, mean over the steps that ended in this row",
        lambda row: _per(row.step_joules, row.steps),
    ),
    Metric(
        "energy/joules_per_sample",
        "J",
        "energy of those steps for each of their samples",
        lambda row: _per(row.step_joules, row.samples),
    ),
    Metric(
        "energy/joules_per_token",
        "J",
        "energy of those steps for each of their tokens",
        lambda row: _per(row.step_joules, row.tokens),
    ),
    Metric(
        "energy/coverage_ratio",
        "1",
        "share of this row's time that readings cover, mean over the domains",
        lambda row: row.coverage_ratio,
    ),
)
"""The one table of metric names."""


def metrics_table() -> str:
    """The table of metrics in Markdown, as the documentation has it."""
    lines = ["| metric | unit | meaning |", "|---|---|---|"]
    lines += [f"| `{metric.name}` | {metric.unit} | {metric.meaning} |" for metric in METRICS]
    return "\n".join(lines)
