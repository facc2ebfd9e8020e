"""Curves of a loss against energy, with a known change between them."""

from __future__ import annotations

from random import Random

from lightning_carbon.baseline.equal_loss import LoggedRun
from lightning_carbon.records.course import MetricPoint

POINTS = 40


def logged(values: list[float], joules: float = 100.0, **others: list[float]) -> LoggedRun:
    """A run that logged a loss after every so many joules."""
    metrics = {
        name: [MetricPoint(step, joules * step, value) for step, value in enumerate(found, 1)]
        for name, found in {"loss": values, **others}.items()
    }
    return LoggedRun("run", metrics)


def falling(scale: float = 1.0, noise: float = 0.0, random: Random | None = None, *, points: int = POINTS) -> LoggedRun:
    """A run whose loss falls as a power of its energy, of which it needs so many times as much."""
    drawn = random or Random(1)
    values = [(100 * step / scale) ** -0.3 * drawn.lognormvariate(0, noise) for step in range(1, points + 1)]
    return logged(values)
