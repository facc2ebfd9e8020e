"""Simulated trainings that warm up, drift, pause and evaluate, each as what its rows would say, and how it ended.

What is drawn, and from where to where, is an assumption about what trainings are like; the table in METHODOLOGY.md
repeats it. The forecaster knows none of it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from lightning_carbon.metering.forecast import Outlay, Plan, Standing

HABITS: Final = ("warm-up", "drift", "curriculum", "pauses", "stragglers", "validation", "checkpoints", "settling")
"""What a training may do besides being noisy, each with a probability of :data:`SHARE`."""
SHARE: Final = 0.3


class Training(NamedTuple):
    """A training that has ended.

    Args:
        plan: What was planned.
        rows: How far it was, row by row; the last one is its end.
        habits: Which of :data:`HABITS` it had.
    """

    plan: Plan
    rows: tuple[Standing, ...]
    habits: frozenset[str]

    @property
    def end(self) -> Outlay:
        """What it had used at its end."""
        end = self.rows[-1]
        amounts = [end.training, *(spent for _, spent in end.events.values())]
        return Outlay(sum(spent.joules for spent in amounts), sum(spent.seconds for spent in amounts))


def draw(rng: random.Random) -> Training:
    """A training of 500 to 50,000 steps of 20 ms to 3 s at 100 W to 3 kW, with rows every 50 steps at most."""
    steps = int(_log_uniform(rng, 500, 50_000))
    step_seconds, watts = _log_uniform(rng, 0.02, 3.0), rng.uniform(100, 3_000)
    habits = frozenset(habit for habit in HABITS if rng.random() < SHARE)
    events = _Events(rng, steps, step_seconds, watts, habits)
    return Training(events.plan, tuple(_rows(rng, events, habits)), habits)


class _Events:
    """The evaluations and checkpoints of a training, spread evenly over its steps."""

    def __init__(
        self, rng: random.Random, steps: int, step_seconds: float, watts: float, habits: frozenset[str]
    ) -> None:
        self.steps, self.step_seconds, self.watts = steps, step_seconds, watts
        evaluations, checkpoints = rng.choice([5, 10, 20, 50]), rng.choice([2, 10, 30])
        batches = rng.uniform(0.02, 0.3) * steps / evaluations
        saving_seconds = rng.uniform(0.5, 20) * step_seconds
        self._rng = rng
        # How many, the mean seconds of one, the scatter of these, and the power over that of a step.
        self._kinds: dict[str, tuple[int, float, float, float]] = {}
        if "validation" in habits:
            self._kinds["validate"] = (evaluations, 0.4 * batches * step_seconds, 0.03, 0.9)
        if "checkpoints" in habits:
            self._kinds["checkpoint"] = (checkpoints, saving_seconds, 0.1, 0.4)
        planned = {kind: float(count) for kind, (count, *_) in self._kinds.items()}
        self.plan = Plan(steps, planned, batches if "validation" in habits else 0.0)
        self.so_far: dict[str, tuple[int, Outlay]] = {}

    def until(self, step: int) -> dict[str, tuple[int, Outlay]]:
        """How many of each have come by a step, and what they took."""
        for kind, (count, seconds, scatter, power) in self._kinds.items():
            done, spent = self.so_far.get(kind, (0, Outlay()))
            while done < int(step * count / self.steps + 1e-9):
                lasted = seconds * self._rng.gauss(1, scatter)
                done, spent = done + 1, Outlay(spent.joules + lasted * self.watts * power, spent.seconds + lasted)
                self.so_far[kind] = (done, spent)
        return dict(self.so_far)


def _rows(rng: random.Random, events: _Events, habits: frozenset[str]) -> Iterator[Standing]:
    steps, every = events.steps, max(1, min(50, events.steps // 200))
    spent, noise = Outlay(), 0.0
    scatter, likeness = _log_uniform(rng, 0.01, 0.2), rng.choice([0.0, 0.5, 0.9, 0.97])
    slowness, extra = _slowness(rng, habits), _extra(rng, steps, habits)
    warm_until, warm = (
        (int(rng.uniform(0.001, 0.015) * steps) + 3, rng.uniform(1.5, 8)) if "warm-up" in habits else (0, 1)
    )
    for step in range(0, steps, every):
        count = min(every, steps - step)
        # Independent steps average out within a row; those that resemble each other do not.
        noise = likeness * noise + math.sqrt(1 - likeness**2) * rng.gauss(
            0, scatter if likeness else scatter / math.sqrt(count)
        )
        is_warm = step < warm_until
        seconds = events.step_seconds * count * max(0.2, 1 + noise) * slowness(step / steps) * (warm if is_warm else 1)
        joules = seconds * events.watts * (0.6 if is_warm else 1)
        idle_seconds, share = extra(count)
        seconds += idle_seconds * events.step_seconds
        joules += idle_seconds * events.step_seconds * events.watts * share
        spent = Outlay(spent.joules + joules, spent.seconds + seconds)
        yield Standing(step + count, spent, events.until(step + count))


def _slowness(rng: random.Random, habits: frozenset[str]) -> Callable[[float], float]:
    """How long a step takes over the usual, by the share of the training that is over."""
    drift = rng.uniform(-0.2, 0.2) if "drift" in habits else 0.0
    changes = sorted((rng.random(), rng.uniform(0.92, 1.12)) for _ in range(rng.choice([1, 2])))
    changes = changes if "curriculum" in habits else []
    settles = 0.2 if "settling" in habits else 0.0

    def slowness(done: float) -> float:
        level = math.prod(factor for moment, factor in changes if moment < done)
        return level * (1 + drift * done) * (1 + settles * math.exp(-done / 0.02))

    return slowness


def _extra(rng: random.Random, steps: int, habits: frozenset[str]) -> Callable[[int], tuple[float, float]]:
    """What pauses and stragglers add to a number of steps: how many steps' time, and at which share of the power."""
    pauses = rng.uniform(1, 20)
    pause = rng.uniform(0.003, 0.05) * steps / pauses
    slow, slower = rng.uniform(0.001, 0.02), rng.uniform(0.5, 3)

    def extra(count: int) -> tuple[float, float]:
        paused = sum(rng.random() < pauses / steps for _ in range(count)) * pause if "pauses" in habits else 0.0
        straggled = sum(rng.random() < slow for _ in range(count)) * slower if "stragglers" in habits else 0.0
        added = paused + straggled
        return added, (0.35 * paused + 0.5 * straggled) / added if added else 0.0

    return extra


def _log_uniform(rng: random.Random, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))
