"""One sum over all ranks, the own rank first: what has been used since the start, and rows as differences of two sums.

Every rank comes as what its journal says, the own rank, too: its part is made when it is asked for, those of the others
are as old as their last beat.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.carbon.footprint import mass_of
from lightning_carbon.energy.readings import Provenance
from lightning_carbon.records.merging import Credit, credited
from lightning_carbon.records.power_profile import Height, Strand
from lightning_carbon.records.rows import Row
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.records.journal import RankPart


class Sums(NamedTuple):
    """What all ranks have used since their starts, as far as is known; sums over hardware that counts once.

    Args:
        ns: How long the own rank has run, in nanoseconds.
        steps: How many steps the own rank has taken; all ranks take the same steps together.
        phase_ns: How long each phase of the own rank has lasted.
        kinds: Energy in microjoules by kind of domain, children of other domains included.
        phases: Energy in microjoules by phase, of the domains that no other includes.
        total: Energy in microjoules of those domains.
        step: The part of it that steps have used.
        samples: How many samples the steps of all ranks had; ``None`` where nobody told.
        tokens: How many tokens they had; ``None`` where nobody told.
        covered: The nanoseconds of those domains that readings cover.
        expected: The nanoseconds of those domains that readings should cover.
        roots: How many such domains there are.
        silent: How many of them belong to ranks that have not written for a while.
    """

    ns: int
    steps: int
    phase_ns: Mapping[str, int]
    kinds: Mapping[str, int]
    phases: Mapping[str, int]
    total: int
    step: int
    samples: int | None
    tokens: int | None
    covered: int
    expected: int
    roots: int
    silent: int


NOTHING = Sums(0, 0, {}, {}, {}, 0, 0, None, None, 0, 0, 0, 0)
"""Where every run begins."""


def first_credits(parts: Iterable[RankPart]) -> list[Credit]:
    """Every piece of hardware once, credited to the first part that meters it.

    Unlike a record, which credits the rank that has covered the most: while a run goes on the credit must not change,
    or rows would jump.

    Args:
        parts: What the ranks have written, the own one first and the others in the order of ranks.
    """
    first: dict[tuple[str, str], tuple[RankPart, int]] = {}
    for part in parts:
        for place, domain in enumerate(part.header.domains):
            first.setdefault((part.header.host_id, domain.id), (part, place))
    return credited(first.values())


def sums_of(parts: Sequence[RankPart], silent: Collection[int] = ()) -> Sums:
    """Add up what all ranks have used.

    Args:
        parts: What the ranks have written, the own one first and the others in the order of ranks.
        silent: The ranks that have not written for a while.
    """
    own = parts[0].beat
    kinds: dict[str, int] = {}
    phases: dict[str, int] = {}
    total = step = covered = expected = roots = without_word = 0
    for credit in first_credits(parts):
        beat, place, kind = credit.part.beat, credit.place, credit.domain.kind
        microjoules = beat.uj(place)
        kinds[kind] = kinds.get(kind, 0) + microjoules
        if not credit.is_root:
            continue
        total += microjoules
        step += beat.step_uj[place]
        covered += beat.covered_ns(place)
        expected += beat.ns
        roots += 1
        without_word += credit.part.header.rank in silent
        for name, phase in beat.phases.items():
            phases[name] = phases.get(name, 0) + phase.uj[place]
    return Sums(
        ns=own.ns,
        steps=own.steps,
        phase_ns={name: phase.ns for name, phase in own.phases.items()},
        kinds=kinds,
        phases=phases,
        total=total,
        step=step,
        samples=_sum(part.beat.samples for part in parts),
        tokens=_sum(part.beat.tokens for part in parts),
        covered=covered,
        expected=expected,
        roots=roots,
        silent=without_word,
    )


def row_between(
    before: Sums,
    now: Sums,
    *,
    pue: PowerUsage,
    intensity: Intensity,
    ranks: int = 1,
    heard_of: float = 1.0,
) -> Row:
    """The row from one sum to a later one.

    Args:
        before: What had been used at the row before.
        now: What has been used.
        pue: What the energy is priced with.
        intensity: What the energy is priced with.
        ranks: How many ranks are in the sums and still write.
        heard_of: The share of the run's ranks that has ever written; of the others, no reading is known.

    Returns:
        The row. Where no time has been settled since the row before, nothing is known of its energy, which is absent.
    """
    ns, steps, total = now.ns - before.ns, now.steps - before.steps, now.total - before.total
    row = Row(
        seconds=ns / NANOSECONDS_PER_SECOND,
        total_joules=None,
        coverage_ratio=None,
        grams_co2e=None,
        run_joules=Energy(now.total).joules if now.kinds else None,
        run_grams_co2e=mass_of(Energy(now.total), pue, intensity).grams if now.kinds else None,
        steps=steps,
        step_joules=Energy(now.step - before.step).joules if steps and now.kinds else None,
        samples=_rise(before.samples, now.samples),
        tokens=_rise(before.tokens, now.tokens),
        ranks=ranks if now.kinds else 1,
    )
    if not now.kinds or not (ns or total):
        return row
    # Other ranks write at a pace of their own, and are held to the time that they have written of; those that have
    # stopped writing, to the time that this row is of.
    expected_ns = now.expected - before.expected + now.silent * ns
    phases = {name: microjoules - before.phases.get(name, 0) for name, microjoules in now.phases.items()}
    lasted = {name for name, phase_ns in now.phase_ns.items() if phase_ns > before.phase_ns.get(name, 0)}
    return replace(
        row,
        total_joules=Energy(total).joules,
        coverage_ratio=heard_of * (min(1.0, (now.covered - before.covered) / expected_ns) if expected_ns > 0 else 1.0),
        grams_co2e=mass_of(Energy(total), pue, intensity).grams,
        kind_joules={
            kind: Energy(microjoules - before.kinds.get(kind, 0)).joules for kind, microjoules in now.kinds.items()
        },
        phase_joules={
            name: Energy(microjoules).joules for name, microjoules in phases.items() if microjoules or name in lasted
        },
    )


def height_of(parts: Sequence[RankPart], *, without: Sequence[RankPart] = (), silent: Collection[int] = ()) -> Height:
    """What ranks have used since their starts, for the power profile of the run.

    Args:
        parts: What the ranks have written, at least one; the phases are those of the first one.
        without: Parts whose hardware is not counted. Where there are any, the moment is the mean of the clocks of
            ``parts``, and else that of the first one.
        silent: The ranks that have not written for a while; their clocks stand still, and do not count.

    Returns:
        The height; at 0 nanoseconds where no rank with hardware of its own still writes.
    """
    microjoules: dict[Strand, int] = {}
    covered: dict[Strand, int] = {}
    clocks: dict[int, int] = {}
    for credit in first_credits([*without, *parts]):
        part, place = credit.part, credit.place
        if not credit.is_root or any(part is other for other in without):
            continue
        strand = Strand(credit.domain.kind, credit.domain.provenance == Provenance.MODELLED)
        microjoules[strand] = microjoules.get(strand, 0) + part.beat.uj(place)
        covered[strand] = covered.get(strand, 0) + part.beat.covered_ns(place)
        if part.header.rank not in silent:
            clocks[part.header.rank] = part.beat.ns
    mean_ns = sum(clocks.values()) // len(clocks) if clocks else 0
    phases = {name: phase.ns for name, phase in parts[0].beat.phases.items()}
    return Height(mean_ns if without else parts[0].beat.ns, microjoules, covered, phases)


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _rise(before: int | None, now: int | None) -> int | None:
    """How many came; ``None`` where nobody told."""
    return None if now is None else now - (before or 0) or None
