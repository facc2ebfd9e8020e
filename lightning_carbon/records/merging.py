"""The record of a run, made from its ranks' journals, and right whichever of them are still alive. Pure.

A domain that several ranks of a host meter is a single piece of hardware and counts once: the rank whose readings cover
most of it is credited, of several equals the lowest. Everything else adds up.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lightning_carbon.carbon.footprint import footprint
from lightning_carbon.carbon.rest import Boundary
from lightning_carbon.carbon.series import joined
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.phases import parts_in_order, phases_in_order
from lightning_carbon.ports import Finding
from lightning_carbon.records.accounting import market_of, scopes_of, water_of
from lightning_carbon.records.conditions import device_record
from lightning_carbon.records.credits import by_role, credits_of
from lightning_carbon.records.folding import folded
from lightning_carbon.records.joined import expected_ns, trainers
from lightning_carbon.records.lineage import with_lineage
from lightning_carbon.records.machines import machine_record
from lightning_carbon.records.module_table import modules_record
from lightning_carbon.records.overlaps import merged
from lightning_carbon.records.run import (
    SCHEMA,
    CarbonRecord,
    DomainRecord,
    EnergyRecord,
    RankRecord,
    RunRecord,
    Status,
)
from lightning_carbon.records.waste_rules import waste_of
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Energy
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lightning_carbon.records.credits import Credit
    from lightning_carbon.records.journal import Beat, RankPart

_MODELLED = "modelled"
_REST = "other"
"""The part of a phase for the energy that a rank did not split, where another rank did."""

_WORST_FIRST = (Status.FAILED, Status.INTERRUPTED, Status.PRUNED, Status.RUNNING, Status.COMPLETED)


def record_of(parts: Sequence[RankPart], *, status: Status | None = None, location: str | None = None) -> RunRecord:
    """The record of a run.

    Args:
        parts: The parts of its ranks, at least one; of a rank that is given twice, the later beat counts.
        status: The status of the run, where that is known better than when the ranks last wrote.
        location: Where the record lies.
    """
    newest: dict[int, RankPart] = {}
    for part in parts:
        known = newest.get(part.header.rank)
        if known is None or (part.beat.ns, part.beat.at) >= (known.beat.ns, known.beat.at):
            newest[part.header.rank] = part
    ranks = folded([newest[rank] for rank in sorted(newest)])
    first = ranks[0]
    hardware = credits_of(ranks)
    longest_ns = max(part.beat.ns for part in ranks)
    hosts = _hosts(ranks)
    training = trainers(ranks)
    stands = status or _worst(Status(part.beat.status) for part in training)
    energy, total = _energy(hardware, first, longest_ns, hosts=hosts)
    energy = replace(energy, roles=by_role(ranks, hardware))
    machine = machine_record(ranks, _chips(hardware), hosts) if hardware else None
    roots = [credit for credit in hardware if credit.is_root]
    of_rank: dict[int, list[Credit]] = {part.header.rank: [] for part in ranks}
    for credit in hardware:
        if not credit.is_overruled:
            of_rank[credit.part.header.rank].append(credit)
    step_uj = sum(credit.part.beat.step_uj[credit.place] for credit in roots if credit.part in training)
    record = RunRecord(
        schema=SCHEMA,
        run_id=first.header.run_id,
        project=first.header.project,
        run_name=first.header.run_name,
        status=stands.value,
        started_at=iso(min(part.header.started_at for part in ranks)),
        ended_at=None if stands is Status.RUNNING else iso(max(_end(part) for part in ranks)),
        duration_seconds=longest_ns / NANOSECONDS_PER_SECOND,
        # The ranks take each step together, but each has its own samples.
        steps=max(part.beat.steps for part in training),
        samples=_sum(part.beat.samples for part in training),
        tokens=_sum(part.beat.tokens for part in training),
        phase_seconds={name: phase.ns / NANOSECONDS_PER_SECOND for name, phase in first.beat.phases.items()},
        step_joules=_joules(step_uj) if roots and any(part.beat.steps for part in training) else None,
        host=dict(first.header.host),
        energy=energy,
        carbon=_carbon(total if hardware else None, ranks, machine=None if machine is None else machine[1]),
        world_size=first.header.world_size + sum(part.header.role is not None for part in ranks if part is not first),
        ranks=tuple(_rank(part, of_rank[part.header.rank], hosts[part.header.host_id]) for part in ranks),
        location=location,
        part_seconds={
            name: {part: used.ns / NANOSECONDS_PER_SECOND for part, used in parts.items()}
            for name, parts in first.beat.parts.items()
        },
        overlaps=merged(overlap for part in ranks for overlap in part.beat.overlaps),
        machine=None if machine is None else machine[0],
        tokens_with_padding=_any(part.beat.tokens_with_padding for part in ranks),
        waste=waste_of(training, hardware),
        water=water_of((total if machine is None else machine[1]) if hardware else None, first.header.wue),
        budget=None if first.beat.ahead is None else first.beat.ahead.budget_record,
        subject=first.header.subject,
        modules=modules_record([(part.beat.modules, _step_uj(part, roots)) for part in training], step_uj),
        trial=first.header.trial,
        accepted=_sum(part.beat.accepted for part in ranks),
        model=next((part.beat.model for part in training if part.beat.model is not None), None),
    )
    if stands is not Status.RUNNING:
        # Draws take some milliseconds, which a run under way has no need of.
        from lightning_carbon.records.intervals import with_intervals

        record = with_intervals(record, [(credit.part, credit.place) for credit in roots], ranks)
    # Every rank loads the same checkpoint; the statement of the first rank counts.
    return with_lineage(record, next((part.beat.resumed for part in ranks if part.beat.resumed is not None), None))


def _step_uj(part: RankPart, roots: Iterable[Credit]) -> int:
    """The energy of the steps of a rank, in microjoules, of what is credited to it."""
    return sum(part.beat.step_uj[credit.place] for credit in roots if credit.part.header.rank == part.header.rank)


def iso(seconds: float) -> str:
    """A moment as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _energy(
    hardware: Sequence[Credit], first: RankPart, longest_ns: int, *, hosts: Mapping[str, str]
) -> tuple[EnergyRecord, Bounds[Energy]]:
    domains = []
    phases_uj: dict[str, int] = {}
    parts_uj: dict[str, dict[str, int]] = {}
    told_apart = {name for credit in hardware if credit.is_root for name in credit.part.beat.parts}
    total = Bounds.exactly(Energy.ZERO)
    measured_uj = covered_ns = lasted_ns = 0
    overruled: list[Finding] = []
    for credit in hardware:
        beat, index = credit.part.beat, credit.place
        sensor = beat.sensor(index)
        domain = sensor.applied_to(credit.domain)
        uj = beat.uj(index)
        low, high = domain.range.ends(uj, beat.covered_ns(index))
        if credit.is_root:
            total += Bounds(Energy(uj), Energy(low), Energy(high))
            measured_uj += uj if domain.provenance != _MODELLED else 0
            covered_ns += beat.covered_ns(index)
            lasted_ns += expected_ns(credit.part, longest_ns)
            for name, phase in beat.phases.items():
                phases_uj[name] = phases_uj.get(name, 0) + phase.uj[index]
                if name in told_apart:
                    sums = parts_uj.setdefault(name, {})
                    for part, part_uj in _parts(beat, name, index).items():
                        sums[part] = sums.get(part, 0) + part_uj
        prefix = f"{hosts[credit.part.header.host_id]}/" if len(hosts) > 1 else ""
        if credit.is_overruled:
            overruled.append(_overruled(credit, hardware, prefix))
            continue
        domains.append(
            DomainRecord(
                id=prefix + domain.id,
                kind=domain.kind,
                name=domain.name,
                joules=_joules(uj),
                provenance=domain.provenance,
                coverage_ratio=_ratio(beat.covered_ns(index), expected_ns(credit.part, longest_ns)),
                uncertainty_ratio=domain.uncertainty_ratio,
                method=domain.method,
                parent=prefix + domain.parent if domain.parent else None,
                lost=beat.lost[index] if index < len(beat.lost) else None,
                lost_after_seconds=_seconds(beat.lost_ns[index]) if index < len(beat.lost_ns) else None,
                phases={name: _joules(phase.uj[index]) for name, phase in beat.phases.items()},
                parts={
                    name: {part: _joules(uj) for part, uj in _parts(beat, name, index).items()} for name in beat.parts
                },
                step_joules=_joules(beat.step_uj[index]) if beat.steps else None,
                counter_to_power_ratio=sensor.counter_to_power_ratio,
                cadence_seconds=_seconds(_cadence_ns(beat, index)),
                unresolved=_unresolved(beat, index),
                replaced=sensor.replaced,
                replaced_after_seconds=_seconds(sensor.replaced_ns),
                low_joules=_joules(low),
                high_joules=_joules(high),
                device=device_record(beat.condition(index)),
            )
        )
    parts = {name: {part: _joules(sums[part]) for part in parts_in_order(sums)} for name, sums in parts_uj.items()}
    phases = {
        name: float(sum(parts[name].values())) if name in parts else _joules(phases_uj[name])
        for name in phases_in_order(phases_uj)
    }
    record = EnergyRecord(
        # The sum of the very numbers under `phases`, which a reader's sum therefore equals to the last bit; a phase is
        # the sum of its parts in the same way.
        total_joules=float(sum(phases.values())) if hardware else None,
        measured_joules=_joules(measured_uj),
        modelled_joules=_joules(total.value.microjoules - measured_uj),
        low_joules=total.low.joules,
        high_joules=total.high.joules,
        coverage_ratio=_ratio(covered_ns, lasted_ns) if any(credit.is_root for credit in hardware) else 0.0,
        domains=tuple(domains),
        phases=phases,
        absent=(*first.header.absent, *overruled),
        parts=parts,
    )
    return record, total


def _overruled(credit: Credit, hardware: Sequence[Credit], prefix: str) -> Finding:
    """The finding on a domain whose parts count in its stead; without it they would be inside nothing."""
    host, domain = credit.part.header.host_id, credit.domain
    inside = [
        inner.part.beat.uj(inner.place)
        for inner in hardware
        if inner.part.header.host_id == host and inner.domain.parent == domain.id
    ]
    own = credit.part.beat.uj(credit.place)
    reason = (
        f"it counted {_joules(own):.3g} J, and what should be inside of it {_joules(sum(inside)):.3g} J, "
        "so its parts count in its stead"
    )
    return Finding(domain.kind, f"{prefix}{domain.name}", reason=reason)


def _parts(beat: Beat, phase: str, index: int) -> dict[str, int]:
    """The energy of a domain by part of a phase, in microjoules; a single part where the rank did not split it."""
    told = beat.parts.get(phase)
    if told is None:
        return {_REST: beat.phases[phase].uj[index]}
    return {name: used.uj[index] for name, used in told.items()}


def _cadence_ns(beat: Beat, index: int) -> int | None:
    return beat.cadence_ns[index] if index < len(beat.cadence_ns) else None


def _unresolved(beat: Beat, index: int) -> dict[str, tuple[str, ...]]:
    """The parts of phases that last less at a time than the news of a sensor are apart."""
    cadence_ns = _cadence_ns(beat, index) or 0
    short = {
        phase: tuple(part for part, used in parts.items() if 0 < used.ns < cadence_ns * used.visits)
        for phase, parts in beat.parts.items()
    }
    return {phase: parts for phase, parts in short.items() if parts}


def _chips(hardware: Iterable[Credit]) -> dict[str, Bounds[Energy]]:
    """What the chips of each host have used."""
    chips: dict[str, Bounds[Energy]] = {}
    for credit in hardware:
        if credit.is_root:
            beat, place = credit.part.beat, credit.place
            uj = beat.uj(place)
            low, high = beat.sensor(place).applied_to(credit.domain).range.ends(uj, beat.covered_ns(place))
            energy = Bounds(Energy(uj), Energy(low), Energy(high))
            host = credit.part.header.host_id
            chips[host] = chips.get(host, Bounds.exactly(Energy.ZERO)) + energy
    return chips


def _carbon(chips: Bounds[Energy] | None, ranks: Sequence[RankPart], *, machine: Bounds[Energy] | None) -> CarbonRecord:
    intensity, pue = ranks[0].header.intensity, ranks[0].header.pue
    uses = [(part.beat.series, _used_joules(part)) for part in ranks if part.beat.series is not None]
    series = joined(uses) if uses else None
    if series is not None:
        intensity = series.intensity
    if chips is None:
        return CarbonRecord(None, None, None, intensity, pue, series=series)
    boundary = Boundary.CHIPS if machine is None else Boundary.MACHINE
    energy = machine or chips
    priced = footprint(energy, pue, intensity)
    mass = priced.value.grams, priced.low.grams, priced.high.grams
    market = market_of(energy, pue, ranks[0].header.market_intensity)
    scopes = scopes_of(energy.value, pue, intensity)
    return CarbonRecord(*mass, intensity, pue, boundary.value, series, market, scopes)


def _used_joules(part: RankPart) -> float:
    """What the hardware of a rank has used, for its weight in a price."""
    return _joules(sum(part.beat.uj(place) for place in range(len(part.header.domains))))


def _hosts(ranks: Sequence[RankPart]) -> dict[str, str]:
    """The name of each host, in the order of their first ranks; hosts of the same name are numbered from the second."""
    called: dict[str, str] = {}
    seen: dict[str, int] = {}
    for part in ranks:
        if part.header.host_id not in called:
            name = str(part.header.host.get("name"))
            seen[name] = seen.get(name, 0) + 1
            called[part.header.host_id] = name if seen[name] == 1 else f"{name}#{seen[name]}"
    return called


def _rank(part: RankPart, mine: Sequence[Credit], host: str) -> RankRecord:
    uj = sum(part.beat.uj(credit.place) for credit in mine if credit.is_root)
    seconds = part.beat.ns / NANOSECONDS_PER_SECOND
    return RankRecord(
        rank=part.header.rank,
        host=host,
        devices=[credit.domain.id for credit in mine],
        joules=_joules(uj),
        mean_watts=_joules(uj) / seconds if mine and seconds else None,
        steps=part.beat.steps,
        duration_seconds=seconds,
        status=part.beat.status,
        step_clock=part.beat.step_clock,
        step_clock_reason=part.beat.step_clock_reason,
        missing_steps=part.beat.missing_steps,
        missing_steps_reason=part.beat.missing_steps_reason,
        role=part.header.role,
    )


def _end(part: RankPart) -> float:
    """When a rank last wrote, in seconds since 1970; never before its start, even if its clock was set back."""
    return max(part.beat.at, part.header.started_at + part.beat.ns / NANOSECONDS_PER_SECOND)


def _worst(statuses: Iterable[Status]) -> Status:
    return min(statuses, key=_WORST_FIRST.index)


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _any(values: Iterable[bool | None]) -> bool | None:
    known = [value for value in values if value is not None]
    return any(known) if known else None


def _ratio(part: int, whole: int) -> float:
    return min(1.0, part / whole) if whole else 1.0


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / NANOSECONDS_PER_SECOND


def _joules(uj: int) -> float:
    return uj / MICROJOULES_PER_JOULE
