"""The energy of the modules of a model, forward and backward, from sampled steps whose boundaries are known. Pure.

A sensor's news are further apart than the boundaries of modules. So the power of a module is not read but found: each
stretch between two news of the sensor has an energy, and shares of its time in which known modules computed; the powers
are those that explain all stretches best, none of them negative. What the stretches cannot resolve stays at the mean
power, so its energy is split by time alone. A module's energy in a step is its power times its time.

The interval of a share spans the middle 90 % of draws with a fixed seed. In each, the misfits of every window of
sampled steps have a random sign, the windows count differently, and the powers to which the unknown is drawn are drawn
themselves: so a share that the data do not resolve has an interval as wide as what was assumed of it.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.least_squares import RidgeProblem
from lightning_carbon.energy.module_passes import Activity, ModuleShare
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DRAWS: Final = 200
"""The number of draws behind an interval."""
DRAW_SWEEPS: Final = 20
"""The most rounds of descent in a draw, which needs no more than two digits."""
LEVEL: Final = 0.9
"""The share of the draws that an interval spans."""
SEED: Final = 20_260
"""The seed of the draws."""
MOST_TICKS: Final = 1_024
"""The most stretches that are kept; with more, every second window of steps is dropped."""
ENOUGH_INSIDE: Final = 2
"""With so many stretches within a window, those that reach out of it are left out."""
LEAST_INSIDE: Final = 0.5
"""The least share of a stretch that has to be within the sampled steps."""
ASSUMED_SPREAD: Final = 0.5
"""The standard deviation assumed of the modules' powers, as a share of the mean power; ours."""
FIRST_NOISE: Final = 0.1
"""The misfit from which its estimate starts, as a share of the mean power."""
_LEAST_NOISE: Final = 1e-3
"""The least misfit assumed, as a share of the mean power: no sensor resolves less."""
_ROUNDS: Final = 3
"""How often the misfit is estimated again with what it changes."""


OUTSIDE: Final = None
"""Stands for the time outside of sampled steps."""


class TickStretch(NamedTuple):
    """The time between two news of a sensor.

    Args:
        microjoules: Its energy.
        nanoseconds: How long each activity lasted in it; :data:`OUTSIDE` is time outside of sampled steps.
    """

    microjoules: int
    nanoseconds: Mapping[Activity | None, int]


class SampledSteps(NamedTuple):
    """A window of consecutive sampled steps.

    Args:
        steps: How many.
        nanoseconds: How long each activity lasted in them; they add up to the window.
        ticks: The time between news of the sensor in it; empty where it had none.
    """

    steps: int
    nanoseconds: Mapping[Activity, int]
    ticks: Sequence[TickStretch]


def ticks_of(
    boundaries: Sequence[tuple[int, Activity]], end_ns: int, heights: Sequence[tuple[int, int]]
) -> list[TickStretch]:
    """The stretches between the news of a sensor that lie within a window, by most of their time.

    Args:
        boundaries: When each activity began, in order of time; each lasts until the next.
        end_ns: Where the last ends.
        heights: When the sensor had news, in order of time, each with the energy up to there.
    """
    spans = [
        (start_ns, until_ns, activity)
        for (start_ns, activity), until_ns in zip(
            boundaries, [*(at_ns for at_ns, _ in boundaries[1:]), end_ns], strict=True
        )
        if until_ns > start_ns
    ]
    found = []
    place = 0
    for (from_ns, before), (to_ns, after) in pairwise(heights):
        while place < len(spans) and spans[place][1] <= from_ns:
            place += 1
        lasted: dict[Activity | None, int] = {}
        for start_ns, until_ns, activity in spans[place:]:
            if start_ns >= to_ns:
                break
            lasted[activity] = lasted.get(activity, 0) + min(until_ns, to_ns) - max(start_ns, from_ns)
        whole_ns, inside_ns = to_ns - from_ns, sum(lasted.values())
        if inside_ns and inside_ns >= LEAST_INSIDE * whole_ns:
            if inside_ns < whole_ns:
                lasted[OUTSIDE] = whole_ns - inside_ns
            found.append(TickStretch(after - before, lasted))
    whole = [tick for tick in found if OUTSIDE not in tick.nanoseconds]
    return whole if len(whole) >= ENOUGH_INSIDE else found


class ModuleSums:
    """The sampled steps of a run so far, in bounded memory."""

    def __init__(self) -> None:
        self._windows: list[SampledSteps] = []
        self._apart = 1
        self._seen = 0

    @property
    def steps(self) -> int:
        """How many sampled steps are kept."""
        return sum(window.steps for window in self._windows)

    def add(self, window: SampledSteps) -> None:
        """Add a window of sampled steps."""
        self._seen += 1
        if (self._seen - 1) % self._apart:
            return
        self._windows.append(window)
        while len(self._windows) > 1 and sum(1 + len(known.ticks) for known in self._windows) > MOST_TICKS:
            self._windows = self._windows[::2]
            self._apart *= 2

    def shares(self, draws: int = DRAWS) -> list[ModuleShare]:
        """The shares of all activities in the energy of the steps, the largest first; empty without sampled steps.

        Args:
            draws: The number of draws for the intervals.
        """
        activities = list(dict.fromkeys(activity for window in self._windows for activity in window.nanoseconds))
        lasted = [[window.nanoseconds.get(activity, 0) for window in self._windows] for activity in activities]
        steps = self.steps
        means = [sum(times) / steps for times in lasted]
        if not sum(means):
            return []
        powers = _Powers(self._windows, activities)
        values = _normal([power * mean for power, mean in zip(powers.found, means, strict=True)], means)
        drawn = []
        random = Random(SEED)  # noqa: S311 - draws of errors, not of secrets
        for _ in range(draws):
            counts = [random.expovariate(1.0) for _ in self._windows]
            times = [sum(map(float.__mul__, counts, map(float, known))) for known in lasted]
            drawn.append(_normal([power * time for power, time in zip(powers.draw(random), times, strict=True)], times))
        shares = []
        for place, activity in enumerate(activities):
            low, high = _ends([figures[place] for figures in drawn], values[place])
            shares.append(ModuleShare(activity, values[place], low, high, means[place] / NANOSECONDS_PER_SECOND))
        return sorted(shares, key=lambda found: -found.share)


class _Powers:
    """The powers of activities, in units of the mean power, and draws of them.

    Args:
        windows: The sampled steps.
        activities: The activities.
    """

    def __init__(self, windows: Sequence[SampledSteps], activities: Sequence[Activity]) -> None:
        ticks = [(place, tick) for place, window in enumerate(windows) for tick in window.ticks]
        whole_ns = sum(sum(tick.nanoseconds.values()) for _, tick in ticks)
        mean = sum(tick.microjoules for _, tick in ticks) / whole_ns if whole_ns else 0.0
        self._of_window = [place for place, _ in ticks]
        self._windows = len(windows)
        self._known = len(activities)
        self._problem: RidgeProblem | None = None
        self.found = [1.0] * self._known
        if mean > 0:
            self._fit([tick for _, tick in ticks], [*activities, OUTSIDE], mean)

    def _fit(self, ticks: Sequence[TickStretch], activities: Sequence[Activity | None], mean: float) -> None:
        spans = [sum(tick.nanoseconds.values()) for tick in ticks]
        usual = sum(spans) / len(spans)
        roots = [sqrt(span / usual) for span in spans]
        observed = [root * tick.microjoules / span / mean for root, span, tick in zip(roots, spans, ticks, strict=True)]
        columns = [
            [
                root * tick.nanoseconds.get(activity, 0) / span
                for root, span, tick in zip(roots, spans, ticks, strict=True)
            ]
            for activity in activities
        ]
        self._centres = [1.0] * len(activities)
        noise = FIRST_NOISE
        for _ in range(_ROUNDS):
            noise = max(self._solve(columns, observed, (noise / ASSUMED_SPREAD) ** 2), _LEAST_NOISE)

    def _solve(self, columns: Sequence[Sequence[float]], observed: Sequence[float], ridge: float) -> float:
        """Find the powers, and return the standard deviation of the misfits."""
        self._problem = RidgeProblem(columns, ridge)
        found = self._problem.solve(observed, self._centres)
        self.found = found[: self._known]
        self._fitted = self._problem.predict(found)
        misfits = [seen - told for seen, told in zip(observed, self._fitted, strict=True)]
        left = max(len(observed) - self._problem.freedom, 1.0)
        self._misfits = [misfit * sqrt(len(observed) / left) for misfit in misfits]
        return sqrt(sum(misfit * misfit for misfit in misfits) / left)

    def draw(self, random: Random) -> list[float]:
        """Powers as they might be."""
        centres = [max(0.0, random.gauss(1.0, ASSUMED_SPREAD)) for _ in range(self._known + 1)]
        if self._problem is None:
            return centres[: self._known]
        signs = [random.choice((-1.0, 1.0)) for _ in range(self._windows)]
        observed = [
            fitted + signs[place] * misfit
            for fitted, misfit, place in zip(self._fitted, self._misfits, self._of_window, strict=True)
        ]
        return self._problem.solve(observed, centres, sweeps=DRAW_SWEEPS)[: self._known]


def _normal(values: Sequence[float], otherwise: Sequence[float]) -> list[float]:
    """Values as shares of their sum; where that is 0, shares of other values."""
    whole = sum(values)
    return [value / whole for value in values] if whole > 0 else _normal(otherwise, [1.0] * len(values))


def _ends(drawn: Sequence[float], value: float) -> tuple[float, float]:
    """The ends of the interval of a value that was drawn often; the value is always within."""
    if not drawn:
        return value, value
    ordered = sorted(drawn)
    beyond = round((1 - LEVEL) / 2 * (len(ordered) - 1))
    return min(ordered[beyond], value), max(ordered[-1 - beyond], value)
