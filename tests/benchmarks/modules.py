"""How well the energy of modules is found where it is known, and what watching them costs a step that is sampled."""

from __future__ import annotations

import time
from statistics import mean, median
from typing import TYPE_CHECKING

import torch
from torch import nn

from lightning_carbon.metering.module_sampling import ModuleSampling
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.torch_modules import TorchModel
from tests.benchmarks.report import Check
from tests.modules import Simulation, held, largest_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import World

WIDTH, LAYERS = 256, 4


GOAL = 10.0
"""The largest error that an activity above 5 % of a step may have, in percent."""


def modules(world: World) -> Iterator[Check]:
    """Errors and intervals on simulated trainings, and the processor time of a step with hooks and without."""
    first = world.random.randrange(2**32)
    for tick_ms, minutes, runs, limit in ((25.0, 2, 40, GOAL), (100.0, 2, 40, None), (100.0, 30, 20, GOAL)):
        simulation = Simulation(seconds=60.0 * minutes, tick_ms=tick_ms)
        trainings = [simulation.train(seed) for seed in range(first, first + (2 if world.quick else runs))]
        errors = sorted(100 * largest_error(training) for training in trainings)
        inside = 100 * mean(map(held, trainings))
        case = f"{minutes} min, steps of 80 ms, news every {tick_ms:.0f} ms"
        nearly = errors[round(0.95 * (len(errors) - 1))]
        steps = trainings[0].sampled_steps
        note = f"{len(errors)} trainings, {steps} sampled steps, 18 unknowns; median {median(errors):.1f} %"
        yield Check(
            "modules", f"largest error above 5 % of a step, 95 % of runs, {case}", nearly, "%", limit, note=note
        )
        note = "90 % is what they say"
        yield Check("modules", f"intervals that hold the truth, {case}", inside, "%", 80, at_least=True, note=note)
        needed = minutes * (nearly / GOAL) ** 2
        note = "from the error of these runs, which falls with the root of the time"
        yield Check("modules", f"time after which it is below {GOAL:.0f} %, {case}", needed, "min", note=note)
    yield from _costs(10 if world.quick else 60)


def _costs(pairs: int) -> Iterator[Check]:
    torch.set_num_threads(1)
    model = nn.Sequential(
        *(nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.GELU()) for _ in range(LAYERS))
    )
    watched = TorchModel(model)
    sampling = ModuleSampling(500, SystemClock(), None)
    sampling.watch(watched)
    inputs = torch.ones(256, WIDTH)
    spent: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * pairs):
        is_watched = bool(number % 2)
        began = time.thread_time_ns()
        if is_watched:
            watched.watch(sampling)
        model(inputs).sum().backward()
        if is_watched:
            watched.unwatch()
        spent[is_watched].append((time.thread_time_ns() - began) / 1e6)
    boundaries = 4 * len(watched.modules)
    alone, more = median(spent[False]), median(spent[True]) - median(spent[False])
    note = f"{boundaries} boundaries, hooks put on and taken off; the step takes {alone:.2f} ms without"
    yield Check("modules", "processor time of watching a sampled step", more, "ms", note=note)
    share = 100 * more / alone / 500
    yield Check("modules", "the same, of all steps, one in 500 sampled", share, "%", 1)
