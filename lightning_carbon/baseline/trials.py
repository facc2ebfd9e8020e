"""The change between trials of two kinds: its size, its interval, and the number of trials that it takes to see it.

Ratios are compared by their logarithms, so that A to B and B to A give the same answer, and are averaged without the
highest and lowest tenth, so that a single disturbed trial does not decide. Pure: the same trials give the same figures.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import combinations, product
from math import comb, exp, log, sqrt
from random import Random
from statistics import NormalDist, stdev
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.records.numbers import percent, signed_percent
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LEVEL: Final = 0.95
LEAST_TRIALS: Final = 5
"""The fewest trials of each kind: the range of 5 differences holds their median in 94 % of cases (1 - 2 / 2**5)."""
MOST_TRIALS: Final = 10_000
_TRIM: Final = 0.1
_RESAMPLES: Final = 2_000
_SEED: Final = 20_190_605
_NORMAL: Final = NormalDist()


def _trimmed_variance() -> float:
    """The variance of a mean without its outer tenths, over that of a mean, for normal noise and many trials: 1.06.

    The spread of what is kept, with what is cut moved to the ends (Tukey and McLaughlin, Sankhya A 25, 1963).
    """
    end = _NORMAL.inv_cdf(1 - _TRIM)
    kept = 1 - 2 * _TRIM - 2 * end * _NORMAL.pdf(end)
    return (kept + 2 * _TRIM * end**2) / (1 - 2 * _TRIM) ** 2


@dataclass(frozen=True, slots=True)
class Change:
    """The change from trials of one kind to trials of another.

    Args:
        ratio: The second over the first; 0.9 is ten per cent less.
        low: The lower end of its 95 % interval.
        high: The upper end of its 95 % interval.
        p_value: The share of permutations of the trials that differ at least as much.
        least_p_value: The least that this can be for so many trials.
        trials: The number of trials of the kind that has fewer.
        is_paired: Whether trials were compared in pairs.
    """

    ratio: float
    low: float
    high: float
    p_value: float
    least_p_value: float
    trials: int
    is_paired: bool

    @property
    def is_clear(self) -> bool:
        """Whether the interval holds no ratio of 1."""
        return self.low > 1 or self.high < 1

    def span(self) -> str:
        """The interval, in percent of change."""
        return f"{signed_percent(self.low)} to {signed_percent(self.high)}"


def paired_change(first: Sequence[float], second: Sequence[float]) -> Change:
    """The change between trials that were run in turn, of which those at the same place belong together.

    What drifts slowly, such as a temperature, cancels out within a pair.

    Args:
        first: Positive figures, at least :data:`LEAST_TRIALS`.
        second: As many figures.

    Returns:
        The change; its p-value is that of a sign-flip test.

    Raises:
        ConfigError: There are too few trials, or a figure is not positive.
    """
    _check(first, second)
    logs = [log(b / a) for a, b in zip(first, second, strict=True)]
    count = len(logs)
    found = _middle(logs)
    random = Random(_SEED)  # noqa: S311 - no secret
    resampled = sorted(_middle(random.choices(logs, k=count)) for _ in range(_RESAMPLES))
    low, high = _ends(resampled, count, count - 1)
    if 2**count <= _RESAMPLES:
        signs: Iterable[Sequence[int]] = product((1, -1), repeat=count)
        total, extra = 2**count, 0
    else:
        signs = (random.choices((1, -1), k=count) for _ in range(_RESAMPLES))
        total, extra = _RESAMPLES, 1  # the trials as they are
    as_far = sum(_is_as_far(_middle([s * x for s, x in zip(flips, logs, strict=True)]), found) for flips in signs)
    return Change(
        ratio=exp(found),
        low=exp(low),
        high=exp(high),
        p_value=(as_far + extra) / (total + extra),
        least_p_value=2 / 2**count if not extra else 1 / (total + extra),
        trials=count,
        is_paired=True,
    )


def change(first: Sequence[float], second: Sequence[float]) -> Change:
    """The change between trials that have nothing to do with each other.

    Args:
        first: Positive figures, at least :data:`LEAST_TRIALS`.
        second: Positive figures, at least :data:`LEAST_TRIALS`.

    Returns:
        The change; its p-value is that of a permutation test.

    Raises:
        ConfigError: There are too few trials, or a figure is not positive.
    """
    _check(first, second)
    before, after = [log(value) for value in first], [log(value) for value in second]
    found = _middle(after) - _middle(before)
    random = Random(_SEED)  # noqa: S311 - no secret
    resampled = sorted(
        _middle(random.choices(after, k=len(after))) - _middle(random.choices(before, k=len(before)))
        for _ in range(_RESAMPLES)
    )
    fewer = min(len(before), len(after))
    low, high = _ends(resampled, fewer, len(before) + len(after) - 2)
    every = [*before, *after]
    ways = comb(len(every), len(before))
    if ways <= _RESAMPLES:
        chosen: Iterable[Sequence[int]] = combinations(range(len(every)), len(before))
        total, extra = ways, 0
    else:
        chosen = (random.sample(range(len(every)), len(before)) for _ in range(_RESAMPLES))
        total, extra = _RESAMPLES, 1
    as_far = sum(_is_as_far(_split(every, places), found) for places in chosen)
    return Change(
        ratio=exp(found),
        low=exp(low),
        high=exp(high),
        p_value=(as_far + extra) / (total + extra),
        least_p_value=(1 + (len(before) == len(after))) / ways if not extra else 1 / (total + extra),
        trials=fewer,
        is_paired=False,
    )


def noise_of(first: Sequence[float], second: Sequence[float], *, is_paired: bool) -> float:
    """The standard deviation of a trial, as a share, from the spread of trials around their kind's.

    Args:
        first: Positive figures, at least two.
        second: Positive figures, at least two.
        is_paired: Whether trials at the same place belong together; what they share is then no noise.
    """
    if is_paired:
        return stdev(log(b / a) for a, b in zip(first, second, strict=True)) / sqrt(2)
    spreads = [stdev(map(log, values)) for values in (first, second)]
    return sqrt(sum(spread**2 for spread in spreads) / len(spreads))


def trials_needed(effect: float, noise: float, *, power: float = LEVEL) -> int:
    """The number of trials of each kind after which a change is seen.

    Args:
        effect: The change to be seen, as a share, such as 0.02.
        noise: The standard deviation of a trial, as a share, such as 0.05.
        power: The probability of seeing it.

    Returns:
        The number; at least :data:`LEAST_TRIALS`.

    Raises:
        ConfigError: It would take more than :data:`MOST_TRIALS`, or an argument is out of range.
    """
    for name, value in (("effect", effect), ("noise", noise), ("power", power)):
        if not 0 < value < 1:
            raise ConfigError(name, value, "give a share above 0 and below 1; 0.02 is 2 %.")
    spread = sqrt(2 * _trimmed_variance()) * noise / log(1 + effect)

    def enough(count: int) -> bool:
        reach = _student(1 - (1 - LEVEL) / 2, count - 1) + _student(power, count - 1)
        return sqrt(count) >= reach * spread

    counts = range(LEAST_TRIALS, MOST_TRIALS + 1)
    place = bisect_left(counts, 1, key=enough)
    if place == len(counts):
        fix = f"that takes more than {MOST_TRIALS:,} trials of each; look for a larger change."
        raise ConfigError("effect", effect, fix)
    return counts[place]


def needed_words(effect: float, noise: float, what: str) -> str:
    """A sentence on how many trials show a change.

    Args:
        effect: The change, as a share.
        noise: The standard deviation of a trial, as a share, above 0.
        what: What trials are called.
    """
    try:
        needed = trials_needed(effect, noise)
    except ConfigError:
        return f"This noise hides a change of {percent(effect)} from any reasonable number of runs."
    return f"To see a change of {percent(effect)} at this noise takes {needed} {what} of each."


def _check(first: Sequence[float], second: Sequence[float]) -> None:
    fewest = min(len(first), len(second))
    if fewest < LEAST_TRIALS:
        raise ConfigError("trials", fewest, f"give at least {LEAST_TRIALS} of each kind, or no interval can be told.")
    for value in (*first, *second):
        if not 0 < value < float("inf"):
            raise ConfigError("trials", value, "only positive figures compare.")


def _middle(values: Sequence[float]) -> float:
    """The mean without the highest and lowest tenth."""
    cut = int(_TRIM * len(values))
    kept = sorted(values)[cut : len(values) - cut]
    return sum(kept) / len(kept)


def _split(every: Sequence[float], places: Sequence[int]) -> float:
    taken = set(places)
    return _middle([value for place, value in enumerate(every) if place not in taken]) - _middle(
        [every[place] for place in places]
    )


def _is_as_far(value: float, found: float) -> bool:
    return abs(value) >= abs(found) * (1 - 1e-12)


def _ends(resampled: Sequence[float], count: int, freedom: int) -> tuple[float, float]:
    """The ends of the interval, from sorted resampled middles.

    Plain percentiles of a bootstrap are too narrow for few trials; they are widened to those of Student's t and of an
    unbiased spread (Hesterberg, What Teachers Should Know About the Bootstrap, The American Statistician 69, 2015).
    """
    tail = _NORMAL.cdf(-sqrt(count / (count - 1)) * _student(1 - (1 - LEVEL) / 2, freedom))
    place = min(int(tail * len(resampled)), len(resampled) // 2)
    return resampled[place], resampled[-1 - place]


def _student(share: float, freedom: int) -> float:
    """A quantile of Student's t, within 1 % from 3 degrees on (Abramowitz and Stegun, 1964, 26.7.5)."""
    z = _NORMAL.inv_cdf(share)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return sum(term * float(freedom) ** -power for power, term in enumerate(terms))
