"""The engine where the device runs behind the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lightning_carbon.testing import ManualClock, ScriptedCounter, ScriptedDevice
from tests.unit.metering.worlds import GPU_0, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.metering.engine import Engine
    from lightning_carbon.settings.checks import Detail

STEPS = [(0.05, 100.0), (0.2, 400.0), (0.1, 200.0)] * 20
"""Seconds and watts of each step."""


class SampledClock(ManualClock):
    """A clock on which sensors are read every 10 ms, also while the program waits for the device."""

    def __init__(self) -> None:
        super().__init__(start_ns=5_000_000_000)
        self.tick: Callable[[], None] = lambda: None

    def advance(self, *, seconds: float = 0.0, nanoseconds: int = 0) -> None:
        """Move on in steps of at most 10 ms."""
        left = round(seconds * 1e9) + nanoseconds
        while left > 0:
            step = min(left, 10_000_000)
            left -= step
            super().advance(nanoseconds=step)
            if step > 1_000_000:
                self.tick()


class Lagging(World):
    """A device that runs up to some steps behind, and whose power a counter follows.

    Args:
        depth: How many steps.
        device: Whether the engine knows the device's clock.
        detail: How finely the run is told apart.
    """

    def __init__(self, depth: int, *, device: bool, detail: Detail = "phase") -> None:
        self.gpu: ScriptedDevice | None = None

        def make(clock: ManualClock) -> ScriptedDevice:
            self.gpu = self.gpu or ScriptedDevice(clock, depth=depth, idle_watts=20.0)
            return self.gpu

        super().__init__(
            lambda clock: [ScriptedCounter(clock, joules=make(clock).joules, domain=GPU_0)],
            per_step=True,
            device=make if device else None,
            clock=SampledClock(),
            detail=detail,
        )

    def begin(self) -> Engine:
        """Start the engine, and have the clock read its sensors."""
        meter = self.engine.start("train")
        assert isinstance(self.clock, SampledClock)
        self.clock.tick = self.samplers[-1].tick
        return meter

    def train(self) -> list[float]:
        """Train, and give the energy of each step in joules."""
        assert self.gpu is not None
        meter = self.begin()
        for seconds, watts in STEPS:
            self.gpu.launch(seconds=seconds, watts=watts)
            self.clock.advance(seconds=0.004)
            meter.step_done()
        self.gpu.synchronize()
        record = meter.stop()
        lines = self.store.files[record.run_id, "steps.csv"].lines[1:]
        assert record.steps == len(STEPS) == len(lines)
        assert record.energy.total_joules == pytest.approx(self.gpu.joules(record.duration_seconds), rel=0.01)
        return [float(line.split(",")[4]) for line in lines]


@pytest.mark.parametrize("depth", [1, 4, 10])
def test_steps_get_their_energy_though_the_device_is_behind(depth: int) -> None:
    """With the device's own clock the energy of steps is right within 5 %, where the host's stamps are 30 % off."""
    known = Lagging(depth, device=True).train()
    guessed = Lagging(depth, device=False).train()
    true = [seconds * watts for seconds, watts in STEPS]
    error = sum(abs(joules - right) / right for joules, right in zip(known, true, strict=True)) / len(true)
    host_error = sum(abs(joules - right) / right for joules, right in zip(guessed, true, strict=True)) / len(true)

    assert error < 0.05
    assert host_error > 0.3


def test_steps_that_the_device_has_not_done_wait_for_the_next_row() -> None:
    """A row has no step whose end the device has not reached; the end of the run has them all."""
    world = Lagging(10, device=True)
    assert world.gpu is not None
    meter = world.begin()
    for _ in range(5):
        world.gpu.launch(seconds=1.0, watts=100.0)
        meter.step_done()
    world.clock.advance(seconds=2.5)
    rows = [meter.row().steps]
    world.clock.advance(seconds=1.0)
    rows.append(meter.row().steps)
    record = meter.stop()
    rows.append(meter.row().steps)

    assert rows == [2, 1, 2]
    assert record.steps == 5


def test_the_record_says_which_clock_cut_the_steps() -> None:
    """The device's, or the host's where there is no device; both, with the reason, where the device failed."""
    found = []
    for device, error in [(True, None), (False, None), (True, RuntimeError("device not ready"))]:
        world = Lagging(4, device=device)
        assert world.gpu is not None
        meter = world.begin()
        world.clock.advance(seconds=1.0)
        meter.step_done()
        world.gpu.fails_with = error
        meter.step_done()
        [rank] = meter.stop().ranks
        found.append((rank.step_clock, rank.step_clock_reason))

    assert [("device", None), ("host", None), ("mixed", "RuntimeError: device not ready")] == found
