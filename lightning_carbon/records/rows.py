"""Rows, each the energy since the row before, and the only table of metric names.

The table is the truth for names, units and meanings; the documentation is generated from it. A metric whose value is
not known is absent from a row, never zero.

Energy and CO2e come in pairs. Trackers show the last logged value for a run: under ``row_`` that is a piece of the run,
and under ``run_`` the run so far, in the end its total.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from lightning_carbon.carbon.uncertainty import Bounds


class Scope(StrEnum):
    """The scope of a metric."""

    ROW = "row"
    """The amount of a row: the values of all rows add up."""
    RUN = "run"
    """The run so far: the last value is the run's."""
    RATE = "rate"
    """A quotient within a row, which says little for a short row."""
    FORECAST = "forecast"
    """What the run will have used at its end, as far as is known: the last value is the best."""


class Forecast(NamedTuple):
    """What a run will have used at its end, each with its 90 % interval.

    Args:
        joules: Energy of the run at its end.
        seconds: How long it will have lasted.
        remaining_seconds: How long it still lasts.
    """

    joules: Bounds[float]
    seconds: Bounds[float]
    remaining_seconds: Bounds[float]


@dataclass(frozen=True, slots=True)
class Row:
    """The energy since the row before.

    Args:
        seconds: The length of the row.
        kind_joules: Energy by kind of domain, children of other domains included.
        total_joules: The sum over the domains that no other includes; ``None`` where nothing is measured.
        low_joules: The lower end of its range, which is wider for a short row where a sensor misses time.
        high_joules: The upper end.
        phase_joules: That total by phase.
        coverage_ratio: The mean over those domains of the share of the time that readings cover.
        grams_co2e: The CO2e of the total, PUE included.
        run_joules: The total of the run so far.
        run_grams_co2e: The CO2e of the run so far.
        run_kind_joules: Energy of the run so far by kind of domain.
        steps: The number of steps that ended.
        step_joules: The energy of those steps.
        samples: The number of their samples, where known.
        tokens: The number of their tokens, where known.
        ranks: The number of the run's processes in these sums.
        is_rest: Whether it is the rest at the end of a run that had rows before.
        forecast: What the run will have used at its end; ``None`` where its length is not known.
        machine_joules: The energy of the machines at their plugs in this row; ``None`` where only the chips are known.
        run_machine_joules: The same for the run so far.
        device: The figures of the devices in this row, by name: how hot, busy and fast they were.
        accepted: The number of samples that were accepted in the run so far; ``None`` where nobody told.
    """

    seconds: float
    total_joules: float | None
    coverage_ratio: float | None
    grams_co2e: float | None
    run_joules: float | None
    run_grams_co2e: float | None
    kind_joules: dict[str, float] = field(default_factory=dict)
    phase_joules: dict[str, float] = field(default_factory=dict)
    run_kind_joules: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    step_joules: float | None = None
    samples: int | None = None
    tokens: int | None = None
    ranks: int = 1
    is_rest: bool = False
    low_joules: float | None = None
    high_joules: float | None = None
    forecast: Forecast | None = None
    machine_joules: float | None = None
    run_machine_joules: float | None = None
    device: dict[str, float] = field(default_factory=dict)
    accepted: int | None = None

    def as_metrics(self, prefix: str = "", *, scopes: Collection[Scope] | None = None) -> dict[str, float]:
        """The row as logger metrics: names of :data:`METRICS` to Python floats.

        Args:
            prefix: Put before every name.
            scopes: The scopes of the metrics; by default all, without rates for the rest at the end of a run, which may
                be short.
        """
        if scopes is None:
            scopes = _OF_REST if self.is_rest else _OF_ROW
        values = ((metric.name, metric.of(self)) for metric in METRICS if metric.scope in scopes)
        return {prefix + name: value for name, value in values if value is not None}

    def as_metrics_at(self, step: int, last_step: int | None, prefix: str = "") -> dict[str, float]:
        """The row as metrics for a step: on the step of the row before it, the totals of the run alone.

        A second row on the same step would be drawn over the first, or replace it.

        Args:
            step: The place of the row on the x-axis.
            last_step: The place of the row before it; ``None`` where there is none.
            prefix: Put before every name.
        """
        return self.as_metrics(prefix, scopes=(Scope.RUN,) if step == last_step else None)


class Metric(NamedTuple):
    """A metric of rows.

    Args:
        name: Its name in loggers; the part before the slash groups cards in TensorBoard.
        unit: Its unit.
        meaning: Its meaning, in a line.
        of: Its value in a row, or ``None`` where it is not known.
        scope: Its scope.
    """

    name: str
    unit: str
    meaning: str
    of: Callable[[Row], float | None]
    scope: Scope = Scope.RATE


_OF_ROW: Final = frozenset(Scope)
_OF_REST: Final = frozenset({Scope.ROW, Scope.RUN})


def _per(value: float | None, count: float | None) -> float | None:
    return value / count if value is not None and count else None


def _forecasts(
    name: str, unit: str, meaning: str, *, of: Callable[[Row, Forecast], Bounds[float] | None]
) -> tuple[Metric, Metric, Metric]:
    """A forecast and the ends of its 90 % interval."""

    def end(of_bounds: Callable[[Bounds[float]], float]) -> Callable[[Row], float | None]:
        def value(row: Row) -> float | None:
            bounds = None if row.forecast is None else of(row, row.forecast)
            return None if bounds is None else of_bounds(bounds)

        return value

    return (
        Metric(name, unit, f"forecast: {meaning}", end(lambda bounds: bounds.value), Scope.FORECAST),
        Metric(f"{name}_low", unit, "lower end of its 90 % interval", end(lambda bounds: bounds.low), Scope.FORECAST),
        Metric(f"{name}_high", unit, "upper end", end(lambda bounds: bounds.high), Scope.FORECAST),
    )


def _priced(row: Row, joules: Bounds[float]) -> Bounds[float] | None:
    """What energy of this run stands for, at what its energy so far stands for."""
    grams_per_joule = _per(row.run_grams_co2e, row.run_joules)
    return None if grams_per_joule is None else joules.map(lambda value: value * grams_per_joule)


def _device(name: str, unit: str, meaning: str) -> Metric:
    """A figure of the devices, of the readings in a row."""
    return Metric(f"device/{name}", unit, meaning, lambda row: row.device.get(name))


METRICS: tuple[Metric, ...] = (
    Metric(
        "energy/row_gpu_joules",
        "J",
        "energy of the GPUs in this row",
        lambda row: row.kind_joules.get("gpu"),
        Scope.ROW,
    ),
    Metric(
        "energy/row_cpu_joules",
        "J",
        "energy of the CPU packages in this row",
        lambda row: row.kind_joules.get("package"),
        Scope.ROW,
    ),
    Metric(
        "energy/row_dram_joules",
        "J",
        "energy of the memory in this row",
        lambda row: row.kind_joules.get("dram"),
        Scope.ROW,
    ),
    Metric(
        "energy/row_joules",
        "J",
        "all energy of the chips that are metered, in this row, without PUE",
        lambda row: row.total_joules,
        Scope.ROW,
    ),
    Metric(
        "energy/run_gpu_joules",
        "J",
        "energy of the GPUs in the run so far",
        lambda row: row.run_kind_joules.get("gpu"),
        Scope.RUN,
    ),
    Metric(
        "energy/run_cpu_joules",
        "J",
        "energy of the CPU packages in the run so far",
        lambda row: row.run_kind_joules.get("package"),
        Scope.RUN,
    ),
    Metric(
        "energy/run_dram_joules",
        "J",
        "energy of the memory in the run so far",
        lambda row: row.run_kind_joules.get("dram"),
        Scope.RUN,
    ),
    Metric(
        "energy/run_joules",
        "J",
        "the same for the run so far",
        lambda row: row.run_joules,
        Scope.RUN,
    ),
    Metric(
        "energy/run_kwh",
        "kWh",
        "the same in kilowatt-hours",
        lambda row: _per(row.run_joules, JOULES_PER_KILOWATT_HOUR),
        Scope.RUN,
    ),
    Metric(
        "energy/row_machine_joules",
        "J",
        "energy of the machines at their plugs in this row: chips and the rest, without PUE",
        lambda row: row.machine_joules,
        Scope.ROW,
    ),
    Metric(
        "energy/run_machine_joules",
        "J",
        "the same for the run so far",
        lambda row: row.run_machine_joules,
        Scope.RUN,
    ),
    Metric(
        "energy/run_machine_kwh",
        "kWh",
        "the same in kilowatt-hours",
        lambda row: _per(row.run_machine_joules, JOULES_PER_KILOWATT_HOUR),
        Scope.RUN,
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
    Metric(
        "carbon/row_grams_co2e",
        "gCO2e",
        "CO2e of the site in this row: the machines' energy, PUE included",
        lambda row: row.grams_co2e,
        Scope.ROW,
    ),
    Metric(
        "carbon/run_grams_co2e",
        "gCO2e",
        "the same for the run so far",
        lambda row: row.run_grams_co2e,
        Scope.RUN,
    ),
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
        "energy/run_joules_per_accepted_sample",
        "J",
        "energy of the run so far, all roles, for each sample that was accepted (`meter.count(accepted=...)`)",
        lambda row: _per(row.run_joules, row.accepted),
        Scope.RUN,
    ),
    Metric(
        "energy/coverage_ratio",
        "1",
        "share of this row's time that readings cover, mean over the domains",
        lambda row: row.coverage_ratio,
    ),
    *_forecasts(
        "energy/forecast_run_kwh",
        "kWh",
        "energy of the run's chips at its end, without PUE",
        of=lambda _, forecast: forecast.joules.map(lambda joules: joules / JOULES_PER_KILOWATT_HOUR),
    ),
    *_forecasts(
        "carbon/forecast_run_grams_co2e",
        "gCO2e",
        "CO2e of the run at its end, PUE included",
        of=lambda row, forecast: _priced(row, forecast.joules),
    ),
    *_forecasts(
        "forecast/remaining_seconds",
        "s",
        "how long the run still lasts",
        of=lambda _, forecast: forecast.remaining_seconds,
    ),
    _device("temperature_celsius", "°C", "mean temperature of the hottest GPU over this row"),
    _device("throttled_ratio", "1", "share of this row in which GPUs ran slower than asked to, for heat or power"),
    _device("utilization_ratio", "1", "share of this row in which GPUs computed (`device_metrics=True`, as below)"),
    _device("sm_clock_megahertz", "MHz", "mean clock of the GPUs' processors"),
    _device("memory_clock_megahertz", "MHz", "mean clock of the GPUs' memory"),
    _device("memory_used_bytes", "B", "memory in use on the fullest GPU, by all processes"),
    _device("power_limit_watts", "W", "mean power limit of the GPUs"),
)
"""The only table of metric names."""

FORMER_NAMES: Final[Mapping[str, str]] = {
    "energy/gpu_joules": "energy/row_gpu_joules",
    "energy/cpu_joules": "energy/row_cpu_joules",
    "energy/dram_joules": "energy/row_dram_joules",
    "energy/total_joules": "energy/row_joules",
}
"""The former names of metrics, from before energy came in pairs, and the present names; old logs still have them."""


def present_name(name: str) -> str:
    """The present name of a metric that may have been logged under a former name.

    Args:
        name: A name in a log, with any prefix of a trainer or a logger.
    """
    for former, present in FORMER_NAMES.items():
        if name == former or (name.endswith(former) and name[-len(former) - 1] in "/-"):
            return name.removesuffix(former) + present
    return name


def metrics_table() -> str:
    """The table of metrics in Markdown, as the documentation has it."""
    lines = ["| metric | unit | meaning |", "|---|---|---|"]
    lines += [f"| `{metric.name}` | {metric.unit} | {metric.meaning} |" for metric in METRICS]
    return "\n".join(lines)
