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


def modules(world: World) -> Iterator[Check]:
    """Errors and intervals on simulated trainings, and the processor time of a step with hooks and without."""
    seeds = range(world.random.randrange(2**32), 2**40)[: 6 if world.quick else 40]
    for tick_ms, limit in ((25.0, 10.0), (100.0, None)):
        trainings = [Simulation(tick_ms=tick_ms).shares(seed) for seed in seeds]
        errors = sorted(100 * largest_error(found, truth) for found, truth in trainings)
        inside = 100 * mean(held(found, truth) for found, truth in trainings)
        case = f"steps of 80 ms, news every {tick_ms:.0f} ms"
        note = f"{len(errors)} trainings of 240 sampled steps, 18 unknowns; median {median(errors):.1f} %"
        nearly = errors[round(0.95 * (len(errors) - 1))]
        yield Check(
            "modules", f"largest error above 5 % of a step, 95 % of runs, {case}", nearly, "%", limit, note=note
        )
        note = "90 % is what they say"
        yield Check("modules", f"intervals that hold the truth, {case}", inside, "%", 80, at_least=True, note=note)
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
