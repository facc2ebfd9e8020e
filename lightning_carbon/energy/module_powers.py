"""The energy of the modules of a model, forward and backward, from sampled steps whose boundaries are known. Pure.

A sensor's news are further apart than the boundaries of modules. So the power of a module is not read but found: each
stretch between two news of the sensor has an energy, and shares of its time in which known modules computed; the powers
are those that explain all stretches best, none of them negative. The stretches within sampled steps are few. Those of
the steps after them are many, and tell as much: their modules are taken to run as in sampled steps. What the stretches
cannot resolve stays at the mean power, so its energy is split by time alone. A module's energy in a step is its power
times its time.

The interval of a share spans the middle 90 % of draws with a fixed seed. In each, the misfits of every group of
stretches have a random sign, the windows of sampled steps count differently, and the powers to which the unknown is
drawn are drawn themselves: so a share that the data do not resolve has an interval as wide as what was assumed of it.
"""

from __future__ import annotations

from math import sqrt
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.least_squares import RidgeProblem, dot
from lightning_carbon.energy.module_passes import Activity, ModuleShare
from lightning_carbon.energy.module_shapes import StepShapes, marks_of
from lightning_carbon.energy.module_ticks import OUTSIDE, TickSums, ticks_of
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.energy.module_ticks import Span, TickStretch

DRAWS: Final = 200
"""The number of draws behind an interval."""
DRAW_SWEEPS: Final = 20
"""The most rounds of descent in a draw, which needs no more than two digits."""
LEVEL: Final = 0.9
"""The share of the draws that an interval spans."""
SEED: Final = 20_260
"""The seed of the draws."""
MOST_WINDOWS: Final = 512
"""The most windows of sampled steps that are kept; with more, every second is dropped."""
GROUPS: Final = 64
"""The number of groups of stretches, which windows join in turn; in a draw, the misfits of a group share their sign."""
TWICE: Final = sqrt(2)
"""By how much times are drawn wider than windows show them: they count twice, in a module's energy, and as its place in
the stretches that tell its power."""
FEW: Final = 1.4
"""By how much more with a single window, and with n of them the n-th part: the 90 % interval of Student's t is wider
than that of the normal distribution by 0.9 / n, and n draws spread less than what they are drawn from, by 0.5 / n."""
ASSUMED_SPREAD: Final = 0.5
"""The standard deviation assumed of the modules' powers, as a share of the mean power; ours."""
FIRST_NOISE: Final = 0.1
"""The misfit from which its estimate starts, as a share of the mean power."""
_LEAST_NOISE: Final = 1e-3
"""The least misfit assumed, as a share of the mean power: no sensor resolves less."""
_ROUNDS: Final = 3
"""How often the misfit is estimated again with what it changes."""


class _Window(NamedTuple):
    """A window of consecutive sampled steps.

    Args:
        steps: How many.
        nanoseconds: How long each activity lasted in them; they add up to the window.
    """

    steps: int
    nanoseconds: Mapping[Activity, int]


class ModuleSums:
    """The sampled steps of a run so far, and the stretches in them and in those that followed, in bounded memory."""

    def __init__(self) -> None:
        self._windows: list[_Window] = []
        self._apart = 1
        self._seen = 0
        self._shapes = StepShapes()
        self._places: dict[Activity | None, int] = {OUTSIDE: 0}
        self._groups: list[TickSums] = []
        self._turn = 0

    @property
    def steps(self) -> int:
        """How many sampled steps are kept."""
        return sum(window.steps for window in self._windows)

    def add(self, steps: int, spans: Sequence[Span], heights: Sequence[tuple[int, int]]) -> None:
        """Add a window of sampled steps.

        Args:
            steps: How many.
            spans: The spans between all boundaries in them.
            heights: When the sensor had news, in order of time, each with the energy up to there.
        """
        self._shapes.learn(spans)
        self._add_ticks(ticks_of(spans, heights))
        self._seen += 1
        if (self._seen - 1) % self._apart:
            return
        lasted: dict[Activity, int] = {}
        for span in spans:
            lasted[span.activity] = lasted.get(span.activity, 0) + span.until_ns - span.start_ns
        self._windows.append(_Window(steps, lasted))
        if len(self._windows) > MOST_WINDOWS:
            self._windows = self._windows[::2]
            self._apart *= 2

    def follow(self, spans: Sequence[Span], heights: Sequence[tuple[int, int]]) -> None:
        """Add steps of which marks alone are known, as if their modules ran as in the sampled steps so far.

        Args:
            spans: The spans between the marks in them.
            heights: As in :meth:`add`.
        """
        self._add_ticks(ticks_of(marks_of(spans), heights, self._shapes.between))

    def _add_ticks(self, ticks: Sequence[TickStretch]) -> None:
        if not ticks:
            return
        if len(self._groups) < GROUPS:
            self._groups.append(TickSums())
        group = self._groups[self._turn % GROUPS]
        self._turn += 1
        for tick in ticks:
            for activity in tick.nanoseconds:
                self._places.setdefault(activity, len(self._places))
            group.add(tick.microjoules, [tick.nanoseconds.get(activity, 0) for activity in self._places])

    def shares(self, draws: int = DRAWS) -> list[ModuleShare]:
        """The shares of all activities in the energy of the steps, the largest first; empty without sampled steps.

        Args:
            draws: The number of draws for the intervals.
        """
        activities = list(dict.fromkeys(activity for window in self._windows for activity in window.nanoseconds))
        lasted = [[window.nanoseconds.get(activity, 0) for window in self._windows] for activity in activities]
        steps = self.steps
        means = [sum(times) / steps for times in lasted]
        sampled = [window.steps for window in self._windows]
        if not sum(means):
            return []
        places = [self._places.setdefault(activity, len(self._places)) for activity in activities]
        powers = _Powers(self._groups, len(self._places))
        values = _normal([powers.found[place] * mean for place, mean in zip(places, means, strict=True)], means)
        wider = TWICE + FEW / len(self._windows)
        drawn = []
        random = Random(SEED)  # noqa: S311 - draws of errors, not of secrets
        for _ in range(draws):
            counts = [random.expovariate(1.0) for _ in self._windows]
            found = powers.draw(random)
            known = [dot(counts, times) / dot(counts, sampled) for times in lasted]
            times = [max(mean + wider * (time - mean), 0.0) for mean, time in zip(means, known, strict=True)]
            drawn.append(_normal([found[place] * time for place, time in zip(places, times, strict=True)], times))
        shares = []
        for place, activity in enumerate(activities):
            low, high = _ends([figures[place] for figures in drawn], values[place])
            shares.append(ModuleShare(activity, values[place], low, high, means[place] / NANOSECONDS_PER_SECOND))
        return sorted(shares, key=lambda found: -found.share)


class _Powers:
    """The powers of the unknowns, in units of the mean power, and draws of them.

    Args:
        groups: The stretches.
        unknowns: How many unknowns there are.

    Attributes:
        found: The powers.
    """

    def __init__(self, groups: Sequence[TickSums], unknowns: int) -> None:
        self.found = [1.0] * unknowns
        self._problem: RidgeProblem | None = None
        if sum(group.microjoules for group in groups) > 0:
            self._fit(groups, unknowns)

    def _fit(self, groups: Sequence[TickSums], unknowns: int) -> None:
        ticks, whole_ns = sum(group.ticks for group in groups), sum(group.nanoseconds for group in groups)
        usual = whole_ns / ticks  # a stretch of the usual length is a row of data
        mean = sum(group.microjoules for group in groups) / whole_ns
        by_group = [group.products(unknowns) for group in groups]
        products = [[sum(column) / usual for column in zip(*rows, strict=True)] for rows in zip(*by_group, strict=True)]
        told = [[moment / usual / mean for moment in group.moments(unknowns)] for group in groups]
        moments = [sum(column) for column in zip(*told, strict=True)]
        squares = sum(group.squares for group in groups) / usual / mean**2
        noise, left = FIRST_NOISE, 1.0
        for _ in range(_ROUNDS):
            self._problem = RidgeProblem(products, (noise / ASSUMED_SPREAD) ** 2)
            self.found = self._problem.solve(moments, [1.0] * unknowns)
            self._fitted = _times(products, self.found)
            left = max(ticks - self._problem.freedom, 1.0)
            misfit = squares - 2 * dot(self.found, moments) + dot(self.found, self._fitted)
            noise = max(sqrt(max(misfit, 0.0) / left), _LEAST_NOISE)
        unseen = sqrt(ticks / left)
        self._misfits = [
            [unseen * (moment - fitted / usual) for moment, fitted in zip(seen, _times(rows, self.found), strict=True)]
            for seen, rows in zip(told, by_group, strict=True)
        ]

    def draw(self, random: Random) -> list[float]:
        """Powers as they might be."""
        centres = [max(0.0, random.gauss(1.0, ASSUMED_SPREAD)) for _ in self.found]
        if self._problem is None:
            return centres
        signs = [random.choice((-1.0, 1.0)) for _ in self._misfits]
        moments = [
            fitted + dot(signs, misfits)
            for fitted, misfits in zip(self._fitted, zip(*self._misfits, strict=True), strict=True)
        ]
        return self._problem.solve(moments, centres, sweeps=DRAW_SWEEPS)


def _times(lower: Sequence[Sequence[float]], values: Sequence[float]) -> list[float]:
    """The product of a symmetric matrix, of which the lower triangle is given, with values."""
    found = [dot(row, values) for row in lower]
    for row, value in zip(lower, values, strict=True):
        for other, weight in enumerate(row[:-1]):
            found[other] += weight * value
    return found


def _normal(values: Sequence[float], otherwise: Sequence[float]) -> list[float]:
    """Values as shares of their sum; where that is 0, shares of other values."""
    whole = sum(values)
    return [value / whole for value in values] if whole > 0 else [value / sum(otherwise) for value in otherwise]


def _ends(drawn: Sequence[float], value: float) -> tuple[float, float]:
    """The ends of the interval of a value that was drawn often; the value is always within."""
    if not drawn:
        return value, value
    ordered = sorted(drawn)
    beyond = round((1 - LEVEL) / 2 * (len(ordered) - 1))
    return min(ordered[beyond], value), max(ordered[-1 - beyond], value)
