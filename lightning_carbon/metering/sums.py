"""Tallies as figures: what a journal, a row and a record say of them. Functions of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.carbon.footprint import mass_of
from lightning_carbon.energy.phases import Part
from lightning_carbon.energy.readings import Provenance
from lightning_carbon.records.journal import Beat, DomainFacts, PartBeat, PhaseBeat
from lightning_carbon.records.power_profile import Height, Strand
from lightning_carbon.records.rows import Row
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.energy.attribution import Tally
    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.records.journal import RankPart
    from lightning_carbon.records.run import Status


def roots_of(sensors: Sequence[Sensor]) -> tuple[int, ...]:
    """The indices of the domains that no other metered domain includes; totals sum over these."""
    known = {sensor.domain.id for sensor in sensors}
    return tuple(index for index, sensor in enumerate(sensors) if sensor.domain.parent not in known)


class Sums(NamedTuple):
    """What one rank, or several, have used since some moment; sums over the domains that are credited to them.

    Args:
        kinds: Energy in microjoules by kind of domain, children of other domains included.
        total: Energy in microjoules of the domains that no other includes.
        step: The energy of the steps in microjoules.
        samples: How many samples they had; ``None`` where nobody told.
        tokens: How many tokens they had; ``None`` where nobody told.
        covered: The covered nanoseconds of the domains that no other includes.
        roots: How many such domains there are.
        expected: The nanoseconds of those domains that readings should cover.
        silent: How many of those domains belong to ranks that have not written for a while.
        phases: Energy in microjoules by phase, of those domains.
    """

    kinds: dict[str, int]
    total: int = 0
    step: int = 0
    samples: int | None = None
    tokens: int | None = None
    covered: int = 0
    roots: int = 0
    expected: int = 0
    silent: int = 0
    phases: dict[str, int] = {}  # noqa: RUF012 - never changed

    def plus(self, other: Sums, sign: int = 1) -> Sums:
        """Add what others have used, or take off what was known of it before (``sign=-1``)."""
        return Sums(
            _added(self.kinds, other.kinds, sign),
            self.total + sign * other.total,
            self.step + sign * other.step,
            _plus(self.samples, other.samples, sign),
            _plus(self.tokens, other.tokens, sign),
            self.covered + sign * other.covered,
            self.roots if sign < 0 else self.roots + other.roots,
            self.expected + sign * other.expected,
            self.silent if sign < 0 else self.silent + other.silent,
            _added(self.phases, other.phases, sign),
        )


def own_sums(tally: Tally, sensors: Sequence[Sensor], roots: Sequence[int]) -> Sums:
    """What this rank has used."""
    kinds: dict[str, int] = {}
    for index, sensor in enumerate(sensors):
        kind = sensor.domain.kind.value
        kinds[kind] = kinds.get(kind, 0) + tally.microjoules(index)
    return Sums(
        kinds,
        sum(tally.microjoules(index) for index in roots),
        sum(tally.step_microjoules[index] for index in roots),
        tally.samples,
        tally.tokens,
        sum(tally.covered(index) for index in roots),
        len(roots),
        (tally.end_ns - tally.start_ns) * len(roots),
        0,
        {phase.value: sum(share.microjoules[index] for index in roots) for phase, share in tally.phases.items()},
    )


def others_sums(
    parts: Sequence[RankPart], host_id: str, domains: Sequence[DomainFacts], silent: Collection[int] = ()
) -> Sums:
    """What the other ranks have used so far, without the hardware that is credited to this one.

    Args:
        parts: What the other ranks have written.
        host_id: The host of this rank.
        domains: What this rank meters.
        silent: The ranks that have not written for a while.

    Who is credited must not change while a run goes on, or rows would jump: the lowest rank that meters a domain is.
    """
    sums = Sums({})
    for part, fresh, roots in _credited(parts, host_id, domains):
        header, beat = part.header, part.beat
        kinds: dict[str, int] = {}
        for index in fresh:
            kind = header.domains[index].kind
            kinds[kind] = kinds.get(kind, 0) + beat.uj(index)
        sums = sums.plus(
            Sums(
                kinds,
                sum(beat.uj(index) for index in roots),
                sum(beat.step_uj[index] for index in roots),
                beat.samples,
                beat.tokens,
                sum(beat.covered_ns(index) for index in roots),
                len(roots),
                beat.ns * len(roots),
                len(roots) if header.rank in silent else 0,
                {name: sum(phase.uj[index] for index in roots) for name, phase in beat.phases.items()},
            )
        )
    return sums


def _credited(
    parts: Sequence[RankPart], host_id: str, domains: Sequence[DomainFacts]
) -> Iterator[tuple[RankPart, list[int], list[int]]]:
    """Every other rank with the indices of the domains that are credited to it, and of those no other includes."""
    seen = {(host_id, domain.id) for domain in domains}
    for part in sorted(parts, key=lambda one: one.header.rank):
        header = part.header
        fresh = [index for index, one in enumerate(header.domains) if (header.host_id, one.id) not in seen]
        here = {domain.id for domain in header.domains}
        roots = [index for index in fresh if header.domains[index].parent not in here]
        seen.update((header.host_id, header.domains[index].id) for index in fresh)
        yield part, fresh, roots


def height_of(whole: Tally, sensors: Sequence[Sensor], roots: Sequence[int]) -> Height:
    """What this rank has used since the start, for the power profile of the run."""
    microjoules: dict[Strand, int] = {}
    covered: dict[Strand, int] = {}
    for index in roots:
        sensor = sensors[index]
        strand = Strand(sensor.domain.kind.value, not sensor.provenance.is_measured)
        microjoules[strand] = microjoules.get(strand, 0) + whole.microjoules(index)
        covered[strand] = covered.get(strand, 0) + whole.covered(index)
    phases = {phase.value: share.nanoseconds for phase, share in whole.phases.items()}
    return Height(whole.end_ns - whole.start_ns, microjoules, covered, phases)


def others_height(
    parts: Sequence[RankPart], host_id: str, domains: Sequence[DomainFacts], silent: Collection[int] = ()
) -> Height | None:
    """What the other ranks have used since their starts, by the mean of their clocks, for the power profile of the run.

    Args:
        parts: What the other ranks have written.
        host_id: The host of this rank.
        domains: What this rank meters.
        silent: The ranks that have not written for a while; their time stands still.

    Returns:
        The height, or ``None`` where no other rank has hardware of its own and writes.
    """
    microjoules: dict[Strand, int] = {}
    covered: dict[Strand, int] = {}
    clocks = []
    for part, _, roots in _credited(parts, host_id, domains):
        for index in roots:
            facts = part.header.domains[index]
            strand = Strand(facts.kind, facts.provenance == Provenance.MODELLED)
            microjoules[strand] = microjoules.get(strand, 0) + part.beat.uj(index)
            covered[strand] = covered.get(strand, 0) + part.beat.covered_ns(index)
        if roots and part.header.rank not in silent:
            clocks.append(part.beat.ns)
    return Height(sum(clocks) // len(clocks), microjoules, covered, {}) if clocks else None


def row_of(
    tally: Tally,
    since: Sums,
    whole: Sums,
    *,
    pue: PowerUsage,
    intensity: Intensity,
    ranks: int = 1,
    heard_of: float = 1.0,
) -> Row:
    """The row that a tally amounts to.

    Args:
        tally: What this rank used since the row before.
        since: What all ranks used since then, as far as is known.
        whole: What all ranks used since the start, as far as is known.
        pue: What the energy is priced with.
        intensity: What the energy is priced with.
        ranks: How many ranks are in the sums and still write.
        heard_of: The share of the run's ranks that has ever written; of the others, no reading is known.
    """
    seconds = (tally.end_ns - tally.start_ns) / NANOSECONDS_PER_SECOND
    if not since.roots and not since.kinds:
        return Row(seconds, None, None, None, None, None, steps=tally.steps, samples=since.samples, tokens=since.tokens)
    # Other ranks write at a pace of their own, and are held to the time that they have written of; those that have
    # stopped writing, to the time that this row is of.
    expected_ns = since.expected + since.silent * (tally.end_ns - tally.start_ns)
    return Row(
        seconds=seconds,
        total_joules=_joules(since.total),
        coverage_ratio=heard_of * (min(1.0, since.covered / expected_ns) if expected_ns > 0 else 1.0),
        grams_co2e=mass_of(Energy(since.total), pue, intensity).grams,
        run_joules=_joules(whole.total),
        run_grams_co2e=mass_of(Energy(whole.total), pue, intensity).grams,
        kind_joules={kind: _joules(microjoules) for kind, microjoules in since.kinds.items()},
        phase_joules={phase: _joules(microjoules) for phase, microjoules in since.phases.items()},
        steps=tally.steps,
        step_joules=_joules(since.step) if tally.steps else None,
        samples=since.samples,
        tokens=since.tokens,
        ranks=ranks,
    )


def facts_of(sensor: Sensor) -> DomainFacts:
    """What a journal says of a sensor."""
    domain = sensor.domain
    return DomainFacts(
        id=domain.id,
        kind=domain.kind.value,
        name=domain.name,
        provenance=sensor.provenance.value,
        uncertainty_ratio=sensor.uncertainty_ratio,
        method=sensor.method,
        parent=domain.parent,
    )


def beat_of(
    whole: Tally, lost: Sequence[str | None], lost_at_ns: Sequence[int | None], at_seconds: float, status: Status
) -> Beat:
    """What a rank has used so far, as its journal has it.

    Args:
        whole: What was used since the start.
        lost: Why each sensor was lost, or ``None``.
        lost_at_ns: When, on the meter's clock, or ``None``.
        at_seconds: Now, in seconds since 1970.
        status: How the rank stands.
    """
    return Beat(
        at=at_seconds,
        status=status.value,
        ns=whole.end_ns - whole.start_ns,
        steps=whole.steps,
        samples=whole.samples,
        tokens=whole.tokens,
        step_ns=whole.step_nanoseconds,
        step_uj=tuple(whole.step_microjoules),
        phases={
            phase.value: PhaseBeat(share.nanoseconds, tuple(share.microjoules), tuple(share.covered))
            for phase, share in whole.phases.items()
        },
        lost=tuple(lost),
        lost_ns=tuple(None if at_ns is None else at_ns - whole.start_ns for at_ns in lost_at_ns),
        parts={
            phase.value: {
                part.value: PartBeat(share.parts[part].nanoseconds, tuple(share.parts[part].microjoules))
                for part in Part
                if part in share.parts
            }
            for phase, share in whole.phases.items()
            if share.parts.keys() - {Part.OTHER}  # else nobody told anything apart
        },
    )


def _added(left: dict[str, int], right: dict[str, int], sign: int) -> dict[str, int]:
    sums = dict(left)
    for name, uj in right.items():
        sums[name] = sums.get(name, 0) + sign * uj
    return sums


def _joules(microjoules: int) -> float:
    return microjoules / MICROJOULES_PER_JOULE


def _plus(left: int | None, right: int | None, sign: int) -> int | None:
    if right is None:
        return left
    return (left or 0) + sign * right
