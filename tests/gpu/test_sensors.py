"""The sensors of a real GPU: how often the counter moves, how late it is, and what integrated power makes of a load.

Takes about 80 s: 12 for the ticks, 25 for the lags, 40 for the shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import pytest

from tests.gpu.measuring.curves import ticks_of
from tests.gpu.measuring.loads import SHAPES, Matmuls, compare_shapes, lags
from tests.gpu.measuring.results import Results
from tests.gpu.measuring.watching import COUNTER, Watcher, nvml_sensors

pytestmark = pytest.mark.gpu

Sensors = dict[str, Callable[[], float]]


@pytest.fixture(scope="module")
def load(gpu_uuid: str) -> Matmuls:
    """The GPU, kept busy."""
    assert gpu_uuid
    return Matmuls("cuda")


@pytest.fixture(scope="module")
def sensors(gpu_uuid: str) -> Sensors:
    """What NVML offers of it, a counter of energy among them."""
    found = nvml_sensors(gpu_uuid)
    if COUNTER not in found:
        pytest.skip(f"this GPU counts no energy; it has {', '.join(found) or 'no sensor'}")
    return found


def test_the_counter_moves_at_a_steady_pace(load: Matmuls, sensors: Sensors, results: Results) -> None:
    """Read a thousand times a second under full load, it jumps: the period, its spread, and what a reading costs."""
    with Watcher({COUNTER: sensors[COUNTER]}, every_seconds=0.001) as watcher:
        load.busy(10.0)
    ticks = ticks_of(watcher.readings[COUNTER])
    results.add("ticks", ticks)

    assert ticks is not None
    assert 0 == watcher.failed
    assert ticks.period_seconds < 1
    if ticks.period_seconds > 10 * ticks.between_readings_seconds:
        # Jumps, not a steady rise: one period has to stand for all, or the timeline puts its knots elsewhere.
        assert ticks.low_seconds > 0.5 * ticks.period_seconds
        assert ticks.high_seconds < 1.5 * ticks.period_seconds


def test_how_late_the_sensors_are(load: Matmuls, sensors: Sensors, results: Results) -> None:
    """Three times from idle to full load and back: the counter bends where the load begins and ends, within 0.3 s."""
    found = lags(load, sensors)
    results.add("lag_seconds", {name: sorted(values) for name, values in found.items()})

    assert len(found[COUNTER]) >= 4
    assert abs(median(found[COUNTER])) < 0.3


def test_integrated_power_agrees_with_the_counter(load: Matmuls, sensors: Sensors, results: Results) -> None:
    """Idle and under full load within a tenth, means of a second within 15 %; other loads are told as they are."""
    stated = {"POWER_INSTANT": 0.10, "POWER_AVERAGE": 0.15, "nvmlDeviceGetPowerUsage": 0.15}
    found = compare_shapes(load, sensors, SHAPES, seconds=6.0)
    results.add("shapes", found)
    results.add("matmul", {"dtype": "bfloat16", "flops_per_second": load.flops_per_second})
    steady = [load for load in found if load.shape in {"idle", "full"}]

    assert [shape.name for shape in SHAPES] == [load.shape for load in found]
    assert found[0].counter_watts < found[2].counter_watts
    off = {
        (load.shape, name): ratio
        for load in steady
        for name, ratio in load.ratios.items()
        if abs(ratio - 1) > stated[name]
    }
    assert {} == off
