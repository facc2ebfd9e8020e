"""What one rank writes down while it runs: who it is, once, and what it has used so far, at every beat. Pure.

A journal is lines of JSON: a header, then beats. Every beat has the totals so far, not the difference to the one
before, so the last whole line of a file is all that is needed of it, and a line that a kill has torn costs one beat.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.errors import NewerSchema, RecordError
from lightning_carbon.ports import Finding
from lightning_carbon.records.fields import known, plain
from lightning_carbon.records.lineage import Resumed, resumed_from
from lightning_carbon.records.run import Status

JOURNAL_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """What does not change about a domain during a run; the fields are those of a domain in a record."""

    id: str
    kind: str
    name: str
    provenance: str
    uncertainty_ratio: float
    method: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """Who writes.

    Args:
        schema: The version of the journal.
        run_id: The run.
        project: What the run belongs to.
        run_name: What the user calls it.
        rank: The number of this process in the run, from 0.
        local_rank: The number of this process on its host, from 0.
        world_size: How many processes the run has.
        host_id: The same for all processes of one host, and for no other.
        pid: The process.
        pid_started: When the process started, in seconds since 1970; tells it from a later one of the same number.
        started_at: When the run started here, in seconds since 1970.
        host: What is told about the machine.
        domains: What is metered here, in the order that beats have it.
        absent: What could not be metered here.
        intensity: What the run is priced with.
        pue: What the run is priced with.
    """

    schema: int
    run_id: str
    project: str
    run_name: str | None
    rank: int
    local_rank: int
    world_size: int
    host_id: str
    pid: int
    pid_started: float | None
    started_at: float
    host: dict[str, str | int | None]
    domains: tuple[DomainFacts, ...]
    absent: tuple[Finding, ...]
    intensity: Intensity
    pue: PowerUsage


@dataclass(frozen=True, slots=True)
class PhaseBeat:
    """What one phase has used so far.

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
    """What one part of a phase has used so far.

    Args:
        ns: How long it lasted.
        uj: Its energy in microjoules on every domain.
    """

    ns: int
    uj: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Beat:
    """What a rank has used so far.

    Args:
        at: When this was written, in seconds since 1970.
        status: How the rank stands.
        ns: How long it has run.
        steps: How many steps have ended.
        samples: How many samples they had, where known.
        tokens: How many tokens they had, where known.
        step_ns: How long those steps took.
        step_uj: Their energy on every domain.
        phases: What each phase has used.
        lost: Why each domain was lost, or ``None``.
        lost_ns: How long after the start of the run each was lost, or ``None``; empty in journals of before.
        resumed: Which training this run goes on with, or ``None``.
        parts: What each part of a phase has used, for the phases that were told apart; they add up to the phase.
        steps_per_epoch: How many steps an epoch has, where the trainer knows.
    """

    at: float
    status: str
    ns: int
    steps: int
    samples: int | None
    tokens: int | None
    step_ns: int
    step_uj: tuple[int, ...]
    phases: dict[str, PhaseBeat] = field(default_factory=dict)
    lost: tuple[str | None, ...] = ()
    lost_ns: tuple[int | None, ...] = ()
    resumed: Resumed | None = None
    parts: dict[str, dict[str, PartBeat]] = field(default_factory=dict)
    steps_per_epoch: float | None = None

    def uj(self, index: int) -> int:
        """The energy of all phases on one domain, in microjoules."""
        return sum(phase.uj[index] for phase in self.phases.values())

    def covered_ns(self, index: int) -> int:
        """The covered nanoseconds of all phases on one domain."""
        return sum(phase.covered_ns[index] for phase in self.phases.values())


@dataclass(frozen=True, slots=True)
class RankPart:
    """The part of one rank in a run.

    Args:
        header: Who it is.
        beat: What it has used so far.
    """

    header: Header
    beat: Beat


def header_mapping(header: Header) -> dict[str, Any]:
    """A header as plain values."""
    mapping: dict[str, Any] = plain(header)
    return mapping


def beat_mapping(beat: Beat) -> dict[str, Any]:
    """A beat as plain values."""
    return asdict(beat)


def part_of(header: dict[str, Any], beat: dict[str, Any]) -> RankPart:
    """Read the first and the last line of a journal; keys that this version does not know are ignored.

    Raises:
        RecordError: They are no journal, or one of a newer schema.
    """
    try:
        if int(header["schema"]) > JOURNAL_SCHEMA:
            message = f"the journal has schema {header['schema']}, this version reads up to {JOURNAL_SCHEMA}"
            raise NewerSchema(message)
        domains = tuple(known(DomainFacts, one) for one in header["domains"])
        whole = {
            **header,
            "domains": domains,
            "absent": tuple(known(Finding, one) for one in header["absent"]),
            "intensity": known(Intensity, header["intensity"]),
            "pue": known(PowerUsage, header["pue"]),
        }
        phases = {
            name: PhaseBeat(int(one["ns"]), _as_many(one["uj"], domains), _as_many(one["covered_ns"], domains))
            for name, one in beat["phases"].items()
        }
        parts = {
            phase: {name: PartBeat(int(one["ns"]), _as_many(one["uj"], domains)) for name, one in told.items()}
            for phase, told in beat.get("parts", {}).items()
        }
        last = {
            **beat,
            "status": Status(beat["status"]).value,
            "step_uj": _as_many(beat["step_uj"], domains),
            "lost": tuple(beat["lost"]),
            "lost_ns": tuple(beat.get("lost_ns", ())),
            "phases": phases,
            "resumed": resumed_from(beat.get("resumed")),
            "parts": parts,
        }
        return RankPart(known(Header, whole), known(Beat, last))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, RecordError):
            raise
        message = f"not a journal of a run: {type(error).__name__}: {error}"
        raise RecordError(message) from error


def _as_many(values: list[int], domains: tuple[DomainFacts, ...]) -> tuple[int, ...]:
    if len(values) != len(domains):
        message = f"{len(values)} figures for {len(domains)} domains"
        raise ValueError(message)
    return tuple(int(value) for value in values)
