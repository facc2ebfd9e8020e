"""Trainings whose modules draw known powers, seen through a sensor with slow news."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from random import Random
from typing import NamedTuple

from lightning_carbon.energy.module_passes import REST, Activity, ModulePass, ModuleShare
from lightning_carbon.energy.module_powers import ModuleSums, SampledSteps, ticks_of

MILLISECOND = 1_000_000


class Simulation(NamedTuple):
    """A training.

    Args:
        modules: How many modules there are, each forward and backward.
        windows: How often steps are sampled.
        steps: How many in a row.
        step_ms: How long a step lasts, about.
        tick_ms: How far apart the sensor's news are.
    """

    modules: int = 8
    windows: int = 40
    steps: int = 6
    step_ms: float = 80.0
    tick_ms: float = 25.0

    def shares(self, seed: int) -> tuple[list[ModuleShare], dict[Activity, float]]:
        """What is found, and the true share of each activity, of a training with powers of its own."""
        random = Random(seed)
        activities = [
            *(Activity(kind, f"block.{number}") for kind in PASSES for number in range(self.modules)),
            Activity(ModulePass.OPTIMIZER),
            REST,
        ]
        lengths = [random.lognormvariate(0.0, 0.6) for _ in activities]
        lengths = [self.step_ms * MILLISECOND * length / sum(lengths) for length in lengths]
        watts = [max(60.0, random.gauss(400.0, 130.0)) for _ in activities]
        sums, used = ModuleSums(), dict.fromkeys(activities, 0.0)
        for _ in range(self.windows):
            sums.add(self._window(random, activities, lengths, watts=watts, used=used))
        whole = sum(used.values())
        return sums.shares(), {activity: energy / whole for activity, energy in used.items()}

    def _window(
        self,
        random: Random,
        activities: list[Activity],
        lengths: list[float],
        *,
        watts: list[float],
        used: dict[Activity, float],
    ) -> SampledSteps:
        """Some steps, with as many before and after as the sensor needs to have news."""
        around = int(self.tick_ms / self.step_ms) + 2
        starts, heights, owners = [0], [0.0], []
        warmth = random.gauss(1.0, 0.01)
        for _ in range(self.steps + 2 * around):
            pace = random.gauss(1.0, 0.03)
            for place, length in enumerate(lengths):
                lasted = max(1, round(length * pace * random.gauss(1.0, 0.1)))
                energy = lasted * watts[place] * warmth / 1e3
                owners.append(place)
                starts.append(starts[-1] + lasted)
                heights.append(heights[-1] + energy)
                used[activities[place]] += energy
        first, last = around * len(lengths), (around + self.steps) * len(lengths)
        news: list[tuple[int, int]] = []
        at_ns = round(random.uniform(0.0, self.tick_ms) * MILLISECOND)
        while at_ns < starts[-1]:
            place = bisect_right(starts, at_ns) - 1
            into = (at_ns - starts[place]) / (starts[place + 1] - starts[place])
            height = heights[place] + into * (heights[place + 1] - heights[place])
            news.append((at_ns, round(height + random.gauss(0.0, 0.01 * self.tick_ms * MILLISECOND * 0.4))))
            at_ns += round(self.tick_ms * MILLISECOND)
        from_ns, to_ns = starts[first], starts[last]
        times = [moment for moment, _ in news]
        news = news[max(bisect_right(times, from_ns) - 1, 0) : bisect_left(times, to_ns) + 1]
        boundaries = [(starts[place], activities[owners[place]]) for place in range(first, last)]
        lasted_in = dict.fromkeys(activities, 0)
        for place in range(first, last):
            lasted_in[activities[owners[place]]] += starts[place + 1] - starts[place]
        return SampledSteps(self.steps, lasted_in, ticks_of(boundaries, to_ns, news))


PASSES = (ModulePass.FORWARD, ModulePass.BACKWARD)


def largest_error(found: list[ModuleShare], truth: dict[Activity, float], above: float = 0.05) -> float:
    """The largest relative error among the activities above a share of the step."""
    return max(abs(share.share / truth[share.activity] - 1) for share in found if truth[share.activity] > above)


def held(found: list[ModuleShare], truth: dict[Activity, float]) -> float:
    """The share of the intervals that hold the truth."""
    return sum(share.low <= truth[share.activity] <= share.high for share in found) / len(found)
