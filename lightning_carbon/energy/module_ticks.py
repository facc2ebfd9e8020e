"""The stretches between two news of a sensor, and the sums over them that least squares need. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.module_passes import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lightning_carbon.energy.module_passes import Activity

    Between = Callable[["Span", int, int], Iterable[tuple[Activity, float]]]

ENOUGH_INSIDE: Final = 2
"""With so many stretches within a window, those that reach out of it are left out."""
LEAST_INSIDE: Final = 0.5
"""The least share of a stretch that has to be within known steps."""
OUTSIDE: Final = None
"""Stands for the time outside of steps whose activities are known."""


class TickStretch(NamedTuple):
    """The time between two news of a sensor.

    Args:
        microjoules: Its energy.
        nanoseconds: How long each activity lasted in it; :data:`OUTSIDE` is time outside of known steps.
    """

    microjoules: int
    nanoseconds: Mapping[Activity | None, float]


class Span(NamedTuple):
    """The time from a boundary to the next.

    Args:
        start_ns: Where it begins.
        until_ns: Where it ends; a mark may come at the moment of the boundary after it.
        activity: The activity that begins there.
        origin: What tells that it begins.
    """

    start_ns: int
    until_ns: int
    activity: Activity
    origin: Origin


def spans_of(boundaries: Sequence[tuple[int, Activity, Origin]], end_ns: int) -> list[Span]:
    """The spans between boundaries, without those of modules that have no length.

    Args:
        boundaries: When each activity began, and what told it, in order of time.
        end_ns: Where the last ends.
    """
    ends = [*(at_ns for at_ns, _, _ in boundaries[1:]), end_ns]
    return [
        Span(at_ns, until_ns, activity, origin)
        for (at_ns, activity, origin), until_ns in zip(boundaries, ends, strict=True)
        if until_ns > at_ns or origin is not Origin.MODULE
    ]


def ticks_of(
    spans: Sequence[Span], heights: Sequence[tuple[int, int]], between: Between | None = None
) -> list[TickStretch]:
    """The stretches between the news of a sensor that lie within a window, by most of their time.

    Args:
        spans: The spans of the window, in order of time, without gaps.
        heights: When the sensor had news, in order of time, each with the energy up to there.
        between: Tells how long each activity lasts between two moments of a span; ``None`` where a span has one alone.
    """
    found = []
    place = 0
    for (from_ns, before), (to_ns, after) in pairwise(heights):
        while place < len(spans) and spans[place].until_ns <= from_ns:
            place += 1
        lasted: dict[Activity | None, float] = {}
        following = place
        while following < len(spans) and spans[following].start_ns < to_ns:
            span = spans[following]
            first_ns, last_ns = max(span.start_ns, from_ns), min(span.until_ns, to_ns)
            inner = ((span.activity, last_ns - first_ns),) if between is None else between(span, first_ns, last_ns)
            for part, length in inner:
                lasted[part] = lasted.get(part, 0) + length
            following += 1
        whole_ns, inside_ns = to_ns - from_ns, sum(lasted.values())
        if inside_ns and inside_ns >= LEAST_INSIDE * whole_ns:
            if inside_ns < whole_ns - 1:
                lasted[OUTSIDE] = whole_ns - inside_ns
            found.append(TickStretch(after - before, lasted))
    whole = [tick for tick in found if OUTSIDE not in tick.nanoseconds]
    return whole if len(whole) >= ENOUGH_INSIDE else found


class TickSums:
    """Sums over stretches, as least squares need them: as long as there are unknowns, however many stretches.

    A stretch of twice the length counts twice, as its mean power is known twice as well.

    Attributes:
        ticks: The number of stretches.
        microjoules: Their energy.
        nanoseconds: Their length.
        squares: The sum of the squares of their powers, each by its length.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self.microjoules = 0
        self.nanoseconds = self.squares = 0.0
        self._products: list[list[float]] = []
        self._moments: list[float] = []

    def add(self, microjoules: int, lasted: Sequence[float]) -> None:
        """Add a stretch.

        Args:
            microjoules: Its energy.
            lasted: How long each unknown lasted in it; later stretches may have more unknowns.
        """
        whole = sum(lasted)
        self.ticks += 1
        self.microjoules += microjoules
        self.nanoseconds += whole
        self.squares += microjoules**2 / whole
        while len(self._moments) < len(lasted):
            self._moments.append(0.0)
            self._products.append([0.0] * len(self._moments))
        for place, length in enumerate(lasted):
            if length:
                share = length / whole
                self._moments[place] += share * microjoules
                self._products[place] = [
                    before + share * other for before, other in zip(self._products[place], lasted, strict=False)
                ]

    def moments(self, unknowns: int) -> list[float]:
        """The energy that fell in the time of each unknown, if every stretch had an even power."""
        return [*self._moments, *[0.0] * (unknowns - len(self._moments))]

    def products(self, unknowns: int) -> list[list[float]]:
        """How long two unknowns lasted in the same stretches, by the lower triangle of a matrix."""
        more = range(len(self._products) + 1, unknowns + 1)
        return [*self._products, *([0.0] * length for length in more)]
