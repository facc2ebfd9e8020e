"""Clocks, temperature and throttling of the two sides of a comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lightning_carbon.baseline.circumstances import circumstances_of, differences
from lightning_carbon.baseline.contest import Trial, contest_of, trial_of
from lightning_carbon.records.conditions import DeviceRecord, GaugeRecord
from tests.unit.baseline.test_contest import NAMES, USUAL
from tests.unit.baseline.test_costs import gpu, package, run

USUAL_GAUGES = {
    "sm_clock_megahertz": 1_980.0,
    "memory_clock_megahertz": 2_619.0,
    "temperature_celsius": 60.0,
    "power_limit_watts": 700.0,
}


def trials(throttled: float = 0.0, **gauges: float) -> list[Trial]:
    """Six runs whose GPU showed this, beside a processor that shows nothing."""
    shown = {name: GaugeRecord(value + 1, value) for name, value in {**USUAL_GAUGES, **gauges}.items()}
    hot = replace(gpu(100.0), device=DeviceRecord(shown, throttled))
    return [trial_of(replace(run(hot, package(10.0)), run_id=f"run-{place}")) for place in range(6)]


def notes(first: list[Trial], second: list[Trial]) -> list[str]:
    """What a comparison notes on the GPUs."""
    contest = contest_of(NAMES, first, second, is_paired=False)
    return [note for note in contest.notes if "GPUs" in note and "differ: " in note]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sm_clock_megahertz": 1_755.0}, "The clocks of the GPUs differ: 1,980 MHz (eager) and 1,755 MHz (compiled)"),
        ({"temperature_celsius": 75.0}, "The temperatures of the GPUs differ: 60 °C (eager) and 75 °C (compiled)"),
        ({"power_limit_watts": 500.0}, "The power limits of the GPUs differ: 700 W (eager) and 500 W (compiled)"),
        ({"memory_clock_megahertz": 1_000.0}, "The memory clocks of the GPUs differ: 2,619 MHz (eager) and 1,000 MHz"),
        (
            {"throttled": 0.4},
            "The shares of the time in which the GPUs were throttled differ: 0.0 % (eager)",
        ),
    ],
)
def test_what_differs_is_noted(changed: dict[str, float], said: str) -> None:
    """A part of the change may be that of the GPU."""
    [note] = notes(trials(), trials(**changed))

    assert note.startswith(said)
    assert note.endswith("; a part of the change may be theirs.")


def test_what_hardly_differs_or_is_not_known_is_not_noted() -> None:
    """Noise of clocks and temperatures, and runs of before without gauges."""
    near = trials(sm_clock_megahertz=1_950.0, temperature_celsius=64.0, throttled=0.04)

    assert [] == notes(trials(), near)
    assert [] == notes(trials(), USUAL)
    assert [] == list(differences(NAMES, [{}], [{}]))


def test_circumstances_are_the_means_over_gpus() -> None:
    """Of a gauge with a single reading, that; of a device that tells nothing of throttling, nothing."""
    warm = replace(gpu(100.0), device=DeviceRecord({"temperature_celsius": GaugeRecord(50.0)}, None))
    hot = replace(gpu(100.0), device=DeviceRecord({"temperature_celsius": GaugeRecord(90.0, 80.0)}, 0.5))

    assert {"temperature_celsius": 65.0, "throttled_ratio": 0.5} == circumstances_of(run(warm, hot))
    assert {} == circumstances_of(run(package(10.0)))
