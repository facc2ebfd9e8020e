"""How often the 90 % interval held the end, and how far off the forecast was, by how much of a training is over."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final, NamedTuple

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.metering.forecast import Forecaster
from tests.forecasts.population import Training, draw

MOMENTS: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 0.8)
"""The shares of a training after which it is asked."""
TRAININGS: Final = 600
SEED: Final = 20_261_128


class Held(NamedTuple):
    """How forecasts at one moment turned out.

    Args:
        done: The share of the training that was over.
        trainings: How many there were.
        inside: The share of them whose interval held the end.
        error: The median of their errors, as a share of the end.
        width: The median width of the intervals, as a share of the forecast.
    """

    done: float
    trainings: int
    inside: float
    error: float
    width: float


def calibration(trainings: Iterable[Training], quantity: str = "joules") -> list[Held]:
    """Ask for forecasts during trainings whose end is known.

    Args:
        trainings: They may be of any kind.
        quantity: ``"joules"`` or ``"seconds"``.
    """
    found: dict[float, list[tuple[Bounds[float], float]]] = {}
    for training in trainings:
        truth: float = getattr(training.end, quantity)
        forecaster, moments = Forecaster(), [*MOMENTS]
        for row in training.rows:
            forecaster.note(row)
            while moments and row.steps >= moments[0] * training.plan.steps:
                forecast = forecaster.forecast(training.plan)
                if forecast is not None:
                    found.setdefault(moments[0], []).append((getattr(forecast, quantity), truth))
                moments.pop(0)
    return [_held(done, pairs) for done, pairs in sorted(found.items())]


def population(count: int = TRAININGS, seed: int = SEED) -> list[Training]:
    """Trainings that are always the same."""
    rng = random.Random(seed)
    return [draw(rng) for _ in range(count)]


def _held(done: float, pairs: Sequence[tuple[Bounds[float], float]]) -> Held:
    return Held(
        done,
        len(pairs),
        sum(bounds.low <= truth <= bounds.high for bounds, truth in pairs) / len(pairs),
        median(abs(bounds.value / truth - 1) for bounds, truth in pairs),
        median((bounds.high - bounds.low) / bounds.value for bounds, _ in pairs),
    )
