"""The power profile of a run: its power over time by kind of hardware, and the phases that it went through. Pure.

A run of a month has as many points as a run of minutes: every other point is dropped when there are too many. The
points are heights of the energy curves, and only differences of two of them are shown, so dropping the heights between
loses no joule of the run.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.carbon.series import EnergyProfile
from lightning_carbon.energy.phases import Phase
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_HEIGHTS: Final = 400
"""The most heights that are kept, about 300 kB; beyond half as many, a figure has too few pixels to show them."""

SHORTEST_SECONDS: Final = 0.1
"""The interval of readings: a shorter stretch would show how sensors were read, not what was used."""

LATE_SECONDS: Final = 5.0
"""How long before the end a rank must have last written to have ended, or died, earlier; ranks write twice a second."""

_ORDER: Final = {phase.value: place for place, phase in enumerate(Phase)}
"""Phases as trainings have them; those of a program's own come after."""


class Strand(NamedTuple):
    """A band of the power profile: all hardware of a kind whose numbers came about in the same way.

    Args:
        kind: The kind of hardware, as in :class:`~lightning_carbon.energy.readings.Kind`.
        is_modelled: Whether no sensor stands behind the numbers.
    """

    kind: str
    is_modelled: bool


class Height(NamedTuple):
    """The energy of a run up to a moment.

    Args:
        ns: The moment, in nanoseconds since the start of the run.
        microjoules: The energy of every strand, over the domains that no other includes.
        covered: How many nanoseconds readings cover, also summed over domains.
        phases: How many nanoseconds each phase has lasted.
    """

    ns: int
    microjoules: Mapping[Strand, int]
    covered: Mapping[Strand, int]
    phases: Mapping[str, int]


START: Final = Height(0, {}, {}, {})
"""The height at which every run begins."""


class Heights:
    """The heights of a run that are kept: the first, the last and a bounded number between.

    Args:
        most: The most heights that are kept; 4 or more.
    """

    def __init__(self, most: int = MOST_HEIGHTS) -> None:
        self._most = most
        self._kept = [START]
        self._last = START
        self._apart_ns = 0

    def wants(self, ns: int) -> bool:
        """Whether a height at a moment would be kept; asking first saves computing it for nothing."""
        return ns > self._kept[-1].ns and ns - self._kept[-1].ns >= self._apart_ns

    def note(self, height: Height) -> None:
        """Take a height; a height before the last is ignored."""
        if height.ns < self._last.ns:
            return
        self._last = height
        if not self.wants(height.ns):
            return
        self._kept.append(height)
        if len(self._kept) >= self._most:
            self._kept = self._kept[::2]
            self._apart_ns = self._kept[-1].ns // (len(self._kept) - 1)

    def all(self) -> list[Height]:
        """The heights that are kept, in order of time."""
        return self._kept if self._last.ns == self._kept[-1].ns else [*self._kept, self._last]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The power between two moments.

    Args:
        start_seconds: Since the start of the run.
        end_seconds: Since the start of the run.
        watts: The mean power of every strand; absent where no reading covers any of it.
        phase_seconds: How long each phase lasted within the stretch.
    """

    start_seconds: float
    end_seconds: float
    watts: dict[Strand, float]
    phase_seconds: dict[str, float]


class Band(NamedTuple):
    """A time during which a run was in a single phase.

    Args:
        start_seconds: Since the start of the run.
        end_seconds: Since the start of the run.
        phase: The phase.
    """

    start_seconds: float
    end_seconds: float
    phase: str


@dataclass(frozen=True, slots=True)
class PowerProfile:
    """The power of a run over time, with its phases.

    Args:
        stretches: The time of the run, cut into stretches without a gap between them; empty where nothing is known.
    """

    stretches: tuple[Stretch, ...]

    @property
    def strands(self) -> tuple[Strand, ...]:
        """The strands whose power is known at any time, measured before modelled."""
        found = {strand for stretch in self.stretches for strand in stretch.watts}
        return tuple(sorted(found, key=lambda strand: (strand.is_modelled, strand.kind)))

    @property
    def bands(self) -> tuple[Band, ...]:
        """The phases of the run, in order.

        Their total lengths are exact; within a stretch, their order is a likely guess: the present phase goes on first,
        and the others follow in the order usual in trainings.
        """
        bands: list[Band] = []
        for stretch in self.stretches:
            at = stretch.start_seconds
            before = bands[-1].phase if bands else None
            for phase in sorted(
                stretch.phase_seconds, key=lambda phase: (phase != before, _ORDER.get(phase, len(_ORDER)))
            ):
                end = at + stretch.phase_seconds[phase]
                if bands and bands[-1].phase == phase:
                    bands[-1] = bands[-1]._replace(end_seconds=end)
                else:
                    bands.append(Band(at, end, phase))
                at = end
        return tuple(bands)


def power_profile_of(
    own: Sequence[Height], others: Sequence[Height] = (), *, shortest: float = SHORTEST_SECONDS
) -> PowerProfile:
    """Make the power profile of a run from its heights.

    Args:
        own: The heights of this rank; its phases are those of the run.
        others: The heights of the other ranks, with moments on their own clocks since their own starts. They report now
            and then, and from their last report on the profile would show only a part of the power: it ends there,
            unless that was long before the end.
        shortest: The least length of a stretch in seconds, unless the whole run is shorter.
    """
    summed = list(own)
    if others:
        late_ns = own[-1].ns - others[-1].ns
        until_ns = others[-1].ns if late_ns <= LATE_SECONDS * NANOSECONDS_PER_SECOND else own[-1].ns
        summed = [_plus(height, _at(others, height.ns)) for height in own if height.ns <= until_ns]
    apart_ns = round(shortest * NANOSECONDS_PER_SECOND)
    chosen = summed[:1]
    for height in summed[1:]:
        if height.ns - chosen[-1].ns >= apart_ns:
            chosen.append(height)
    if len(summed) > 1:
        # The remainder at the end goes to the stretch before it, where there is one.
        chosen = [*chosen[:-1], summed[-1]] if len(chosen) > 1 else [summed[0], summed[-1]]
    return PowerProfile(tuple(_between(start, end) for start, end in pairwise(chosen) if end.ns > start.ns))


def energy_profile_of(profile: PowerProfile, started_at: float) -> EnergyProfile:
    """The energy of a run over time, to be priced with a series of carbon intensities.

    Args:
        profile: Its power over time; time that no reading covers has none.
        started_at: Its start, in seconds since 1970.
    """
    seconds, joules, used = [], [], 0.0
    for stretch in profile.stretches:
        seconds += [started_at + stretch.start_seconds, started_at + stretch.end_seconds]
        joules.append(used)
        used += sum(stretch.watts.values()) * (stretch.end_seconds - stretch.start_seconds)
        joules.append(used)
    return EnergyProfile(seconds, joules)


def _between(start: Height, end: Height) -> Stretch:
    seconds = (end.ns - start.ns) / NANOSECONDS_PER_SECOND
    rises = {strand: uj - start.microjoules.get(strand, 0) for strand, uj in end.microjoules.items()}
    spans = {phase: ns - start.phases.get(phase, 0) for phase, ns in end.phases.items()}
    return Stretch(
        start.ns / NANOSECONDS_PER_SECOND,
        end.ns / NANOSECONDS_PER_SECOND,
        {
            strand: rise / MICROJOULES_PER_JOULE / seconds
            for strand, rise in rises.items()
            if end.covered.get(strand, 0) > start.covered.get(strand, 0)
        },
        {phase: ns / NANOSECONDS_PER_SECOND for phase, ns in spans.items() if ns > 0},
    )


def _at(heights: Sequence[Height], ns: int) -> Height:
    """The height at a moment: on the line between the two heights around it, or the last."""
    right = max(1, bisect_left(heights, ns, key=lambda height: height.ns))
    if right == len(heights):
        return heights[-1]
    before, after = heights[right - 1], heights[right]
    part, whole = ns - before.ns, after.ns - before.ns

    def value(start: Mapping[Strand, int], end: Mapping[Strand, int]) -> dict[Strand, int]:
        return {
            strand: start.get(strand, 0) + (to - start.get(strand, 0)) * part // whole for strand, to in end.items()
        }

    return Height(ns, value(before.microjoules, after.microjoules), value(before.covered, after.covered), {})


def _plus(own: Height, others: Height) -> Height:
    return own._replace(
        microjoules=_sum(own.microjoules, others.microjoules), covered=_sum(own.covered, others.covered)
    )


def _sum(own: Mapping[Strand, int], others: Mapping[Strand, int]) -> dict[Strand, int]:
    return {strand: own.get(strand, 0) + others.get(strand, 0) for strand in {**own, **others}}
