"""Trials at several power limits beside each other: what each saves, what it costs in time, and which to take. Pure."""

from __future__ import annotations

from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.baseline.contest import WorkUnit, contest_of
from lightning_carbon.energy.readings import Provenance
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.numbers import ENERGY, NOTHING, amount, duration, percent, signed_percent
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.baseline.contest import Trial
    from lightning_carbon.baseline.trials import Change

TUNING_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class LimitResult:
    """What a unit of work took at a power limit.

    Args:
        limit: The limit, as it was given.
        joules: The median energy, in joules.
        seconds: The median time, in seconds.
        energy: The change of energy from the highest limit; ``None`` for that limit itself.
        time: The change of time from the highest limit; ``None`` for that limit itself.
    """

    limit: str
    joules: float
    seconds: float
    energy: Change | None = None
    time: Change | None = None


@dataclass(frozen=True, slots=True)
class Tuning:
    """The results of several power limits.

    Args:
        unit: The unit of work.
        results: The results, the highest limit first.
        allowed_slower: The share by which the time may rise.
        recommended: The limit to take.
        runs: The ids of the runs at each limit.
        notes: The notes on the figures, a sentence each.
    """

    unit: WorkUnit
    results: tuple[LimitResult, ...]
    allowed_slower: float
    recommended: str
    runs: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    def headline(self) -> str:
        """The recommendation, in a sentence."""
        best = next(result for result in self.results if result.limit == self.recommended)
        if best.energy is None or best.time is None:
            slower = percent(self.allowed_slower)
            return (
                f"Stay at {best.limit}: no lower limit clearly saves energy and is surely no more than {slower} slower"
            )
        less = percent(1 - best.energy.ratio)
        spans = f"95 % interval {best.energy.span()}"
        return (
            f"Take {best.limit}: {less} less energy a {self.unit} than at {self.results[0].limit} ({spans}), for "
            f"{signed_percent(best.time.ratio)} time ({best.time.span()})"
        )

    def rows(self) -> list[tuple[str, ...]]:
        """The figures: limit, energy and time, the change of energy and that of time, each with its interval."""
        return [
            (
                result.limit,
                amount(result.joules, ENERGY),
                duration(result.seconds),
                _cell(result.energy),
                _cell(result.time),
            )
            for result in self.results
        ]

    def as_mapping(self) -> dict[str, Any]:
        """The results as plain values."""
        return {
            "schema": TUNING_SCHEMA,
            **asdict(self),
            "unit": self.unit.value,
            "results": [asdict(result) for result in self.results],
            "runs": [list(runs) for runs in self.runs],
            "notes": list(self.notes),
        }


def tuning_of(
    limits: Sequence[str], trials: Sequence[Sequence[Trial]], *, allowed_slower: float, per: WorkUnit | None = None
) -> Tuning:
    """Compare trials at several power limits with those at the highest.

    The recommended limit is that of the least energy among those which clearly save energy and surely take no more
    time than is allowed: the upper ends of both 95 % intervals say so. Where there is none, it is the highest limit.

    Args:
        limits: The limits, as they were given, the highest first.
        trials: The trials at each, in the order of their runs; those at the same place belong together.
        allowed_slower: The share by which the time may rise.
        per: The unit of work; by default the finest that all trials know.

    Raises:
        ConfigError: There are too few trials, they do not compare, or they do not all know the unit of work.
    """
    units = [unit for unit in WorkUnit if all(unit in trial.joules for side in trials for trial in side)]
    if per is not None and per not in units:
        raise ConfigError("per", str(per), f"not every run counts its {per}s; give one of {', '.join(units)}.")
    unit = per or units[0]
    results = [
        LimitResult(limit, median(trial.joules[unit] for trial in side), median(trial.seconds[unit] for trial in side))
        for limit, side in zip(limits, trials, strict=True)
    ]
    highest = trials[0]
    noises = []
    for place, (limit, side) in enumerate(zip(limits[1:], trials[1:], strict=True), 1):
        contest = contest_of((limits[0], limit), highest, side, is_paired=True, per=unit)
        energy, time = (
            next(found.change for found in contest.changes if (found.quantity, found.unit) == (quantity, unit))
            for quantity in ("energy", "time")
        )
        noises.append(contest.noise)
        results[place] = LimitResult(limit, results[place].joules, results[place].seconds, energy, time)
    within = [
        result
        for result in results
        if result.energy is not None
        and result.time is not None
        and result.energy.high < 1
        and result.time.high <= 1 + allowed_slower
    ]
    best = min(within, key=lambda result: result.energy.ratio if result.energy else 1.0, default=results[0])
    count = f"{len(highest)} runs at each limit, in turn; a run varies by {percent(max(noises))} (standard deviation)."
    rule = f"limits that clearly save energy and are surely no more than {percent(allowed_slower)} slower"
    notes = [
        f"{count} Changes are those from {limits[0]}, with 95 % intervals in brackets.",
        f"Recommended is the least energy among {rule}.",
    ]
    if not any(Provenance(provenance).is_measured for _, provenance in highest[0].judged):
        notes.append("Nothing was measured: all energy is modelled.")
    return Tuning(
        unit=unit,
        results=tuple(results),
        allowed_slower=allowed_slower,
        recommended=best.limit,
        runs=tuple(tuple(trial.run_id for trial in side) for side in trials),
        notes=tuple(notes),
    )


def _cell(found: Change | None) -> str:
    return NOTHING if found is None else f"{signed_percent(found.ratio)} ({found.span()})"
