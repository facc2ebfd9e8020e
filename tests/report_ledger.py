"""A ledger to look at: runs of a small project, made in no time on a clock that is moved, with all that pages show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lightning_carbon.energy.condition import Condition, Throttle
from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.testing import ManualClock, ScriptedCounter
from lightning_carbon.units import SECONDS_PER_DAY
from tests.unit.metering.worlds import World

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.metering.engine import Engine
    from lightning_carbon.records.run import RunRecord

GPU = Domain(Kind.GPU, "gpu:0", "NVIDIA H100 80GB HBM3")
SECOND_GPU = Domain(Kind.GPU, "gpu:1", "NVIDIA H100 80GB HBM3")
PACKAGE = Domain(Kind.PACKAGE, "package:0", "AMD EPYC 9654 96-Core Processor")
START_SECONDS = 1_767_261_600.0
"""A morning of January 2026, in seconds since 1970."""


class WarmCounter(ScriptedCounter):
    """The counter of a GPU that is hot enough to slow itself down now and then."""

    def read_condition(self) -> Condition:
        """Busy, hot, and slowed down: a figure of each."""
        return Condition(0.97, 1_410.0, 2_619.0, 87.0, float(61 << 30), 700.0, frozenset({Throttle.HEAT}))


def sources(clock: ManualClock) -> list[ScriptedCounter]:
    """Two GPUs whose power swings, and a processor."""
    return [
        WarmCounter(clock, lambda seconds: 420.0 + 180.0 * math.sin(seconds / 40.0), domain=GPU),
        ScriptedCounter(clock, lambda seconds: 400.0 + 150.0 * math.sin(seconds / 40.0 + 0.4), domain=SECOND_GPU),
        ScriptedCounter(clock, lambda seconds: 110.0 + 20.0 * math.sin(seconds / 15.0), domain=PACKAGE),
    ]


def world_of(ledger: Path, day: int = 0, **changes: Any) -> World:  # noqa: ANN401 - settings of any type
    """An engine whose runs go into a ledger, on a day since the first."""
    clock = ManualClock(5_000_000_000, START_SECONDS + day * SECONDS_PER_DAY)
    return World(sources, store=DirectoryRunStore(ledger), detail="step", changes=changes, clock=clock)


def train(world: World, epochs: int = 3, *, gain: float = 1.0) -> Engine:
    """Train for some minutes of the engine's clock, with evaluations, checkpoints and waits for data, up to the end."""
    engine = world.engine.start("setup")
    world.run(30.0, 1.0)
    step = 0
    for epoch in range(epochs):
        engine.enter("train")
        for _ in range(12):
            with engine.part("data"):
                world.run(2.0, 1.0)
            with engine.part("forward"):
                world.run(3.0, 1.0)
            with engine.part("backward"):
                world.run(5.0, 1.0)
            engine.step_done(samples=32, tokens=65_536)
            step += 1
        engine.row()
        engine.tell_metrics({"train/loss": 2.0 + 3.0 * math.exp(-gain * step / 15), "lr": 1e-4}, step)
        engine.enter("validate")
        world.run(25.0, 1.0)
        engine.row()
        engine.tell_metrics({"eval/loss": 2.2 + 3.0 * math.exp(-gain * (epoch + 1) / 2)}, step)
        engine.enter("checkpoint")
        world.run(6.0, 1.0)
    return engine


def make_ledger(ledger: Path, runs: int = 8) -> RunRecord:
    """Fill a ledger: a sweep, a failure, a pruned run and a last run that completed, which is returned."""
    for number in range(1, runs):
        world = world_of(ledger, number, project="lisa", run_name=f"trial-{number}")
        engine = train(world, 1 + number % 3, gain=0.5 + number / runs)
        engine.stop("failed" if number % 5 == 3 else "pruned" if number % 4 == 2 else "completed")
    return train(world_of(ledger, runs, project="lisa", run_name="baseline"), 6).stop()
