"""How often comparisons of runs are right, on simulated runs with a known change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.baseline.equal_loss import EqualLoss, at_equal_loss
from lightning_carbon.baseline.trials import change, paired_change, trials_needed
from tests.benchmarks.report import Check
from tests.unit.baseline.curves import falling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.benchmarks.world import World

_EFFECT, _NOISE, _MORE = 0.02, 0.05, 1.2
_SHORT, _LONG = 40, 100


def comparisons(world: World) -> Iterator[Check]:
    """The share of small changes that are seen, and of intervals that hold the truth."""
    count, random = 20 if world.quick else 200, world.random
    needed = trials_needed(_EFFECT, _NOISE)
    seen = false = 0
    for _ in range(count):
        first = _drawn(random, needed)
        seen += paired_change(first, _drawn(random, needed, 1 + _EFFECT)).is_clear
        false += paired_change(first, _drawn(random, needed)).is_clear
    note = f"{count} comparisons of {needed} pairs, as --power says; a run varies by {_NOISE:.0%}"
    yield Check(
        "compare", f"changes of {_EFFECT:.0%} that are seen", 100 * seen / count, "%", 92, at_least=True, note=note
    )
    yield Check("compare", "the same, without a change", 100 * false / count, "%", 8)
    for trials in (5, 20):
        held = {"in pairs": 0, "apart": 0}
        for _ in range(count):
            first, second = _drawn(random, trials), _drawn(random, trials, _MORE)
            for name, found in (("in pairs", paired_change(first, second)), ("apart", change(first, second))):
                held[name] += found.low <= _MORE <= found.high
        for name, inside in held.items():
            what = f"95 % intervals that hold the change, {trials} runs of each, {name}"
            yield Check("compare", what, 100 * inside / count, "%", 88, at_least=True)
    for points in (_SHORT, _LONG):
        inside = sum(_holds(random, points) for _ in range(count))
        what = f"the same at equal loss, single runs with {points} logged losses"
        yield Check("compare", what, 100 * inside / count, "%", 80, at_least=True, note="2 % noise of a logged loss")


def _drawn(random: Random, count: int, ratio: float = 1.0) -> list[float]:
    return [ratio * random.lognormvariate(0.0, _NOISE) for _ in range(count)]


def _holds(random: Random, points: int) -> bool:
    sides = [falling(scale, 0.02, random, points=points) for scale in (1.0, _MORE)]
    found = at_equal_loss([sides[0]], [sides[1]], is_paired=False)
    return isinstance(found, EqualLoss) and found.change.low <= _MORE <= found.change.high
