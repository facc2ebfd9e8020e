"""The 90 % interval of a sum over runs, and of a product, from what each cause has in theirs. Pure.

What one cause has in the runs of a sum, such as the gain of a model of card, adds up: it errs the same way in all of
them. Causes are independent of each other, and so are the own errors of runs: they add in squares. That is the law of
propagation of uncertainty to first order, on the halves of 90 % intervals instead of standard deviations. So runs of a
single common cause scale as their sum, independent runs as the root of their number, and no sum has a wider interval
than its parts together.

References:
    JCGM 100:2008 (GUM), section 5.1.2 for independent inputs, 5.2 for those that go together.
"""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.interval import LEVEL, OWN, Interval
from lightning_carbon.carbon.spread import Shape, Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lightning_carbon.carbon.uncertainty import Bounds

IN_SQUARES: Final = "squares of causes"
"""The method of such an interval."""
_LEAST_SHARE: Final = 0.001
"""Causes with less of an interval than this share are counted among its own errors; ours."""

Halves = tuple[float, float]


def causes_of(moves: Mapping[str, Halves], halves: Halves) -> dict[str, Halves]:
    """What each cause has in an interval.

    Args:
        moves: How far each cause alone moves the figure, below and above.
        halves: How far the ends of the interval are from the figure, below and above.
    """
    roots = tuple(hypot(*(move[side] for move in moves.values())) for side in (0, 1))
    scales = tuple(half / root if root else 0.0 for half, root in zip(halves, roots, strict=True))
    scaled = {name: (below * scales[0], above * scales[1]) for name, (below, above) in moves.items()}
    least = _LEAST_SHARE * max(halves)
    own = [name for name, ends in scaled.items() if name == OWN or max(ends) < least]
    found = {name: ends for name, ends in scaled.items() if name not in own}
    rest = tuple(hypot(*(scaled[name][side] for name in own)) for side in (0, 1))
    return found | ({OWN: (rest[0], rest[1])} if any(rest) else {})


def interval_around(value: float, causes: Mapping[str, Halves]) -> Interval:
    """The interval of a figure by what its causes have in it."""
    below, above = (hypot(*(ends[side] for ends in causes.values())) for side in (0, 1))
    return Interval(value - below, value + above, LEVEL, IN_SQUARES, causes=dict(causes))


def interval_of_sum(figures: Iterable[tuple[float, Interval | None]]) -> Interval | None:
    """The interval of a sum.

    Args:
        figures: Each figure with its interval.

    Returns:
        The interval; ``None`` where that of a figure, or its causes, are not known.
    """
    total, causes = 0.0, dict[str, Halves]()
    for value, interval in figures:
        if interval is None or not interval.can_be_added:
            return None
        total += value
        for name, (below, above) in interval.causes.items():
            so_far = causes.get(name, (0.0, 0.0))
            if name == OWN:
                causes[name] = hypot(so_far[0], below), hypot(so_far[1], above)
            else:
                causes[name] = so_far[0] + below, so_far[1] + above
    return interval_around(total, causes)


def interval_of_product(value: float, interval: Interval, factor: Spread, *, cause: str) -> Interval:
    """The interval of a figure times an uncertain factor.

    Args:
        value: The figure.
        interval: Its interval.
        factor: The factor.
        cause: What makes it uncertain.
    """
    low, high = factor.quantiles(((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    ends = value * max(0.0, factor.value - low), value * max(0.0, high - factor.value)
    return interval_around(value * factor.value, {**interval.times(factor.value).causes, cause: ends})


def interval_between(limits: Bounds[float]) -> Interval:
    """The interval of a figure of which no more than limits are known (JCGM 101:2008, 6.4.2), all its own."""
    low, high = Spread(limits.low, limits.value, limits.high, Shape.UNIFORM).quantiles(
        ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    )
    return interval_around(limits.value, {OWN: (max(0.0, limits.value - low), max(0.0, high - limits.value))})
