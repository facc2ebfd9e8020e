"""Trials of two kinds beside each other: which takes less energy for a unit of work, and how sure that is. Pure."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.baseline.circumstances import circumstances_of, differences
from lightning_carbon.baseline.costs import check_coverage, cost_of
from lightning_carbon.baseline.equal_loss import EqualLoss, said_of
from lightning_carbon.baseline.trials import Change, change, needed_words, noise_of, paired_change
from lightning_carbon.energy.readings import Provenance, kind_word
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.hardware import hardware_of, outer_domains
from lightning_carbon.records.numbers import ENERGY, amount, digits, duration, percent, signed_percent
from lightning_carbon.records.run import Status
from lightning_carbon.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.records.run import RunRecord

CONTEST_SCHEMA: Final = 1
SMALL_CHANGE: Final = 0.02
"""The change for which a comparison without a clear result says how many trials it would take."""


class WorkUnit(StrEnum):
    """The unit of work that energy is compared for."""

    TOKEN = "token"  # noqa: S105 - no secret
    SAMPLE = "sample"
    STEP = "step"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Trial:
    """A run, or a stretch of steps of a run, for a comparison.

    Args:
        run_id: The run.
        hardware: Its hardware, by model.
        judged: The kinds of hardware and the provenance of the energy that is compared.
        joules: The energy in joules for each unit of work that it knows.
        seconds: The duration in seconds for each unit of work.
        circumstances: The clocks, temperature and throttling of its GPUs, by name, where they tell.
    """

    run_id: str
    hardware: str
    judged: frozenset[tuple[str, str]]
    joules: Mapping[WorkUnit, float]
    seconds: Mapping[WorkUnit, float]
    circumstances: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnitChange:
    """The change of energy or time for a unit of work.

    Args:
        quantity: ``energy``, in joules, or ``time``, in seconds.
        unit: The unit of work.
        first: The median of the trials of the first kind.
        second: The median of the trials of the second kind.
        change: The change from the first to the second.
    """

    quantity: str
    unit: WorkUnit
    first: float
    second: float
    change: Change


@dataclass(frozen=True, slots=True)
class Contest:
    """The comparison of trials of two kinds.

    Args:
        names: The names of both kinds.
        unit: The unit of work that decides.
        changes: The changes of energy and time for every unit of work that all trials know.
        trials: The number of trials of each kind.
        runs: The ids of the runs of each kind.
        noise: The standard deviation of a trial, as a share.
        notes: The notes on the figures, a sentence each.
        equal_loss: The energy to the same loss; ``None`` where there is no such loss.
    """

    names: tuple[str, str]
    unit: WorkUnit
    changes: tuple[UnitChange, ...]
    trials: tuple[int, int]
    runs: tuple[tuple[str, ...], tuple[str, ...]]
    noise: float
    notes: tuple[str, ...]
    equal_loss: EqualLoss | None = None

    @property
    def energy(self) -> UnitChange:
        """The change that decides."""
        return next(found for found in self.changes if (found.quantity, found.unit) == ("energy", self.unit))

    def headline(self) -> str:
        """The result, in a sentence."""
        found, (first, second) = self.energy.change, self.names
        span = f"95 % interval {found.span()}, p = {digits(found.p_value)}"
        if not found.is_clear:
            return f"{second} beside {first}: no difference in energy a {self.unit} can be seen ({span})"
        less = f"{percent(abs(found.ratio - 1))} {'less' if found.ratio < 1 else 'more'}"
        return f"{second} takes {less} energy a {self.unit} than {first} ({span})"

    def rows(self) -> list[tuple[str, ...]]:
        """The figures: quantity, both medians, change, interval and p-value."""
        rows: list[tuple[str, str, UnitChange | EqualLoss]]
        rows = [(f"{found.quantity} a {found.unit}", found.quantity, found) for found in self.changes]
        if self.equal_loss is not None:
            rows.append(
                (f"energy to {self.equal_loss.metric} {digits(self.equal_loss.loss)}", "energy", self.equal_loss)
            )
        return [
            (
                name,
                _figure(quantity, found.first),
                _figure(quantity, found.second),
                signed_percent(found.change.ratio),
                found.change.span(),
                digits(found.change.p_value),
            )
            for name, quantity, found in rows
        ]

    def with_equal_loss(self, found: EqualLoss | str) -> Contest:
        """The same with the energy to the same loss, or with a note on why there is none."""
        note = said_of(found)
        known = None if isinstance(found, str) else found
        return replace(self, equal_loss=known, notes=(*self.notes, note))

    def as_mapping(self) -> dict[str, Any]:
        """The comparison as plain values."""
        plain = asdict(self)
        plain["changes"] = [{**values, "unit": values["unit"].value} for values in plain["changes"]]
        names = ("names", "trials", "notes")
        return {
            "schema": CONTEST_SCHEMA,
            **plain,
            **{name: list(plain[name]) for name in names},
            "unit": self.unit.value,
            "runs": [list(runs) for runs in self.runs],
            "is_clear": self.energy.change.is_clear,
        }


def work_unit(text: str | None) -> WorkUnit | None:
    """The unit of work of a name; ``None`` for none.

    Raises:
        ConfigError: There is no such unit.
    """
    if text is None:
        return None
    try:
        return WorkUnit(text)
    except ValueError:
        raise ConfigError("per", text, f"give one of {', '.join(WorkUnit)}.") from None


def trial_of(record: RunRecord) -> Trial:
    """A whole run as a trial.

    Raises:
        ConfigError: The run has not ended well, or its energy is not known well enough.
    """
    if record.status != Status.COMPLETED:
        raise ConfigError("run", record.run_id, f"it is {record.status}, and only completed runs are compared.")
    roots = outer_domains(record.energy.domains)
    judged = [domain for domain in roots if Provenance(domain.provenance).is_measured] or roots
    check_coverage(record, judged)
    joules = {WorkUnit.RUN: sum(domain.joules for domain in judged)}
    seconds = {WorkUnit.RUN: record.duration_seconds}
    if record.steps:
        cost = cost_of(record)
        for unit, count in (
            (WorkUnit.STEP, 1.0),
            (WorkUnit.SAMPLE, cost.samples_per_step),
            (WorkUnit.TOKEN, cost.tokens_per_step),
        ):
            if count:
                joules[unit] = cost.joules_per_step / count
                seconds[unit] = cost.seconds_per_step / count
    kinds = frozenset((domain.kind, domain.provenance) for domain in judged)
    return Trial(record.run_id, hardware_of(record), kinds, joules, seconds, circumstances_of(record))


def contest_of(
    names: tuple[str, str],
    first: Sequence[Trial],
    second: Sequence[Trial],
    *,
    is_paired: bool,
    per: WorkUnit | None = None,
    notes: Sequence[str] = (),
) -> Contest:
    """Compare trials of two kinds.

    Args:
        names: The names of both kinds.
        first: The trials of the first kind.
        second: The trials of the second kind.
        is_paired: Whether trials at the same place were run one after the other, and belong together.
        per: The unit of work that decides; by default the finest that all trials know.
        notes: Further notes on the figures.

    Raises:
        ConfigError: There are too few trials, they do not compare, or they do not all know the unit of work.
    """
    every = [*first, *second]
    units = [unit for unit in WorkUnit if all(unit in trial.joules for trial in every)]
    if per is not None and per not in units:
        raise ConfigError("per", str(per), f"not every run counts its {per}s; give one of {', '.join(units)}.")
    judged = {trial.judged for trial in every}
    if len(judged) > 1:
        said = " and ".join(sorted(", ".join(f"{kind_word(k)} {p}" for k, p in sorted(kinds)) for kinds in judged))
        raise ConfigError("run", every[-1].run_id, f"the energy of these runs is {said}: these do not compare.")
    compared = paired_change if is_paired else change
    changes = []
    for unit in units:
        for quantity, of_trial in (("energy", _joules), ("time", _seconds)):
            before, after = ([of_trial(trial, unit) for trial in side] for side in (first, second))
            changes.append(UnitChange(quantity, unit, median(before), median(after), compared(before, after)))
    unit = per or units[0]
    noise = noise_of(*([_joules(trial, unit) for trial in side] for side in (first, second)), is_paired=is_paired)
    contest = Contest(
        names=names,
        unit=unit,
        changes=tuple(changes),
        trials=(len(first), len(second)),
        runs=(tuple(dict.fromkeys(t.run_id for t in first)), tuple(dict.fromkeys(t.run_id for t in second))),
        noise=noise,
        notes=(),
    )
    told = [[trial.circumstances for trial in side] for side in (first, second)]
    return _with_notes(contest, every, [*notes, *differences(names, *told)])


def _with_notes(contest: Contest, every: Sequence[Trial], notes: list[str]) -> Contest:
    found = contest.energy.change
    count = f"{found.trials} pairs of trials" if found.is_paired else "{} and {} trials".format(*contest.trials)
    notes.insert(0, f"{count}; a trial varies by {percent(contest.noise)} (standard deviation).")
    if not any(Provenance(provenance).is_measured for _, provenance in every[0].judged):
        notes.append("Nothing was measured: all energy is modelled.")
    hardware = sorted({trial.hardware for trial in every})
    if len(hardware) > 1:
        notes.append(f"The hardware differs: {'; '.join(hardware)}.")
    if not found.is_clear and contest.noise:
        notes.append(needed_words(SMALL_CHANGE, contest.noise, "trials"))
    return replace(contest, notes=tuple(notes))


def _joules(trial: Trial, unit: WorkUnit) -> float:
    return trial.joules[unit]


def _seconds(trial: Trial, unit: WorkUnit) -> float:
    return trial.seconds[unit]


def _figure(quantity: str, value: float) -> str:
    return amount(value, ENERGY) if quantity == "energy" else duration(value)
