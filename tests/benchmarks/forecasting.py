"""How often forecasts hold, on simulated trainings with a known end, and what one costs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lightning_carbon.metering.forecast import Forecaster, Outlay, Plan, Standing
from tests.benchmarks.report import Check
from tests.forecasts.calibration import TRAININGS, calibration, population

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import World

_EARLY, _LATER = 0.05, 0.2


def forecasts(world: World) -> Iterator[Check]:
    """The share of ends inside the 90 % interval, and the median error, by how much of the training was over."""
    trainings = population(150 if world.quick else TRAININGS, world.random.randrange(2**32))
    for what in ("joules", "seconds"):
        for held in calibration(trainings, what):
            moment = f"{what}, {held.done:.0%} over"
            note = f"{held.trainings} trainings, median width {held.width:.0%}"
            inside = 100 * held.inside
            yield Check(
                "forecast", f"{moment}: ends inside the 90 % interval", inside, "%", 85, at_least=True, note=note
            )
            yield Check("forecast", f"{moment}: the same, not too wide", inside, "%", 95)
            limit = 3 if held.done >= _LATER else 5 if held.done >= _EARLY else None
            yield Check("forecast", f"{moment}: median error", 100 * held.error, "%", limit)
    yield Check("forecast", "one forecast of a long training", _cost_ms(), "ms", 0.5)


def _cost_ms() -> float:
    forecaster, plan, count = Forecaster(), Plan(10_000, {"validate": 10}), 200
    for step in range(1, 5_000):
        forecaster.note(Standing(step, Outlay(3.0 * step, 0.5 * step)))
    began = time.perf_counter()
    for _ in range(count):
        forecaster.forecast(plan)
    return (time.perf_counter() - began) / count * 1e3
