"""Carbon intensity over time, and an energy priced with it, interval by interval. Pure.

Both sides are steps: a series has a carbon intensity for each interval and none in its gaps, and an energy profile has
a constant power between two of its points. The CO2e of a run is the sum, over all pieces that the two cut each other
into, of energy times intensity. So a series that is cut and joined, or given in another zone, prices the same, and a
constant series prices as its constant. Energy in a gap, or outside the series, is left for another factor.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.carbon.intensity import AVERAGE, MARGINAL, Intensity
from lightning_carbon.units import SECONDS_PER_HOUR
from lightning_carbon.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_STEP_SECONDS: Final = float(SECONDS_PER_HOUR)
"""The longest time that the last value of a series with a single point holds: an hour, as most series have it."""

_ROUNDING: Final = 1e-10


@dataclass(frozen=True, slots=True)
class IntensitySeries:
    """The carbon intensity of electricity over time, in gCO2e/kWh.

    Args:
        starts: The beginnings of its intervals, in seconds since 1970, in order.
        ends: Their ends; an interval ends at the beginning of the next, or earlier, where a gap follows.
        grams: Their carbon intensities.
        source: Its origin for people, such as ``"grid.csv (Electricity Maps)"``.
        basis: The emissions counted, such as ``"life-cycle, consumption"``.
        signal: ``"average"`` or ``"marginal"``.
        region: The zone that its source names; empty where it names none.
        licence: The licence of the source's data; empty where none is known.
        notes: What the reader has left out or assumed, in sentences.
    """

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    grams: tuple[float, ...]
    source: str = "given"
    basis: str = "as given"
    signal: str = AVERAGE
    region: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """The time that it covers, without its gaps."""
        return sum(end - start for start, end in zip(self.starts, self.ends, strict=True))

    @property
    def mean_grams(self) -> float:
        """Its mean over the time that it covers, in gCO2e/kWh."""
        return _integrals(self)[-1] / self.seconds


class EnergyProfile(NamedTuple):
    """The energy of a run over time: heights of its curve, between which the power is taken to be constant.

    Args:
        seconds: Moments in seconds since 1970, in order.
        joules: The energy used until each; it never falls.
    """

    seconds: Sequence[float]
    joules: Sequence[float]


class Window(NamedTuple):
    """A time in which a job of constant power could run.

    Args:
        start: Its beginning, in seconds since 1970.
        grams: The mean carbon intensity, in gCO2e/kWh.
    """

    start: float
    grams: float


@dataclass(frozen=True, slots=True)
class SeriesUse:
    """The part that a series has in the price of a run; the fields are keys of a file.

    Args:
        source: The origin of the series.
        basis: The emissions that it counts.
        signal: ``"average"`` or ``"marginal"``; the CO2e of a run never holds a marginal series.
        region: The zone that its source names.
        licence: The licence of the source's data.
        covered_ratio: The share of the run's energy that it covers, 0 to 1.
        grams_per_kilowatt_hour: Its mean over that energy; ``None`` where it covers none.
        least: The least of its values in that time.
        greatest: The greatest of them.
        rest: The factor for the energy that it does not cover, for which it would stand in full without the series.
        notes: What was left out or could not be had, in sentences.
    """

    source: str
    basis: str
    signal: str
    region: str
    licence: str
    covered_ratio: float
    grams_per_kilowatt_hour: float | None
    least: float | None
    greatest: float | None
    rest: Intensity
    notes: tuple[str, ...] = field(default=())

    @property
    def intensity(self) -> Intensity:
        """The factor that the whole energy is priced with: the series' share of it, and the rest by the other factor.

        A marginal series prices nothing of a run, since marginal and average factors answer different questions.
        """
        mean, share = self.grams_per_kilowatt_hour, min(1.0, self.covered_ratio)
        if mean is None or self.signal == MARGINAL:
            return self.rest
        value, low, high = (
            share * mean + (1 - share) * end for end in (self.rest.value, self.rest.low, self.rest.high)
        )
        is_whole = share >= 1
        region = self.region or ("custom" if is_whole and self.rest.assumed else self.rest.region)
        return replace(
            self.rest,
            value=value,
            low=min(low, value),
            high=max(high, value),
            source=self.source if is_whole else f"{self.source}; the rest: {self.rest.source}",
            basis=self.basis if is_whole else f"{self.basis}; the rest: {self.rest.basis}",
            region=region,
            typed=self.rest.typed if region == self.rest.region else None,
            licence="; ".join(dict.fromkeys(filter(None, (self.licence, "" if is_whole else self.rest.licence)))),
            direct=None,
            upstream=None,
            span="" if is_whole else self.rest.span,
            year=None if is_whole else self.rest.year,
            assumed=self.rest.assumed and not is_whole,
        )


def steps_of(points: Iterable[tuple[float, float]]) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Make intervals of moments with values: a value holds until the next, or as long as most others do.

    The usual distance is that of most pairs of neighbours, the shorter of equals. A longer distance leaves a
    gap, and the last value holds for the usual distance, too.

    Args:
        points: Moments in seconds since 1970, each once, in any order, with gCO2e/kWh.

    Returns:
        Starts, ends and values.
    """
    ordered = sorted(points)
    starts = tuple(at for at, _ in ordered)
    apart = Counter(later - earlier for earlier, later in pairwise(starts))
    usual = max(apart, key=lambda seconds: (apart[seconds], -seconds), default=LONGEST_STEP_SECONDS)
    ends = tuple(min(start + usual, after) for start, after in zip(starts, (*starts[1:], float("inf")), strict=False))
    return starts, ends, tuple(grams for _, grams in ordered)


def use_of(profile: EnergyProfile, series: IntensitySeries, rest: Intensity) -> SeriesUse:
    """Price an energy with a series, interval by interval.

    Args:
        profile: The energy over time.
        series: The series.
        rest: The factor for the energy that the series does not cover.

    Returns:
        The share that the series covers, with its mean over that energy.
    """
    covered = grams = 0.0
    used: list[float] = []
    for (start, below), (end, above) in pairwise(zip(*profile, strict=True)):
        for share, value in _pieces(start, end, series):
            covered += share * (above - below)
            grams += share * (above - below) * value
            used.append(value)
    total = profile.joules[-1] - profile.joules[0] if profile.joules else 0.0
    is_covered = covered > 0
    return SeriesUse(
        source=series.source,
        basis=series.basis,
        signal=series.signal,
        region=series.region,
        licence=series.licence,
        covered_ratio=_share(covered / total) if is_covered else 0.0,
        grams_per_kilowatt_hour=min(max(grams / covered, min(used)), max(used)) if is_covered else None,
        least=min(used) if is_covered else None,
        greatest=max(used) if is_covered else None,
        rest=rest,
        notes=series.notes,
    )


def joined(uses: Sequence[tuple[SeriesUse, float]]) -> SeriesUse:
    """The part of a series in the price of several ranks.

    Args:
        uses: The part in the price of each rank, with its energy in joules; at least one.
    """
    first, _ = uses[0]
    total = sum(joules for _, joules in uses)
    if total <= 0:
        return first
    shares = [(use, joules / total * use.covered_ratio) for use, joules in uses]
    covered = sum(share for _, share in shares)
    known = [(use.grams_per_kilowatt_hour, share) for use, share in shares if use.grams_per_kilowatt_hour is not None]
    least = [use.least for use, _ in uses if use.least is not None]
    greatest = [use.greatest for use, _ in uses if use.greatest is not None]
    mean = sum(grams * share for grams, share in known) / covered if covered > 0 else None
    return replace(
        first,
        covered_ratio=_share(covered),
        grams_per_kilowatt_hour=mean,
        least=min(least, default=None),
        greatest=max(greatest, default=None),
        notes=tuple(dict.fromkeys(note for use, _ in uses for note in use.notes)),
    )


def windows_of(series: IntensitySeries, seconds: float) -> list[Window]:
    """Every time in which a job of constant power could begin with an interval of a series and end within it.

    Args:
        series: The series; a window never reaches into a gap.
        seconds: The length of the job, more than zero.

    Returns:
        The windows, in order of time.
    """
    integrals = _integrals(series)
    breaks = [later > end for end, later in zip(series.ends, series.starts[1:], strict=False)]
    gaps = list(accumulate(breaks, initial=0))
    found = []
    for place, start in enumerate(series.starts):
        last = bisect_right(series.starts, start + seconds) - 1
        if series.starts[last] == start + seconds:
            last -= 1  # the window ends where that interval begins
        if gaps[last] == gaps[place] and start + seconds <= series.ends[last]:
            until = integrals[last] + series.grams[last] * (start + seconds - series.starts[last])
            found.append(Window(start, (until - integrals[place]) / seconds))
    return found


def _share(ratio: float) -> float:
    """A share, which is whole where rounding alone says otherwise."""
    return 1.0 if ratio > 1 - _ROUNDING else ratio


def _integrals(series: IntensitySeries) -> list[float]:
    """The time integral of the intensity up to the beginning of each interval, and to the end of the last."""
    lengths = zip(series.starts, series.ends, series.grams, strict=True)
    return list(accumulate((grams * (end - start) for start, end, grams in lengths), initial=0.0))


def _pieces(start: float, end: float, series: IntensitySeries) -> Iterable[tuple[float, float]]:
    """The shares of a stretch of time that intervals cover, each with its value; a moment lies in one interval."""
    place = max(0, bisect_right(series.starts, start) - 1)
    if end <= start:
        if series.starts and series.starts[place] <= start < series.ends[place]:
            yield 1.0, series.grams[place]
        return
    while place < len(series.starts) and series.starts[place] < end:
        overlap = min(end, series.ends[place]) - max(start, series.starts[place])
        if overlap > 0:
            yield overlap / (end - start), series.grams[place]
        place += 1
