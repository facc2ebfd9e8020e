"""The record of one run: what it used, how each number came about, and the inputs to price it again.

The mapping is versioned. Keys are only ever added within a schema; a reader of an older record fills what it can and
leaves the rest absent.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.carbon.interval import Interval
from lightning_carbon.carbon.rest import Boundary
from lightning_carbon.carbon.series import SeriesUse
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.readings import Provenance
from lightning_carbon.ports import Finding
from lightning_carbon.records.accounting import MarketRecord, ScopesRecord, WaterRecord
from lightning_carbon.records.budget_record import BudgetRecord
from lightning_carbon.records.conditions import DeviceRecord
from lightning_carbon.records.fields import MOMENT, NAME, PROCESS, RANK, RATIO, each, one_of, read_by, text
from lightning_carbon.records.interval_field import INTERVAL
from lightning_carbon.records.machine_record import MachineRecord
from lightning_carbon.records.model_size import ModelSize
from lightning_carbon.records.module_table import ModulesRecord
from lightning_carbon.records.names import PART_NUMBERS, PHASE_NUMBERS, by_phase
from lightning_carbon.records.overlaps import Overlap
from lightning_carbon.records.totals import Attempt, Totals, stored_attempt, stored_totals
from lightning_carbon.records.trial import SweepTrial
from lightning_carbon.records.waste import Waste
from lightning_carbon.units import Energy
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = 1


class Status(StrEnum):
    """The state of a run."""

    RUNNING = "running"
    """The run has not ended, or its end was not noticed yet."""
    COMPLETED = "completed"
    """The run ended by itself."""
    FAILED = "failed"
    """An exception ended the run."""
    PRUNED = "pruned"
    """A search for hyperparameters ended the run, as other trials promised more."""
    INTERRUPTED = "interrupted"
    """The run was stopped from outside: Ctrl-C, a signal, an exit in the middle of training."""


@dataclass(frozen=True, slots=True)
class DomainRecord:
    """The energy of a domain over a run.

    Args:
        id: Unique in the host.
        kind: The kind of hardware.
        name: For people.
        joules: Its energy.
        provenance: How the number came about: counter, integrated or modelled.
        coverage_ratio: The share of the run that readings cover, 0 to 1.
        uncertainty_ratio: The half width of its range, as a share; where the halves differ, the wider half, without
            offsets.
        method: The call or the model behind it.
        parent: The domain that includes it; it is not added to the total then.
        lost: Why readings ended before the run did, or ``None``.
        lost_after_seconds: How long after the start of the run that was, or ``None``.
        phases: Its energy in joules by phase.
        parts: Its energy in joules by phase and part, for the phases that were split.
        step_joules: Its energy during the steps alone, in joules; ``None`` where no steps were counted.
        cadence_seconds: The median distance between two new figures of its sensor, as the run saw it; ``None`` where no
            parts of steps were told.
        unresolved: The parts, by phase, that lasted less than that at a time: their energy is split by time alone.
        counter_to_power_ratio: Its counted energy over its integrated power, while both were read, or over its model,
            where that took over; ``None`` where they were not.
        replaced: Why another sensor of the same hardware took over during the run, or ``None``.
        replaced_after_seconds: How long after the start of the run that was, or ``None``.
        low_joules: The lower end of the range of its energy; ``None`` in records of before.
        high_joules: The upper end.
        device: The condition of its device beside its power; ``None`` where it shows none.
    """

    id: str
    kind: str
    name: str
    joules: float
    provenance: str = field(metadata=one_of(Provenance))
    coverage_ratio: float = field(metadata=RATIO)
    uncertainty_ratio: float
    method: str
    parent: str | None = None
    lost: str | None = None
    lost_after_seconds: float | None = None
    phases: dict[str, float] = field(default_factory=dict, metadata=PHASE_NUMBERS)
    parts: dict[str, dict[str, float]] = field(default_factory=dict, metadata=PART_NUMBERS)
    step_joules: float | None = None
    counter_to_power_ratio: float | None = None
    cadence_seconds: float | None = None
    unresolved: dict[str, tuple[str, ...]] = field(default_factory=dict, metadata=by_phase(partial(each, reader=text)))
    replaced: str | None = None
    replaced_after_seconds: float | None = None
    low_joules: float | None = None
    high_joules: float | None = None
    device: DeviceRecord | None = None


@dataclass(frozen=True, slots=True)
class EnergyRecord:
    """The energy of a run: IT energy, without PUE.

    Args:
        total_joules: The sum over the domains that no other includes; ``None`` where nothing could be measured.
        measured_joules: The part of the total that sensors measured.
        modelled_joules: The part of the total that was modelled.
        low_joules: The lower end of the range of the total.
        high_joules: The upper end of the range of the total.
        coverage_ratio: The mean over those domains of the share of the run that readings cover.
        domains: Every domain.
        phases: The total by phase; the phases add up to it, exactly.
        absent: The hardware that could not be measured, and why.
        parts: The phases that were split (``detail="step"``), by part; the parts add up to the phase, exactly.
        interval: The 90 % interval of the total, in joules; ``None`` while the run lasts, and in records of before.
        roles: The total by role, where processes joined the run that do not train: ``trainer``, ``rollout``, ...
    """

    total_joules: float | None
    measured_joules: float
    modelled_joules: float
    low_joules: float
    high_joules: float
    coverage_ratio: float = field(metadata=RATIO)
    domains: tuple[DomainRecord, ...]
    phases: dict[str, float] = field(metadata=PHASE_NUMBERS)
    absent: tuple[Finding, ...] = ()
    parts: dict[str, dict[str, float]] = field(default_factory=dict, metadata=PART_NUMBERS)
    interval: Interval | None = field(default=None, metadata=INTERVAL)
    roles: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CarbonRecord:
    """The CO2e of a run, PUE included, location-based.

    Args:
        grams_co2e: The central value; ``None`` where there is no energy to price.
        low: The lower end of its range.
        high: The upper end of its range.
        intensity: The factor from kWh to grams.
        pue: The factor from the energy of the machine to that of the site.
        boundary: Whose energy was priced: that of the ``machine``, or of its ``chips`` where nothing is known of the
            rest, as in records of earlier versions.
        series: The part of a series of carbon intensities over time in ``intensity``; ``None`` without a series.
        market: The same energy by the user's contract, beside the figure; ``None`` without a contract.
        scopes: The parts of the figure by scope; ``None`` where the source of the factor does not split it.
        interval: The 90 % interval of the CO2e, in grams; ``None`` while the run lasts, and in records of before.
    """

    grams_co2e: float | None
    low: float | None
    high: float | None
    intensity: Intensity
    pue: PowerUsage
    boundary: str = field(default=Boundary.CHIPS.value, metadata=one_of(Boundary))
    series: SeriesUse | None = None
    market: MarketRecord | None = None
    scopes: ScopesRecord | None = None
    interval: Interval | None = field(default=None, metadata=INTERVAL)


@dataclass(frozen=True, slots=True)
class RankRecord:
    """The part of a process in a run.

    Args:
        rank: Its number, from 0.
        host: The name of its machine.
        devices: The domains that are credited to it; a domain that several ranks meter counts once.
        joules: Their energy.
        mean_watts: Their mean power while the rank ran; ``None`` where it has no domain or took no time.
        steps: The number of steps that it counted.
        duration_seconds: How long it ran.
        status: How it stands.
        step_clock: The clock that times the ends of its steps: ``device`` (when the accelerator finished them),
            ``host`` (when the program reached them: right on a processor, early on an accelerator that runs behind) or
            ``mixed`` (the host's until the device was in use, or while it failed); ``None`` where that is not known.
        step_clock_reason: The error of the device's clock, or ``None``.
        missing_steps: The number of steps that its list of steps lacks, or ``None``.
        missing_steps_reason: The error that kept them from the list, or ``None``.
        role: The role of a process that joined the run; ``None`` of those that train.
    """

    rank: int = field(metadata=RANK)
    host: str
    devices: list[str]
    joules: float
    mean_watts: float | None
    steps: int
    duration_seconds: float
    status: str = field(metadata=one_of(Status))
    step_clock: str | None = None
    step_clock_reason: str | None = None
    missing_steps: int | None = None
    missing_steps_reason: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The record of a run.

    Args:
        schema: The version of this mapping.
        run_id: Unique; sorts by start.
        project: The project of the run.
        run_name: The user's name for it, or ``None``.
        status: How it stands.
        started_at: ISO 8601, UTC.
        ended_at: ISO 8601, UTC; ``None`` while it runs.
        duration_seconds: On the monotonic clock.
        steps: The number of steps counted.
        samples: The number of samples in them; ``None`` where the trainer did not give it.
        tokens: The number of tokens in them; ``None`` where the trainer did not give it.
        phase_seconds: How long each phase lasted.
        step_joules: The energy of the steps alone; ``None`` without steps or energy.
        host: Where it ran: name, system, processor, Python, versions of the frameworks.
        energy: Its energy.
        carbon: The CO2e of that energy.
        world_size: The number of processes of the run, those that joined it included; with fewer ``ranks``, the record
            covers only a part of it.
        ranks: The part of each process.
        origin: The first run of this training; ``None`` where it was not resumed.
        attempts: Every attempt at this training that the ledger or the checkpoint knows, in order, this run last; empty
            where it was not resumed.
        lineage: The totals that led to the present state of the model: up to the checkpoint, and from there on;
            ``None`` where the run was not resumed.
        spent: The totals of all attempts, including work that was lost between a checkpoint and the end of its run;
            never less than ``lineage``.
        location: Where the record lies, or ``None`` where it was not stored.
        part_seconds: How long each part of a phase lasted, for the phases that were split.
        overlaps: Other runs of the ledger that metered some of the same hardware at the same time, whose energy is in
            both records; runs of other ledgers are not known.
        machine: The energy of its machines at their plugs; ``None`` where only the chips are known.
        tokens_with_padding: Whether padding may be among the tokens, as nothing on the host told which of them it is;
            ``None`` where that is not known, as where the user counts.
        water: The water that the site used for it; ``None`` where nobody asked.
        waste: What of its energy was no training, the largest first, with what to try; these may overlap.
        budget: Its budget; ``None`` where it had none.
        subject: What was metered, where that is not a program with a meter: a process by its number, or the machine.
        modules: The energy of its steps by module and direction (``detail="module"``), known at its end.
        trial: The trial of a sweep that it is; ``None`` where it is none.
        accepted: The number of samples that were accepted; ``None`` where nobody told.
        model: The parameters of the model and those of them that are trained; ``None`` where that is not known.
    """

    schema: int
    run_id: str = field(metadata=NAME)
    project: str = field(metadata=NAME)
    run_name: str | None
    status: str = field(metadata=one_of(Status))
    started_at: str = field(metadata=MOMENT)
    ended_at: str | None = field(metadata=MOMENT)
    duration_seconds: float
    steps: int
    samples: int | None
    tokens: int | None
    phase_seconds: dict[str, float] = field(metadata=PHASE_NUMBERS)
    step_joules: float | None
    host: dict[str, str | int | None]
    energy: EnergyRecord
    carbon: CarbonRecord
    world_size: int = field(default=1, metadata=PROCESS)
    ranks: tuple[RankRecord, ...] = ()
    origin: str | None = field(default=None, metadata=NAME)
    attempts: tuple[Attempt, ...] = field(default=(), metadata=read_by(partial(each, reader=stored_attempt)))
    lineage: Totals | None = field(default=None, metadata=read_by(stored_totals))
    spent: Totals | None = field(default=None, metadata=read_by(stored_totals))
    location: str | None = None
    part_seconds: dict[str, dict[str, float]] = field(default_factory=dict, metadata=PART_NUMBERS)
    overlaps: tuple[Overlap, ...] = ()
    machine: MachineRecord | None = None
    tokens_with_padding: bool | None = None
    water: WaterRecord | None = None
    waste: tuple[Waste, ...] = ()
    budget: BudgetRecord | None = None
    subject: str | None = None
    modules: ModulesRecord | None = None
    trial: SweepTrial | None = None
    accepted: int | None = None
    model: ModelSize | None = None

    @property
    def machine_ratio(self) -> float:
        """The energy of the machines over that of their chips; 1 where only the chips are known."""
        chips = self.energy.total_joules
        return 1.0 if self.machine is None or not chips else self.machine.joules / chips

    @property
    def priced_energy(self) -> Bounds[Energy] | None:
        """The energy that PUE and intensity multiply: of the machines, or of the chips where only those are known."""
        energy = self.machine or self.energy
        value = energy.joules if isinstance(energy, MachineRecord) else energy.total_joules
        if value is None:
            return None
        return Bounds(value, energy.low_joules, energy.high_joules).map(Energy.from_joules)

    def _repr_markdown_(self) -> str:
        """A small table, where Markdown is shown."""
        from lightning_carbon.records.notebook import as_notebook_markdown

        return as_notebook_markdown(self)

    def _repr_html_(self) -> str:
        """A small table, in a notebook."""
        from lightning_carbon.records.notebook import as_notebook_html

        return as_notebook_html(self)

    def plot(self) -> Figure:
        """The power of the run over time with its phases, as a figure of matplotlib (the extra ``report``).

        Raises:
            UsageError: The ledger has no course of the run, or there is no matplotlib.
        """
        from lightning_carbon.wiring import figure_of

        return figure_of(self)

    def summary(self) -> str:
        """A summary for people: energy by domain and phase, CO2e with its range, and every assumption by name."""
        from lightning_carbon.records.summary import summarise

        return summarise(self)
