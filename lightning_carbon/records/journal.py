"""The journal of a rank: a description of the rank, once, and what it has used so far, at every beat. Pure.

A journal consists of lines of JSON: a header, then beats. Every beat has the totals so far, not the difference from the
beat before. A reader therefore needs only the last whole line, and a line that a kill has torn costs one beat.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.carbon.rest import RestModel
from lightning_carbon.carbon.series import SeriesUse
from lightning_carbon.carbon.water import WaterUsage
from lightning_carbon.energy.accuracy import Accuracy, either_way
from lightning_carbon.energy.condition import ConditionSum
from lightning_carbon.energy.readings import Provenance
from lightning_carbon.ports import Finding
from lightning_carbon.records.budget_record import BudgetRecord
from lightning_carbon.records.conditions import CONDITIONS, condition_mapping
from lightning_carbon.records.fields import (
    NAME,
    PROCESS,
    RANK,
    SECONDS_SINCE_1970,
    Misfit,
    check_schema,
    mapping,
    one_of,
    plain,
    read,
    read_by,
    reading,
)
from lightning_carbon.records.lineage import Resumed, resumed_from
from lightning_carbon.records.model_size import ModelSize
from lightning_carbon.records.module_table import ModulesBeat
from lightning_carbon.records.names import by_part, by_phase
from lightning_carbon.records.overlaps import Overlap
from lightning_carbon.records.run import Status
from lightning_carbon.records.trial import SweepTrial
from lightning_carbon.values import dataclass, field, replace

JOURNAL_SCHEMA = 1
_JOURNAL = "a journal of a run"


@dataclass(frozen=True, slots=True)
class DomainDescription:
    """The facts about a domain that do not change during a run; the fields are those of a domain in a record.

    Args:
        accuracy: The range, where more is known of it than ``uncertainty_ratio``.
    """

    id: str
    kind: str
    name: str
    provenance: str = field(metadata=one_of(Provenance))
    uncertainty_ratio: float
    method: str
    parent: str | None = None
    accuracy: Accuracy | None = None

    @property
    def range(self) -> Accuracy:
        """The range around what its sensor shows."""
        return either_way(self.uncertainty_ratio) if self.accuracy is None else self.accuracy


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a journal, which describes the rank that writes it.

    Args:
        schema: The version of the journal.
        run_id: The run.
        project: The project of the run.
        run_name: The user's name for it.
        rank: The number of this process in the run, from 0.
        local_rank: The number of this process on its host, from 0.
        world_size: How many processes the run has.
        host_id: The same for all processes of one host, and for no other.
        pid: The process.
        pid_started: When the process started, in seconds since 1970; distinguishes it from a later process of the same
            number.
        started_at: When the run started here, in seconds since 1970.
        host: The facts about the machine.
        domains: The domains metered here, in the order of the beats.
        absent: The domains that could not be metered here.
        intensity: The carbon intensity that prices the run.
        pue: The PUE that prices the run.
        rest: The model of the rest of this host beside its chips; ``None`` where there is none.
        pid_namespace: The namespace of ``pid``, as containers have their own; ``None`` where it is not known.
        market_intensity: The factor of the user's contract, or ``None``.
        wue: The water for each unit of IT energy; ``None`` where nobody asked.
        subject: What is metered, where that is not the program itself.
        trial: The trial of a sweep that the run is, or ``None``.
        role: The role of a process that joined the run; ``None`` of those that train.
    """

    schema: int
    run_id: str = field(metadata=NAME)
    project: str = field(metadata=NAME)
    run_name: str | None
    rank: int = field(metadata=RANK)
    local_rank: int = field(metadata=RANK)
    world_size: int = field(metadata=PROCESS)
    host_id: str
    pid: int = field(metadata=PROCESS)
    pid_started: float | None
    started_at: float = field(metadata=SECONDS_SINCE_1970)
    host: dict[str, str | int | None]
    domains: tuple[DomainDescription, ...]
    absent: tuple[Finding, ...]
    intensity: Intensity
    pue: PowerUsage
    pid_namespace: int | None = None
    market_intensity: Intensity | None = None
    wue: WaterUsage | None = None
    rest: RestModel | None = None
    subject: str | None = None
    trial: SweepTrial | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class PhaseBeat:
    """The usage of a phase so far.

    Args:
        ns: How long it lasted.
        uj: Its energy in microjoules on every domain.
        covered_ns: How many nanoseconds of it readings cover, on every domain.
    """

    ns: int
    uj: tuple[int, ...]
    covered_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PartBeat:
    """The usage of a part of a phase so far.

    Args:
        ns: How long it lasted.
        uj: Its energy in microjoules on every domain.
        visits: How often it began; 0 in journals of before.
    """

    ns: int
    uj: tuple[int, ...]
    visits: int = 0


@dataclass(frozen=True, slots=True)
class SensorBeat:
    """What the run has shown about a sensor.

    Args:
        counter_to_power_ratio: Its counted energy over its integrated power, where both were read.
        replaced: Why another sensor of the same hardware has taken over; the other fields describe that sensor.
        replaced_ns: How long after the start of the run that was.
        provenance: How its numbers come about.
        uncertainty_ratio: The half width of its range, as a share.
        method: The call or the model behind it.
        accuracy: The range, where more is known of it.
    """

    counter_to_power_ratio: float | None = None
    replaced: str | None = None
    replaced_ns: int | None = None
    provenance: str | None = field(default=None, metadata=one_of(Provenance))
    uncertainty_ratio: float | None = None
    method: str | None = None
    accuracy: Accuracy | None = None

    def applied_to(self, domain: DomainDescription) -> DomainDescription:
        """The description of the domain with its present sensor; its range is the wider of the two sensors'."""
        if self.provenance is None or self.uncertainty_ratio is None or self.method is None:
            return domain
        own = either_way(self.uncertainty_ratio) if self.accuracy is None else self.accuracy
        return replace(
            domain,
            provenance=self.provenance,
            uncertainty_ratio=max(domain.uncertainty_ratio, self.uncertainty_ratio),
            method=self.method,
            accuracy=None if domain.accuracy is self.accuracy is None else domain.range.or_wider(own),
        )


@dataclass(frozen=True, slots=True)
class AheadBeat:
    """What is ahead of a run, as its rank 0 sees it.

    Args:
        steps: The planned number of steps.
        joules: The energy of its chips at its end: value, and the ends of a 90 % interval; empty where not known.
        remaining_seconds: How long it still lasts, in the same form.
        budget: The budget, as it was given, or ``None``.
        budget_used_ratio: The share of it that is used, which may be above 1.
        budget_stopped: Whether the run was ended because it is used up.
        budget_scope: Whose usage counts, ``run`` or ``lineage``; ``None`` without a budget.
    """

    steps: int | None = None
    joules: tuple[float, ...] = ()
    remaining_seconds: tuple[float, ...] = ()
    budget: str | None = None
    budget_used_ratio: float | None = None
    budget_stopped: bool = False
    budget_scope: str | None = None

    @property
    def budget_record(self) -> BudgetRecord | None:
        """The budget for the record; ``None`` where there is none."""
        limit = self.budget
        return (
            None
            if limit is None
            else BudgetRecord(limit, self.budget_used_ratio, self.budget_stopped, self.budget_scope or "run")
        )


@dataclass(frozen=True, slots=True)
class StopBeat:
    """What a rank says of the step at which all ranks shall stop: rank 0 proposes or confirms it, the others agree.

    Args:
        at_step: The step.
        confirm_by: The step that rank 0 must not have ended when it confirms.
        is_confirmed: Whether rank 0 has confirmed it.
    """

    at_step: int
    confirm_by: int
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Beat:
    """The usage of a rank so far, as its journal states it.

    Args:
        at: When this was written, in seconds since 1970.
        status: The status of the rank.
        ns: How long it has run.
        steps: How many steps have ended.
        samples: How many samples they had, where known.
        tokens: How many tokens they had, where known.
        step_ns: How long those steps took.
        step_uj: Their energy on every domain.
        phases: The usage of each phase.
        lost: Why each domain was lost, or ``None``.
        lost_ns: How long after the start of the run each was lost, or ``None``; empty in older journals.
        resumed: The training that this run continues, or ``None``.
        parts: The usage of each part of a phase, for the phases that were split; the parts add up to the phase.
        steps_per_epoch: How many steps an epoch has, where the trainer knows.
        step_clock: The clock that times the ends of steps, ``device``, ``host`` or ``mixed``; ``None`` where it is not
            known.
        step_clock_reason: The error of the device's clock, or ``None``.
        missing_steps: The number of steps that the list of steps lacks, or ``None``.
        missing_steps_reason: The error that kept them from the list, or ``None``.
        sensors: What the run has shown about the sensor of each domain, or ``None``; empty in older journals.
        cadence_ns: How far apart the news of each domain's sensor were, or ``None``; empty where no parts are told.
        tokens_with_padding: Whether padding may be among the tokens, where that is known.
        overlaps: Other runs that meter some of the same hardware at the same time, as far as this rank knows.
        ahead: The plan, the forecast and the budget of the run, where there are any.
        series: The part that a series of carbon intensities has in the price of the run; ``None`` without a series.
        conditions: What the gauges of each domain's device have shown beside its power; empty where none has any.
        stop: The step at which all ranks shall stop, as far as this rank knows; ``None`` where none is in sight.
        modules: The shares of the model's modules in the energy of the steps; ``None`` before the end, and without
            ``detail="module"``.
        accepted: How many samples this process has told to be accepted, where it has.
        padding: How many elements of its batches were padding beside the tokens, as far as that is known.
        model: The size of the model that is trained, where it is told.
    """

    at: float = field(metadata=SECONDS_SINCE_1970)
    status: str = field(metadata=one_of(Status))
    ns: int
    steps: int
    samples: int | None
    tokens: int | None
    step_ns: int
    step_uj: tuple[int, ...]
    phases: dict[str, PhaseBeat] = field(default_factory=dict, metadata=by_phase(partial(read, PhaseBeat)))
    lost: tuple[str | None, ...] = ()
    lost_ns: tuple[int | None, ...] = ()
    resumed: Resumed | None = field(default=None, metadata=read_by(resumed_from))
    parts: dict[str, dict[str, PartBeat]] = field(default_factory=dict, metadata=by_part(partial(read, PartBeat)))
    steps_per_epoch: float | None = None
    step_clock: str | None = None
    step_clock_reason: str | None = None
    missing_steps: int | None = None
    missing_steps_reason: str | None = None
    sensors: tuple[SensorBeat | None, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    cadence_ns: tuple[int | None, ...] = ()
    series: SeriesUse | None = None
    tokens_with_padding: bool | None = None
    ahead: AheadBeat | None = None
    conditions: tuple[ConditionSum | None, ...] = field(default=(), metadata=CONDITIONS)
    stop: StopBeat | None = None
    modules: ModulesBeat | None = None
    accepted: int | None = None
    padding: int = 0
    model: ModelSize | None = None

    def condition(self, index: int) -> ConditionSum | None:
        """What the gauges of a domain have shown."""
        return self.conditions[index] if index < len(self.conditions) else None

    def sensor(self, index: int) -> SensorBeat:
        """What the run has shown about the sensor of a domain."""
        return (self.sensors[index] if index < len(self.sensors) else None) or SensorBeat()

    def uj(self, index: int) -> int:
        """The energy of a domain over all phases, in microjoules."""
        return sum(phase.uj[index] for phase in self.phases.values())

    def covered_ns(self, index: int) -> int:
        """The covered nanoseconds of a domain over all phases."""
        return sum(phase.covered_ns[index] for phase in self.phases.values())


@dataclass(frozen=True, slots=True)
class RankPart:
    """The part of one rank in a run.

    Args:
        header: The description of the rank.
        beat: Its usage so far.
    """

    header: Header
    beat: Beat


def header_mapping(header: Header) -> dict[str, Any]:
    """A header as plain values."""
    values: dict[str, Any] = plain(header)
    return values


def beat_mapping(beat: Beat) -> dict[str, Any]:
    """A beat as plain values."""
    # Conditions come in a short form: as dataclasses, those of eight GPUs would cost more than all the rest.
    return {**plain(replace(beat, conditions=())), "conditions": [*map(condition_mapping, beat.conditions)]}


def header_of(values: object) -> Header:
    """Read the first line of a journal; keys that this version does not know are ignored.

    Raises:
        RecordError: It is no header of a journal, or has a newer schema.
    """
    with reading(_JOURNAL):
        check_schema(mapping(values), JOURNAL_SCHEMA, "the journal")
        return read(Header, values)


def part_of(header: object, beat: object) -> RankPart:
    """Read the first line of a journal and one of its beats; keys that this version does not know are ignored.

    Raises:
        RecordError: They are no journal, or have a newer schema.
    """
    return with_beat(header_of(header), beat)


def with_beat(header: Header, values: object) -> RankPart:
    """Read a beat of a journal.

    Args:
        header: The header of the journal.
        values: The line.

    Raises:
        RecordError: It is no beat of that journal.
    """
    with reading(_JOURNAL):
        beat = read(Beat, values)
        _check_lengths(beat, len(header.domains))
        return RankPart(header, beat)


def _check_lengths(beat: Beat, domains: int) -> None:
    """Refuse a beat whose lists have not one figure for each domain."""
    figures = {"step_uj": beat.step_uj}
    for name, phase in beat.phases.items():
        figures |= {f"phases.{name}.uj": phase.uj, f"phases.{name}.covered_ns": phase.covered_ns}
    for name, parts in beat.parts.items():
        figures |= {f"parts.{name}.{part}.uj": told.uj for part, told in parts.items()}
    for key, told in figures.items():
        if len(told) != domains:
            raise Misfit(f"has {len(told)} figures for {domains} domains", key)
