"""The texts, images and charts that TensorBoard gets at the end of a run beside the rows. Pure.

A name's part before the slash groups cards, as with metrics: the figure stands beside the charts of power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.records.rows import FORMER_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection


class Shown(NamedTuple):
    """An item that is shown once, at the end of a run.

    Args:
        name: Its name in TensorBoard; no metric has it.
        tab: The tab of TensorBoard that shows it.
        meaning: Its meaning, in a line.
    """

    name: str
    tab: str
    meaning: str


SUMMARY: Final = Shown("carbon/summary", "Text", "the summary of the run, with all that was assumed and not measured")
POWER: Final = Shown(
    "power/over_time", "Images", "power over time by kind of hardware, measured or modelled, with the phases shaded"
)
SHOWN: Final = (SUMMARY, POWER)
"""The only table of these names."""


def _with_ends(name: str) -> tuple[str, ...]:
    """A forecast and the ends of its interval."""
    return (name, f"{name}_low", f"{name}_high")


CHARTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "Power": {
        "power (W)": ("power/gpu_watts", "power/total_watts"),
    },
    "Energy": {
        "energy of the run (kWh)": ("energy/run_kwh", "energy/run_machine_kwh"),
        "energy of each row (J)": (
            "energy/row_gpu_joules",
            "energy/row_cpu_joules",
            "energy/row_dram_joules",
            "energy/row_joules",
            "energy/row_machine_joules",
        ),
        "energy of the run by kind (J)": (
            "energy/run_gpu_joules",
            "energy/run_cpu_joules",
            "energy/run_dram_joules",
            "energy/run_joules",
            "energy/run_machine_joules",
        ),
        "energy of a step (J)": ("energy/joules_per_step",),
        "energy of a sample (J)": ("energy/joules_per_sample",),
        "energy of a token (J)": ("energy/joules_per_token",),
        "energy of an accepted sample (J)": ("energy/run_joules_per_accepted_sample",),
    },
    "Carbon": {
        "CO2e of the run (g)": ("carbon/run_grams_co2e",),
        "CO2e of each row (g)": ("carbon/row_grams_co2e",),
    },
    "Devices": {
        "temperature of the hottest GPU (°C)": ("device/temperature_celsius",),
        "throttled, and busy (share of the time)": ("device/throttled_ratio", "device/utilization_ratio"),
        "clocks (MHz)": ("device/sm_clock_megahertz", "device/memory_clock_megahertz"),
        "memory in use on the fullest GPU (B)": ("device/memory_used_bytes",),
        "power limit (W)": ("device/power_limit_watts",),
    },
    "Forecast": {
        "energy of the run at its end (kWh)": _with_ends("energy/forecast_run_kwh"),
        "CO2e of the run at its end (g)": _with_ends("carbon/forecast_run_grams_co2e"),
        "time that is left (s)": _with_ends("forecast/remaining_seconds"),
    },
}
"""The tab Custom Scalars: categories of charts, and the metrics in each."""

_BEFORE: Final = "(.*-)?(train/)?"
"""The possible prefixes of a metric's name: that of a Lightning logger, and Hugging Face's."""

_SPELLED: Final = {present: f"({present}|{former})" for former, present in FORMER_NAMES.items()}
"""Metrics that runs of before have under another name; they stand in the same charts."""


def layout(names: Collection[str]) -> dict[str, dict[str, tuple[str, list[str]]]]:
    """The charts of a run, as ``SummaryWriter.add_custom_scalars`` takes them.

    TensorBoard shows the layouts of all runs together, and a single chart where two are equal. So each chart is the
    same in every run that has it, with or without a GPU, in Lightning and in Hugging Face.

    Args:
        names: The metrics of the run; charts without any of them are left out.
    """
    has = frozenset(names)
    found = {
        category: {
            title: ("Multiline", [f"^{_BEFORE}{_SPELLED.get(metric, metric)}$" for metric in metrics])
            for title, metrics in charts.items()
            if has.intersection(metrics)
        }
        for category, charts in CHARTS.items()
    }
    return {category: charts for category, charts in found.items() if charts}
