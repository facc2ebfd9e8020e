"""The condition of devices in an engine's rows, beats and records."""

from __future__ import annotations

import pytest

from lightning_carbon.energy.condition import Condition, Throttle
from lightning_carbon.errors import ReadFailed
from lightning_carbon.metering.condition_watch import ConditionWatch, next_look_ns
from lightning_carbon.sources.simulated import GaugedGPU
from lightning_carbon.testing import ManualClock
from tests.unit.metering.worlds import World

CALM = Condition(0.9, 1_980.0, 2_619.0, 50.0, 1e9, 700.0, frozenset())
SLOWED = Condition(0.9, 1_200.0, 2_619.0, 90.0, 2e9, 700.0, frozenset({Throttle.HEAT}))
SECOND = 1_000_000_000


def two_gpus(clock: ManualClock) -> list[GaugedGPU]:
    """A GPU that stays calm, and another that is slowed down by heat after ten seconds."""
    return [
        GaugedGPU(clock, condition=lambda _: CALM, index=0),
        GaugedGPU(clock, condition=lambda seconds: CALM if seconds < 10 else SLOWED, index=1),
    ]


def test_rows_have_temperature_and_throttling_unasked() -> None:
    """The hottest GPU, and the share of the time over all GPUs."""
    world = World(two_gpus)
    with world.engine:
        world.steps(100)
        early = world.engine.row().as_metrics()
        world.steps(100)
        late = world.engine.row().as_metrics()

    assert (50.0, 0.0) == pytest.approx((early["device/temperature_celsius"], early["device/throttled_ratio"]))
    assert 85.0 < late["device/temperature_celsius"] <= 90.0
    assert 0.4 < late["device/throttled_ratio"] <= 0.5
    assert {"device/temperature_celsius", "device/throttled_ratio"} == {n for n in late if n.startswith("device/")}


def test_rows_have_all_gauges_where_asked() -> None:
    """Busy, fast and full, in the units of their names."""
    world = World(two_gpus, changes={"device_metrics": True})
    with world.engine:
        world.steps(60)
        found = world.engine.row().as_metrics()

    assert 0.9 == pytest.approx(found["device/utilization_ratio"])
    assert (1_980.0, 2_619.0) == (found["device/sm_clock_megahertz"], found["device/memory_clock_megahertz"])
    assert (1e9, 700.0) == (found["device/memory_used_bytes"], found["device/power_limit_watts"])


def test_a_row_without_a_reading_has_no_figure_of_devices() -> None:
    """Absent is absent: the row before has its own."""
    world = World(two_gpus)
    with world.engine:
        world.steps(55)
        world.engine.row()
        world.steps(1)
        found = world.engine.row().as_metrics()

    assert not [name for name in found if name.startswith("device/")]


def test_the_record_has_each_gpu() -> None:
    """Mean, maximum and the share throttled by reason."""
    world = World(two_gpus)
    with world.engine:
        world.steps(200)
    calm, slowed = (domain.device for domain in world.engine.record.energy.domains)

    assert calm is not None
    assert slowed is not None
    assert (0.0, {}) == (calm.throttled_ratio, calm.throttled)
    assert ["heat"] == list(slowed.throttled)
    assert 0.4 < slowed.throttled["heat"] < 0.6
    assert 90.0 == slowed.gauges["temperature_celsius"].maximum
    assert 50.0 < (slowed.gauges["temperature_celsius"].mean or 0) < 90.0


def test_a_gpu_whose_gauges_fail_is_metered_all_the_same() -> None:
    """Gauges explain a run, and never end it."""

    def fail(_seconds: float) -> Condition:
        raise ReadFailed("as the test says")

    world = World(lambda clock: [GaugedGPU(clock, 100.0, condition=fail)])
    with world.engine:
        world.steps(50)
    [domain] = world.engine.record.energy.domains

    assert (None, None) == (domain.device, domain.lost)
    assert 500.0 == pytest.approx(domain.joules, rel=0.05)


def test_readings_are_two_seconds_apart_and_closer_at_the_start() -> None:
    """A short run has some, and a long run pays little."""
    at, moments = 0, [0.0]
    while at < 20 * SECOND:
        at = next_look_ns(0, at)
        moments.append(at / SECOND)

    assert [0.0, 0.25, 0.5, 0.75] == moments[:4]
    assert 22 < len(moments) < 32
    assert 2.0 == pytest.approx(moments[-1] - moments[-2])


def test_dropped_gauges_are_not_read_again() -> None:
    """A late answer of gauges that were given up counts for nothing."""
    clock, asked = ManualClock(), []

    def condition(_seconds: float) -> Condition:
        asked.append(clock.now_ns())
        watch.drop()
        return CALM

    watch = ConditionWatch(GaugedGPU(clock, condition=condition), clock.now_ns, lambda: "train")
    watch.read()
    watch.read()

    assert (1, None, None) == (len(asked), watch.sums, watch.reading_since_ns)
