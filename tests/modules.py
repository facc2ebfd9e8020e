"""Trainings whose modules draw known powers, sampled as a run samples them, through a sensor with slow news."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from random import Random
from statistics import mean
from typing import NamedTuple

from lightning_carbon.energy.module_passes import REST, Activity, ModulePass, ModuleShare, Origin
from lightning_carbon.energy.module_powers import ModuleSums
from lightning_carbon.energy.module_ticks import Span, spans_of
from lightning_carbon.metering.module_sampling import FIRST_GAP, FIRST_STEP, FOLLOWED_STEPS, LONGEST_NS

MILLISECOND = 1_000_000
PASSES = (ModulePass.FORWARD, ModulePass.BACKWARD)


class Trained(NamedTuple):
    """What is known of a training.

    Args:
        found: What is found.
        truth: The true share of each activity.
        sampled_steps: The number of sampled steps.
    """

    found: list[ModuleShare]
    truth: dict[Activity, float]
    sampled_steps: int


class Simulation(NamedTuple):
    """A training.

    Args:
        seconds: How long it lasts.
        tick_ms: How far apart the sensor's news are.
        modules: How many modules there are, each forward and backward.
        step_ms: How long a step lasts, about.
        every: One step in so many is sampled in the long run.
    """

    seconds: float = 120.0
    tick_ms: float = 25.0
    modules: int = 8
    step_ms: float = 80.0
    every: int = 500

    def train(self, seed: int) -> Trained:
        """Train with powers and times of its own."""
        random = Random(seed)
        activities = [
            *(Activity(kind, f"block.{number}") for kind in PASSES for number in range(self.modules)),
            Activity(ModulePass.OPTIMIZER),
            REST,
        ]
        lengths = [random.lognormvariate(0.0, 0.6) for _ in activities]
        lengths = [self.step_ms * MILLISECOND * length / sum(lengths) for length in lengths]
        watts = [max(60.0, random.gauss(400.0, 130.0)) for _ in activities]
        training = _Course(activities, [0], [0.0])
        warmth = 1.0
        for _ in range(round(1e3 * self.seconds / self.step_ms)):
            warmth = 1.0 + 0.995 * (warmth - 1.0) + random.gauss(0.0, 0.001)
            pace = random.gauss(1.0, 0.03)
            for length, power in zip(lengths, watts, strict=True):
                training.starts.append(training.starts[-1] + max(1, round(length * pace * random.gauss(1.0, 0.1))))
                lasted = training.starts[-1] - training.starts[-2]
                training.heights.append(training.heights[-1] + lasted * power * warmth / 1e3)
        sums = training.sampled(self.news(random, training), self.every)
        used = [0.0] * len(activities)
        for place, height in enumerate(training.heights[1:]):
            used[place % len(activities)] += height - training.heights[place]
        truth = {activity: energy / sum(used) for activity, energy in zip(activities, used, strict=True)}
        return Trained(sums.shares(), truth, sums.steps)

    def news(self, random: Random, training: _Course) -> list[tuple[int, int]]:
        """What the sensor shows: each of its news is off by 1 % of the energy between two of them, at 400 W."""
        news: list[tuple[int, int]] = []
        at_ns = round(random.uniform(0.0, self.tick_ms) * MILLISECOND)
        while at_ns < training.starts[-1]:
            noise = random.gauss(0.0, 0.01 * self.tick_ms * MILLISECOND * 0.4)
            news.append((at_ns, round(training.height(at_ns) + noise)))
            at_ns += round(self.tick_ms * MILLISECOND)
        return news


class _Course(NamedTuple):
    """The course of a training.

    Args:
        activities: The activities of a step, in order.
        starts: When each begins, step after step, and the end of the last.
        heights: The energy up to there, in microjoules.
    """

    activities: list[Activity]
    starts: list[int]
    heights: list[float]

    def height(self, at_ns: int) -> float:
        """The energy up to a moment."""
        place = bisect_right(self.starts, at_ns) - 1
        into = (at_ns - self.starts[place]) / (self.starts[place + 1] - self.starts[place])
        return self.heights[place] + into * (self.heights[place + 1] - self.heights[place])

    def sampled(self, news: list[tuple[int, int]], every: int) -> ModuleSums:
        """What a run knows of it."""
        sums = ModuleSums()
        width = len(self.activities)
        last = (len(self.starts) - 1) // width
        step, gap = FIRST_STEP, min(FIRST_GAP, every)
        while step < last:
            until = min(last, bisect_left(self.starts, self.starts[step * width] + LONGEST_NS) // width + 1)
            sums.add(until - step, *self._seen(step, until, news))
            step, again = until, until + gap * (until - step)
            gap = min(2 * gap, every)
            while step < min(again, last):
                until = min(step + FOLLOWED_STEPS, again, last)
                sums.follow(*self._seen(step, until, news))
                step = until
        return sums

    def _seen(self, first: int, until: int, news: list[tuple[int, int]]) -> tuple[list[Span], list[tuple[int, int]]]:
        """The spans from a step to another, with marks of the parts of steps, and the news of the sensor."""
        width = len(self.activities)
        found: list[tuple[int, Activity, Origin]] = []
        for place in range(first * width, until * width):
            activity, before = self.activities[place % width], self.activities[place % width - 1]
            if activity.kind is not before.kind:
                origin = Origin.PART if place % width else Origin.STEP
                found.append((self.starts[place] - 1, Activity(activity.kind), origin))
            found.append((self.starts[place], activity, Origin.MODULE))
        end_ns = self.starts[until * width]
        start = max(bisect_right(news, found[0][0], key=lambda known: known[0]) - 1, 0)
        return spans_of(found, end_ns), news[start : bisect_left(news, end_ns, key=lambda known: known[0]) + 1]


def largest_error(trained: Trained, above: float = 0.05) -> float:
    """The largest relative error among the activities above a share of the step."""
    truth = trained.truth
    return max(
        abs(share.share / truth[share.activity] - 1)
        for share in trained.found
        if truth.get(share.activity, 0.0) > above
    )


def held(trained: Trained) -> float:
    """The share of the intervals that hold the truth."""
    truth = trained.truth
    return mean(share.low <= truth[share.activity] <= share.high for share in trained.found if share.activity in truth)
