"""Sensors are read and loads are driven as on a GPU: on the stand-in driver, and on a lamp whose power is known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

import pytest

from tests.gpu.measuring.curves import ticks_of
from tests.gpu.measuring.loads import SHAPES, Matmuls, Shape, Sleep, compare_shapes, drive, lags
from tests.gpu.measuring.watching import COUNTER, GAUGES, Watcher, nvml_sensors
from tests.nvml_standin import ALL_READINGS_FAIL, NOT_SUPPORTED, Gpu, Scenario, Standin, gpu_uuid


@pytest.fixture
def shut() -> Iterator[None]:
    """NVML is given back as often as the sensors have asked for it."""
    import pynvml

    yield
    pynvml.nvmlShutdown()


class Lamp:
    """A load that draws more while it is on; its sensors are exact, and late by so many seconds.

    Args:
        lag_seconds: How late they are.
    """

    IDLE, BUSY = 100.0, 300.0

    def __init__(self, lag_seconds: float = 0.0) -> None:
        self._lag_seconds = lag_seconds
        self._switched: list[tuple[float, float]] = [(time.monotonic(), self.IDLE)]

    def busy(self, seconds: float) -> None:
        """Be on for so long."""
        self._switched.append((time.monotonic(), self.BUSY))
        time.sleep(seconds)
        self._switched.append((time.monotonic(), self.IDLE))

    def joules(self) -> float:
        """The count of its energy, as it was some time ago; it never stands at nothing."""
        now, total = time.monotonic() - self._lag_seconds, 1_000.0
        for (start, watts), (end, _) in pairwise([*self._switched, (float("inf"), 0.0)]):
            total += watts * max(0.0, min(end, now) - start)
        return total

    def watts(self) -> float:
        """Its power."""
        return self._switched[-1][1]


@pytest.mark.usefixtures("shut")
def test_every_sensor_that_answers_is_found(nvml_standin: Standin) -> None:
    """Energy in joules and power in watts, as the driver has them."""
    with nvml_standin.showing(Scenario.of(Gpu(watts=300.0))):
        sensors = nvml_sensors(gpu_uuid(0))
        shown = {name: read() for name, read in sensors.items()}

    assert {COUNTER, *GAUGES} == set(shown)
    assert [300.0] * 3 == [shown[name] for name in GAUGES]
    assert shown[COUNTER] > 1_000


@pytest.mark.parametrize(
    ("trouble", "left"),
    [
        ({"energy_code": NOT_SUPPORTED}, set(GAUGES)),
        ({"instant_code": NOT_SUPPORTED}, {COUNTER, "POWER_AVERAGE", "nvmlDeviceGetPowerUsage"}),
        ({"fields_code": NOT_SUPPORTED}, {COUNTER, "nvmlDeviceGetPowerUsage"}),
        (ALL_READINGS_FAIL, set()),
    ],
)
@pytest.mark.usefixtures("shut")
def test_what_a_gpu_does_not_offer_is_left_out(nvml_standin: Standin, trouble: dict[str, int], left: set[str]) -> None:
    """Whichever it is, the others are there."""
    with nvml_standin.showing(Scenario.of(Gpu(**trouble))):  # type: ignore[arg-type]  # mypy sees no keys
        assert left == set(nvml_sensors(gpu_uuid(0)))


@pytest.mark.usefixtures("shut")
def test_the_jumps_of_a_counter_are_found_on_a_driver(nvml_standin: Standin) -> None:
    """Read on a thread, while the program does something else."""
    with nvml_standin.showing(Scenario.of(Gpu(tick_ns=50_000_000))):
        sensors = nvml_sensors(gpu_uuid(0))
        with Watcher({COUNTER: sensors[COUNTER]}) as watcher:
            Sleep().busy(1.0)
    ticks = ticks_of(watcher.readings[COUNTER])
    assert ticks is not None

    assert 0 == watcher.failed
    # Of a second on a busy machine; the median stays where it is when some are seen late.
    assert ticks.period_seconds == pytest.approx(0.05, rel=0.2)


def test_readings_that_fail_are_counted() -> None:
    """And the other sensors go on."""

    def broken() -> float:
        raise OSError

    with Watcher({"broken": broken, COUNTER: time.monotonic}, every_seconds=0.001) as watcher:
        time.sleep(0.05)

    assert watcher.failed >= 1
    assert ([], True) == (watcher.readings["broken"], len(watcher.readings[COUNTER]) >= 1)


def test_integrated_power_agrees_with_the_counter_for_every_shape() -> None:
    """A lamp that is off, half the time on, on, and on in bursts takes as much as that is of its power."""
    lamp = Lamp()
    found = compare_shapes(lamp, {COUNTER: lamp.joules, "power": lamp.watts}, SHAPES, seconds=1.0, lead_seconds=0.2)
    watts = {load.shape: load.counter_watts for load in found}

    assert [shape.name for shape in SHAPES] == [load.shape for load in found]
    assert Lamp.IDLE == pytest.approx(watts["idle"], rel=0.1)
    assert all(watts["idle"] < watts[shape] < watts["full"] for shape in ("bursts of 20 ms", "half"))
    assert (found[0].ratios["power"], found[2].ratios["power"]) == pytest.approx((1.0, 1.0), rel=0.25)
    assert all(load.readings["power"] > 10 for load in found)


def test_the_lag_of_a_sensor_is_found() -> None:
    """By when it shows that the load began and ended: one is late by 0.3 s, the other is not."""
    lamp = Lamp(0.3)
    sensors = {COUNTER: lamp.joules, "power": lamp.watts}
    found = lags(lamp, sensors, times=2, settling_seconds=0.5, line_seconds=0.3)

    assert 4 == len(found[COUNTER])
    assert (median(found[COUNTER]), median(found["power"])) == pytest.approx((0.3, 0.0), abs=0.14)


def test_a_shape_keeps_its_period() -> None:
    """However long being busy takes of it."""
    start = time.monotonic()
    drive(Sleep(), Shape("half", 0.05, 0.1), 0.3)

    assert time.monotonic() - start >= 0.3


def test_matrices_keep_a_device_busy() -> None:
    """On a processor here; how long one product takes is known beforehand."""
    pytest.importorskip("torch")
    work = Matmuls("cpu", size=64)
    start = time.monotonic()
    work.busy(0.1)
    work.launch_seconds(0.001)
    work.wait()

    assert work.seconds > 0
    assert work.flops_per_second == 2 * work.size**3 / work.seconds
    # About so long: it stops early by what has been given and is not done yet.
    assert time.monotonic() - start >= 0.05
