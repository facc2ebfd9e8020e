"""The sum of a sweep: what each trial took and gained, what the best has of it, and what led nowhere. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.records.overlaps import Counted, counted_twice
from lightning_carbon.records.run import Status
from lightning_carbon.records.trial import Direction, SweepTrial, TrialState
from lightning_carbon.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.records.trial import Parameter

RUNNING: Final = Status.RUNNING.value
_STATE_OF: Final = {
    Status.COMPLETED.value: TrialState.COMPLETE.value,
    Status.PRUNED.value: TrialState.PRUNED.value,
    Status.RUNNING.value: RUNNING,
}
_WORST_FIRST: Final = (TrialState.FAILED.value, TrialState.PRUNED.value, RUNNING, TrialState.COMPLETE.value)


@dataclass(frozen=True, slots=True)
class TrialSum:
    """A trial with the sum of its runs.

    Args:
        name: Its number or its name in the sweep, else the name or the id of its run.
        state: Complete, pruned or failed, or running.
        value: The value of its objective, where it is known.
        runs: The number of its runs.
        seconds: How long they lasted, one after the other.
        joules: Their energy: of the machines, or of the chips where no more is known; ``None`` where nothing is.
        grams_co2e: Their CO2e.
        gain: By how much it improved the best value before; ``None`` where it did not, or is the first.
        joules_per_gain: The energy since the trial that was the best before, for each unit of that.
        is_best: Whether it is the best trial.
        parameters: Its hyperparameters, where they are known.
    """

    name: str
    state: str
    value: float | None
    runs: int
    seconds: float
    joules: float | None
    grams_co2e: float | None
    gain: float | None = None
    joules_per_gain: float | None = None
    is_best: bool = False
    parameters: dict[str, Parameter] | None = None


@dataclass(frozen=True, slots=True)
class SweepSum:
    """The sum of a sweep.

    Args:
        name: Its name.
        objective: The name of what is searched for, where it is known.
        direction: The direction in which a value is better, where it is known.
        trials: Its trials, in the order of their starts.
        joules: The energy of all.
        grams_co2e: The CO2e of all.
        seconds: How long they lasted, one after the other.
        state_joules: The energy of the trials by state.
        best: The name of the best trial; ``None`` where no value or no direction is known.
        best_ratio: The share of the best trial in the energy of all.
        gain: By how much the best value is better than the first.
        joules_per_gain: The energy of all trials after the first with a value, for each unit of that.
        twice_joules: The approximate energy of chips that runs at the same time on the same hardware both have.
    """

    name: str
    objective: str | None
    direction: str | None
    trials: tuple[TrialSum, ...]
    joules: float
    grams_co2e: float
    seconds: float
    state_joules: dict[str, float]
    best: str | None
    best_ratio: float | None
    gain: float | None
    joules_per_gain: float | None
    twice_joules: float


def sweep_sum(
    name: str,
    records: Sequence[RunRecord],
    *,
    values: Mapping[str, float] | None = None,
    direction: str | None = None,
    objective: str | None = None,
) -> SweepSum:
    """Add up the runs of a sweep.

    Args:
        name: Its name.
        records: Its runs, in any order; those that are no trials by their records count as a trial each.
        values: Values of the objective by the ids of runs, for trials of which no search tells one.
        direction: The direction in which a value is better; else as the search tells.
        objective: The name of what is searched for; else as the search tells.
    """
    groups: dict[str, list[RunRecord]] = {}
    for record in sorted(records, key=lambda run: (run.started_at, run.run_id)):
        trial = record.trial
        key = trial.key if trial is not None and trial.key else record.run_name or record.run_id
        # Two runs of one name are two trials, unless their search says otherwise.
        same = key if (trial is not None and trial.key) or key not in groups else record.run_id
        groups.setdefault(same, []).append(record)
    told = [record.trial for record in records if record.trial is not None]
    towards = direction or next((known.direction for known in told if known.direction), None)
    sums = _gains([_trial(key, runs, values or {}) for key, runs in groups.items()], towards)
    joules = sum(trial.joules or 0.0 for trial in sums)
    best = next((trial for trial in sums if trial.is_best), None)
    known = [trial for trial in sums if _counts(trial)]
    gain = None if best is None or best is known[0] else abs((best.value or 0.0) - (known[0].value or 0.0))
    after = sum(trial.joules or 0.0 for trial in sums[sums.index(known[0]) + 1 :]) if gain else 0.0
    state_joules: dict[str, float] = {}
    for tried in sums:
        state_joules[tried.state] = state_joules.get(tried.state, 0.0) + (tried.joules or 0.0)
    return SweepSum(
        name=name,
        objective=objective or next((known.objective for known in told if known.objective), None),
        direction=towards,
        trials=tuple(sums),
        joules=joules,
        grams_co2e=sum(trial.grams_co2e or 0.0 for trial in sums),
        seconds=sum(trial.seconds for trial in sums),
        state_joules=state_joules,
        best=None if best is None else best.name,
        best_ratio=None if best is None or not joules else (best.joules or 0.0) / joules,
        gain=gain,
        joules_per_gain=after / gain if gain else None,
        twice_joules=counted_twice(Counted(run.run_id, run.project, run.overlaps) for run in records),
    )


def _trial(name: str, runs: Sequence[RunRecord], values: Mapping[str, float]) -> TrialSum:
    told = [run.trial for run in runs if run.trial is not None] or [SweepTrial("")]
    state = next((trial.state for trial in reversed(told) if trial.state), None)
    states = [_STATE_OF.get(run.status, TrialState.FAILED.value) for run in runs]
    value = next((trial.value for trial in reversed(told) if trial.value is not None), None)
    if value is None:
        value = next((values[run.run_id] for run in reversed(runs) if run.run_id in values), None)
    energy = [priced.value.joules for run in runs if (priced := run.priced_energy) is not None]
    grams = [run.carbon.grams_co2e for run in runs if run.carbon.grams_co2e is not None]
    return TrialSum(
        name=name,
        state=state or min(states, key=_WORST_FIRST.index),
        value=value,
        runs=len(runs),
        seconds=sum(run.duration_seconds for run in runs),
        joules=sum(energy) if energy else None,
        grams_co2e=sum(grams) if grams else None,
        parameters=next((trial.parameters for trial in reversed(told) if trial.parameters), None),
    )


def _counts(trial: TrialSum) -> bool:
    """Whether the value of a trial counts: that of a pruned trial is not what a whole trial would have had."""
    return trial.value is not None and trial.state == TrialState.COMPLETE


def _gains(trials: list[TrialSum], direction: str | None) -> list[TrialSum]:
    """The trials with what each gained, in the order of time; as they are where no direction is known."""
    if direction is None:
        return trials
    sign = 1.0 if direction == Direction.MAXIMIZE else -1.0
    best: int | None = None
    since = 0.0
    found = list(trials)
    for place, trial in enumerate(trials):
        since += trial.joules or 0.0
        if not _counts(trial):
            continue
        gain = None if best is None else sign * ((trial.value or 0.0) - (trials[best].value or 0.0))
        if gain is None or gain > 0:
            found[place] = replace(trial, gain=gain, joules_per_gain=None if gain is None else since / gain)
            best, since = place, 0.0
    if best is not None:
        found[best] = replace(found[best], is_best=True)
    return found
