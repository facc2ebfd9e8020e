"""The energy cost of a run's steps, and the file of such costs that later runs are compared with. Pure.

Costs are kept by kind of hardware and by provenance, since a measured figure says nothing about a modelled figure. The
file has an entry for each hardware and each piece of work.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.phases import Phase
from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.errors import ConfigError, RecordError
from lightning_carbon.records.fields import (
    Misfit,
    at,
    check_schema,
    each,
    mapping,
    number,
    one_of,
    read,
    read_by,
    reading,
)
from lightning_carbon.records.hardware import hardware_of, outer_domains
from lightning_carbon.records.run import Status
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lightning_carbon.records.run import DomainRecord, RunRecord

BASELINE_SCHEMA: Final = 1
LEAST_COVERAGE: Final = 0.95
"""The least coverage of a run; a larger gap could hide a change of the size that is looked for."""
MOST_RUNS: Final = 500
"""The most runs of an entry; far more than show any change that matters, and few enough to resample."""
_LEAST_JOULES: Final = read_by(partial(number, least=1e-8))
"""Metadata of an energy that others are divided by."""

_VERSIONS: Final = ("python", "torch", "pytorch_lightning", "lightning", "transformers")


@dataclass(frozen=True, slots=True)
class PartCost:
    """The energy of a step on the hardware of a kind.

    Args:
        kind: The kind of hardware: gpu, package, dram, psys or host.
        provenance: How the number came about: counter, integrated or modelled.
        joules_per_step: The energy, in joules.
    """

    kind: str = field(metadata=one_of(Kind))
    provenance: str = field(metadata=one_of(Provenance))
    joules_per_step: float

    @property
    def is_measured(self) -> bool:
        """Whether a sensor measured it."""
        return Provenance(self.provenance).is_measured


@dataclass(frozen=True, slots=True)
class RunCost:
    """The cost of a step in a run of several.

    Args:
        run_id: The run.
        joules_per_step: The energy of a step that a comparison uses, in joules.
        joules_per_token: The same for a token; ``None`` where their number is not known.
    """

    run_id: str
    joules_per_step: float = field(metadata=_LEAST_JOULES)
    joules_per_token: float | None = field(default=None, metadata=_LEAST_JOULES)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a run's steps, or of those of the middle run of several: an entry of a baseline file.

    Args:
        hardware: The GPUs, by model; where there are none, the processors.
        work: What was trained: the run's project, and its name where it has one.
        run_id: The run.
        ended_at: When it ended, ISO 8601.
        steps: The number of its steps.
        seconds_per_step: The duration of a step, on average over the training phase.
        parts: The energy of a step by kind of hardware and provenance, without parts that another includes.
        samples_per_step: The mean number of samples of a step; ``None`` where the trainer did not give it.
        tokens_per_step: The mean number of tokens of a step; ``None`` where the trainer did not give it.
        versions: The versions of Python and the frameworks.
        runs: The cost of a step in each of several runs of the same work; empty for a single run.
    """

    hardware: str
    work: str
    run_id: str
    ended_at: str
    steps: int
    seconds_per_step: float
    parts: tuple[PartCost, ...]
    samples_per_step: float | None = None
    tokens_per_step: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    runs: tuple[RunCost, ...] = ()

    @property
    def every_run(self) -> tuple[RunCost, ...]:
        """The cost of a step in every run, also where there is only a single run."""
        return self.runs or (RunCost(self.run_id, self.joules_per_step, self.joules_per_token),)

    @property
    def judged(self) -> tuple[PartCost, ...]:
        """The parts that a comparison uses: those that were measured, or all where none was."""
        return tuple(part for part in self.parts if part.is_measured) or self.parts

    @property
    def joules_per_step(self) -> float:
        """The energy of a step that a comparison uses, in joules."""
        return sum(part.joules_per_step for part in self.judged)

    @property
    def joules_per_token(self) -> float | None:
        """The same for a token; ``None`` where their number is not known."""
        return self.joules_per_step / self.tokens_per_step if self.tokens_per_step else None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The costs that runs are compared with.

    Args:
        entries: The costs, one for each hardware and work.
    """

    entries: tuple[Cost, ...] = ()

    def find(self, hardware: str, work: str) -> Cost | None:
        """The entry of a work on a hardware, if there is one."""
        return next((entry for entry in self.entries if (entry.hardware, entry.work) == (hardware, work)), None)

    def updated(self, cost: Cost) -> Baseline:
        """The same with an entry replaced or added, sorted, which keeps changes of the file small."""
        key = (cost.hardware, cost.work)
        others = [entry for entry in self.entries if (entry.hardware, entry.work) != key]
        return Baseline(tuple(sorted([*others, cost], key=lambda entry: (entry.hardware, entry.work))))


def cost_of(record: RunRecord) -> Cost:
    """The cost of a run's steps.

    Raises:
        ConfigError: The run has not ended well, has no steps, or its energy is not known well enough.
    """
    if record.status != Status.COMPLETED:
        raise _unfit(record, f"it is {record.status}, and only completed runs are compared")
    if not record.steps:
        raise _unfit(record, "it counted no steps; a trainer's callback does, a loop of your own calls step_done()")
    roots = outer_domains(record.energy.domains)
    known = [(domain, domain.step_joules) for domain in roots if domain.step_joules is not None]
    if len(known) < len(roots) or not roots:
        raise _unfit(record, "it does not tell the energy of its steps by domain; record it again with this version")
    sums: dict[tuple[str, str], float] = {}
    for domain, joules in known:
        sums[domain.kind, domain.provenance] = sums.get((domain.kind, domain.provenance), 0.0) + joules
    cost = Cost(
        hardware=hardware_of(record),
        work=work_of(record),
        run_id=record.run_id,
        ended_at=record.ended_at or record.started_at,
        steps=record.steps,
        seconds_per_step=_training_seconds(record) / record.steps,
        parts=tuple(PartCost(*key, joules / record.steps) for key, joules in sorted(sums.items())),
        samples_per_step=_per_step(record.samples, record.steps),
        tokens_per_step=_per_step(record.tokens, record.steps),
        versions={name: str(record.host[name]) for name in _VERSIONS if record.host.get(name)},
    )
    _check(record, cost, roots)
    return cost


def _training_seconds(record: RunRecord) -> float:
    """How long the training took, phases of its own, such as ``rollout``, included, as they are in its steps."""
    if Phase.TRAIN not in record.phase_seconds:
        return record.duration_seconds
    others = frozenset(Phase) - {Phase.TRAIN}
    return sum(seconds for phase, seconds in record.phase_seconds.items() if phase not in others)


def work_of(record: RunRecord) -> str:
    """The work of a run: its project, and its name where it has one."""
    return record.project if record.run_name is None else f"{record.project}/{record.run_name}"


def baseline_to(baseline: Baseline) -> dict[str, Any]:
    """A baseline as plain values, in the form of its file."""
    entries = [asdict(entry) for entry in baseline.entries]
    for entry in entries:
        entry["parts"] = list(entry["parts"])
        runs = entry.pop("runs")
        if runs:
            entry["runs"] = list(runs)
    return {"schema": BASELINE_SCHEMA, "entries": entries}


def baseline_from(values: object) -> Baseline:
    """Read a baseline.

    Args:
        values: The result of :func:`baseline_to` of this or an earlier version; not trusted.

    Raises:
        RecordError: It is no baseline, or has a newer schema.
    """
    with reading("a baseline"):
        whole = mapping(values)
        check_schema(whole, BASELINE_SCHEMA, "it")
        entries = at(whole, "entries", partial(each, reader=_entry))
    keys = Counter((entry.hardware, entry.work) for entry in entries)
    for (hardware, work), count in keys.items():
        if count > 1:
            message = f"it has {count} entries of {work} on {hardware}; leave one"
            raise RecordError(message)
    return Baseline(entries)


def _check(record: RunRecord, cost: Cost, roots: Iterable[DomainRecord]) -> None:
    judged = {(part.kind, part.provenance) for part in cost.judged}
    check_coverage(record, [domain for domain in roots if (domain.kind, domain.provenance) in judged])
    if not cost.joules_per_step > 0:
        raise _unfit(record, "its steps took no energy that could be read")


def check_coverage(record: RunRecord, domains: Iterable[DomainRecord]) -> None:
    """Refuse a run whose readings leave gaps that could hide a change.

    Raises:
        ConfigError: Readings of a domain cover less than :data:`LEAST_COVERAGE` of the run.
    """
    for domain in domains:
        if domain.coverage_ratio < LEAST_COVERAGE:
            covered = f"readings of {domain.name} cover {domain.coverage_ratio:.0%} of it"
            raise _unfit(record, f"{covered}, and {LEAST_COVERAGE:.0%} are needed")


def _unfit(record: RunRecord, reason: str) -> ConfigError:
    return ConfigError("run", record.run_id, f"{reason}.")


def _per_step(count: int | None, steps: int) -> float | None:
    return count / steps if count else None


def _entry(values: object) -> Cost:
    cost = read(Cost, values)
    if not cost.joules_per_step > 0:
        raise Misfit("has no energy to compare with", "parts")
    if len(cost.runs) > MOST_RUNS:
        raise Misfit(f"has more than {MOST_RUNS:,} runs", "runs")
    return cost
