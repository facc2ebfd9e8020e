"""Energy to the same loss: what two sides took to reach the lowest loss that all of their runs reach. Pure.

A training that takes less energy for a step saves nothing where it needs more steps. Curves are smoothed by a running
median, and the first time that a curve has come down to the loss counts, between two points by a straight line.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import accumulate
from math import exp, log, sqrt
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.baseline.trials import LEVEL, Change, change, paired_change
from lightning_carbon.records.numbers import digits
from lightning_carbon.units import MICROJOULES_PER_JOULE
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.records.course import MetricPoint

LEAST_POINTS: Final = 10
"""The fewest points of a curve; of fewer, a running median leaves little."""
_WINDOW_SHARE: Final = 0.05
"""The points on either side of a point that its median is of, as a share of the curve; ours."""
_LEAST_REACH: Final = 2
_RESAMPLES: Final = 400
_SEED: Final = 20_190_605


class LoggedRun(NamedTuple):
    """What a run has logged.

    Args:
        run_id: The run.
        metrics: Its metrics by name, in order of time, each value with the energy by then.
        is_resumed: Whether it goes on from another run, whose energy these points lack.
    """

    run_id: str
    metrics: Mapping[str, Sequence[MetricPoint]]
    is_resumed: bool = False


@dataclass(frozen=True, slots=True)
class EqualLoss:
    """The energy that two sides took to the same loss.

    Args:
        metric: The name of the loss.
        loss: The lowest value that all runs reach.
        first: The median energy of the runs of the first side until then, in joules.
        second: The same of the second side.
        change: The change from the first to the second.
    """

    metric: str
    loss: float
    first: float
    second: float
    change: Change


def at_equal_loss(
    first: Sequence[LoggedRun], second: Sequence[LoggedRun], *, is_paired: bool, metric: str | None = None
) -> EqualLoss | str:
    """The energy that two sides took to the lowest loss that all of their runs reach.

    Of single runs, the interval is that of a wild bootstrap, which turns the deviations from the smooth curves over at
    random (Wu, The Annals of Statistics 14, 1986): it holds the noise within both runs, and not that between runs.

    Args:
        first: A single run, or as many as an interval takes.
        second: The same of the second side.
        is_paired: Whether runs at the same place were run one after the other, and belong together.
        metric: The name of the loss; by default the one with the most points.

    Returns:
        The energy, or why there is none, as the end of a sentence.
    """
    every = [*first, *second]
    resumed = [run.run_id for run in every if run.is_resumed]
    if resumed:
        return f"run {resumed[0]} goes on from another, whose energy its curve lacks"
    names = [name for name in every[0].metrics if all(name in run.metrics for run in every)]
    losses = sorted(name for name in names if "loss" in name.casefold()) if metric is None else [metric]
    if not losses or losses[0] not in names:
        return f"not every run has logged {metric or 'a loss of the same name'}"
    name = max(losses, key=lambda known: min(len(run.metrics[known]) for run in every))
    curves = [Curve.of(run.metrics[name]) for run in every]
    if min(len(curve.values) for curve in curves) < LEAST_POINTS:
        return f"not every run has logged {name} {LEAST_POINTS} times"
    reached = _reached(curves)
    if reached is None:
        return f"no two runs have a stretch of {name} in common"
    loss, joules = reached
    sides = joules[: len(first)], joules[len(first) :]
    if len(first) == len(second) == 1:
        found = _change_within(curves, joules)
    else:
        found = (paired_change if is_paired else change)(*sides)
    return EqualLoss(name, loss, median(sides[0]), median(sides[1]), found)


class Curve(NamedTuple):
    """A loss against the energy so far.

    Args:
        joules: The energy at each point, in joules.
        values: The loss at each point.
    """

    joules: Sequence[float]
    values: Sequence[float]

    @classmethod
    def of(cls, points: Sequence[MetricPoint]) -> Curve:
        """The curve of what was logged, from the first point on that has taken energy."""
        spent = [point for point in points if point.joules * MICROJOULES_PER_JOULE >= 1]
        return cls([point.joules for point in spent], [point.value for point in spent])

    @property
    def reach(self) -> int:
        """The points on either side of a point that its median is of."""
        return max(_LEAST_REACH, round(len(self.values) * _WINDOW_SHARE))

    def smooth(self) -> list[float]:
        """The running median of the values; near the ends of as many points as there are."""
        reach = self.reach
        window = sorted(self.values[:reach])
        found = []
        for place in range(len(self.values)):
            if place + reach < len(self.values):
                insort(window, self.values[place + reach])
            if place > reach:
                del window[bisect_left(window, self.values[place - reach - 1])]
            half = len(window) // 2
            found.append(window[half] if len(window) % 2 else (window[half - 1] + window[half]) / 2)
        return found

    def best(self) -> Curve:
        """The lowest value of the smooth curve so far, where its medians have points on both sides.

        A median of one side alone would lag behind a curve that falls, and more so at the end of a run that is short.
        """
        whole = slice(self.reach, len(self.values) - self.reach)
        return Curve(self.joules[whole], list(accumulate(self.smooth()[whole], min)))

    def joules_to(self, loss: float) -> float | None:
        """The energy until a smooth curve has come down to a loss; ``None`` where it begins there, or never does."""
        place = next((place for place, value in enumerate(self.values) if value <= loss), 0)
        if not place:
            return None
        before, after = self.values[place - 1], self.values[place]
        share = (before - loss) / (before - after)
        return self.joules[place - 1] + share * (self.joules[place] - self.joules[place - 1])


def _reached(curves: Sequence[Curve]) -> tuple[float, list[float]] | None:
    """The lowest loss that all curves come down to, and the energy of each until then."""
    best = [curve.best() for curve in curves]
    loss = max(curve.values[-1] for curve in best)
    joules = [found for curve in best if (found := curve.joules_to(loss)) is not None]
    return (loss, joules) if len(joules) == len(curves) else None


def _change_within(curves: Sequence[Curve], joules: Sequence[float]) -> Change:
    """The change between two single runs, by the noise around their smooth curves."""
    random = Random(_SEED)  # noqa: S311 - no secret
    smooth = [curve.smooth() for curve in curves]
    # A point is one of the 2 reach + 1 that its median is of, and so lies nearer to it than to the truth.
    wider = [sqrt((curve.reach + 1) / curve.reach) for curve in curves]
    logs = []
    for _ in range(_RESAMPLES):
        turned = [
            Curve(
                curve.joules,
                [even + random.choice((-far, far)) * (value - even) for even, value in zip(*pair, strict=True)],
            )
            for curve, far, *pair in zip(curves, wider, smooth, (curve.values for curve in curves), strict=True)
        ]
        reached = _reached(turned)
        if reached is not None:
            logs.append(log(reached[1][1] / reached[1][0]))
    found = log(joules[1] / joules[0])
    logs = sorted([*logs, found])
    place = int((1 - LEVEL) / 2 * len(logs))
    beyond = min(sum(value <= 0 for value in logs), sum(value >= 0 for value in logs))
    return Change(
        ratio=exp(found),
        low=exp(min(found, logs[place])),
        high=exp(max(found, logs[-1 - place])),
        p_value=min(1.0, 2 * max(1, beyond) / len(logs)),
        least_p_value=2 / len(logs),
        trials=1,
        is_paired=False,
    )


def said_of(found: EqualLoss | str) -> str:
    """A note on the energy to the same loss, or on its absence."""
    if isinstance(found, str):
        return f"Energy to the same loss is not compared: {found}."
    at = f"{found.metric} {digits(found.loss)}, the lowest that all runs reach as a running median"
    return (
        f"Energy to the same loss is that of all chips from the start of a run to {at}; what is modelled counts, too."
    )
