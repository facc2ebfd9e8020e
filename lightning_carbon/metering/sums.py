"""A single sum over all ranks, this rank first: the usage since the start, with rows as differences of two sums.

Every rank comes in the form of its journal: this rank's part is made on demand, others' are as old as their last beat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.carbon.footprint import mass_of
from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.metering.device_figures import NO_CONDITIONS, conditions_at, figures_between
from lightning_carbon.records.credits import Credit, credited
from lightning_carbon.records.machines import HostChips, is_machine, sees_machines
from lightning_carbon.records.power_profile import Height, Strand
from lightning_carbon.records.rows import Row
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.energy.accuracy import Accuracy
    from lightning_carbon.energy.condition import ConditionSum
    from lightning_carbon.metering.device_figures import Conditions
    from lightning_carbon.records.journal import Header, RankPart
    from lightning_carbon.records.rows import Forecast


class SensorSum(NamedTuple):
    """What one sensor has shown: microjoules, the nanoseconds that its readings cover, and how far off it may be."""

    microjoules: int
    covered_ns: int
    accuracy: Accuracy


class Sums(NamedTuple):
    """The known usage of all ranks since their starts, summed over hardware that counts once.

    Args:
        ns: How long this rank has run, in nanoseconds.
        steps: The number of steps of this rank; all ranks take the same steps together.
        phase_ns: How long each phase of this rank has lasted.
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
        sensors: What each of them has shown, by the rank and the place that it is credited to.
        machine: Energy in microjoules of the machines at their plugs; ``None`` where only the chips are known.
        conditions: What the gauges of each GPU have shown, by the rank and the place that it is credited to.
        asked: The names of the figures of GPUs that a row has; ``None`` for all.
        accepted: How many samples were accepted; ``None`` where nobody told.
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
    sensors: Mapping[tuple[int, int], SensorSum]
    machine: int | None = None
    conditions: Conditions = NO_CONDITIONS
    asked: Collection[str] | None = None
    accepted: int | None = None

    @property
    def machine_ratio(self) -> float:
        """The energy of the machines over that of their chips; 1 where only the chips are known."""
        return self.machine / self.total if self.machine is not None and self.total else 1.0


NOTHING = Sums(0, 0, {}, {}, {}, 0, 0, None, None, 0, 0, 0, 0, {})
"""The sums at which every run begins."""


class Hardware:
    """The hardware of ranks: every piece once, credited to the first rank that meters it.

    A record credits the rank that has covered the most; during a run, however, the credit must not change, or rows
    would jump. Keep it as long as no further rank reports, as every row needs it.

    Args:
        headers: The headers of the ranks, this rank's first and the others in order.
    """

    def __init__(self, headers: Sequence[Header]) -> None:
        self._headers = tuple(headers)
        first: dict[tuple[str, str], tuple[int, int]] = {}
        for number, header in enumerate(headers):
            for place, domain in enumerate(header.domains):
                if not is_machine(domain):
                    first.setdefault((header.host_id, domain.id), (number, place))
        self.sees_machines = sees_machines(headers)
        self._hosts = [HostChips(headers, host) for host in dict.fromkeys(header.host_id for header in headers)]
        self._ranges = [tuple(domain.range for domain in header.domains) for header in headers]
        self._pieces = tuple(first.values())
        # Where no domain is inside another one, no reading changes what a total sums.
        described = [(number, place, headers[number].domains[place]) for number, place in self._pieces]
        self._is_flat = all((headers[number].host_id, domain.parent) not in first for number, _, domain in described)
        self._places: list[list[int]] = [[] for _ in headers]
        self._kinds: list[dict[str, list[int]]] = [{} for _ in headers]
        for number, place, domain in described:
            self._places[number].append(place)
            self._kinds[number].setdefault(domain.kind, []).append(place)

    def is_of(self, parts: Sequence[RankPart]) -> bool:
        """Whether the hardware is that of exactly these ranks."""
        headers = self._headers
        return len(parts) == len(headers) and all(
            part.header is header for part, header in zip(parts, headers, strict=True)
        )

    def credits(self, parts: Sequence[RankPart]) -> list[Credit]:
        """Every piece of hardware, with its credited rank."""
        return credited((parts[number], place) for number, place in self._pieces)

    def kinds(self) -> Sequence[Mapping[str, Sequence[int]]]:
        """For every rank, the places of the domains credited to it, by kind."""
        return self._kinds

    def ranges(self, number: int) -> Sequence[Accuracy]:
        """The ranges around the sensors that a rank started with, by place."""
        return self._ranges[number]

    def machine_microjoules(self, parts: Sequence[RankPart], chips_uj: Mapping[str, int]) -> int:
        """What all machines have used so far, in microjoules; those of which nothing is known, what chips have.

        Args:
            parts: The parts of these ranks.
            chips_uj: What the chips of each host have used.
        """
        return sum(host.machine_microjoules(parts, chips_uj.get(host.host_id, 0)) for host in self._hosts)

    def roots(self, parts: Sequence[RankPart]) -> Sequence[Sequence[int]]:
        """For every rank, the places of the domains credited to it that a total sums."""
        if self._is_flat:
            return self._places
        roots: list[list[int]] = [[] for _ in parts]
        for (number, place), credit in zip(self._pieces, self.credits(parts), strict=True):
            if credit.is_root:
                roots[number].append(place)
        return roots


def sums_of(
    parts: Sequence[RankPart],
    silent: Collection[int] = (),
    hardware: Hardware | None = None,
    *,
    asked: Collection[str] | None = None,
) -> Sums:
    """Add up the usage of all ranks.

    Args:
        parts: The parts of the ranks, this rank's first and the others in order.
        silent: The ranks that have not written for a while.
        hardware: The hardware of these ranks, where it is known already.
        asked: The names of the figures of devices that a row has; ``None`` for all.
    """
    hardware = hardware or _hardware_of(parts)
    own = parts[0].beat
    kinds: dict[str, int] = {}
    phases: dict[str, int] = {}
    sensors: dict[tuple[int, int], SensorSum] = {}
    chips: dict[str, int] = {}
    conditions: dict[tuple[int, int], ConditionSum] = {}
    total = step = covered = expected = count = without_word = 0
    for number, (part, of_kind, roots) in enumerate(zip(parts, hardware.kinds(), hardware.roots(parts), strict=True)):
        beat = part.beat
        if beat.conditions:
            conditions |= conditions_at(part, of_kind.get(Kind.GPU, ()))
        used_by = list(beat.phases.values())
        uj = _in_all([phase.uj for phase in used_by], part)
        for kind, places in of_kind.items():
            kinds[kind] = kinds.get(kind, 0) + _sum_at(uj, places)
        if not roots:
            continue
        for name, phase in beat.phases.items():
            phases[name] = phases.get(name, 0) + _sum_at(phase.uj, roots)
        used, covered_ns = _sum_at(uj, roots), _in_all([phase.covered_ns for phase in used_by], part)
        total += used
        chips[part.header.host_id] = chips.get(part.header.host_id, 0) + used
        covered += _sum_at(covered_ns, roots)
        ranges = hardware.ranges(number)
        for place in roots:
            told = beat.sensors[place] if place < len(beat.sensors) else None
            accuracy = ranges[place] if told is None else told.applied_to(part.header.domains[place]).range
            sensors[part.header.rank, place] = SensorSum(uj[place], covered_ns[place], accuracy)
        step += _sum_at(beat.step_uj, roots) if part.header.role == parts[0].header.role else 0
        expected += beat.ns * len(roots)
        count += len(roots)
        without_word += len(roots) if part.header.rank in silent else 0
    return Sums(
        ns=own.ns,
        steps=own.steps,
        phase_ns={name: phase.ns for name, phase in own.phases.items()},
        kinds=kinds,
        phases=phases,
        total=total,
        step=step,
        samples=_sum(part.beat.samples for part in parts if part.header.role == parts[0].header.role),
        tokens=_sum(part.beat.tokens for part in parts if part.header.role == parts[0].header.role),
        accepted=_sum(part.beat.accepted for part in parts),
        covered=covered,
        expected=expected,
        roots=count,
        silent=without_word,
        sensors=sensors,
        machine=hardware.machine_microjoules(parts, chips) if hardware.sees_machines and count else None,
        conditions=conditions,
        asked=asked,
    )


def row_between(
    before: Sums,
    now: Sums,
    *,
    pue: PowerUsage,
    intensity: Intensity,
    ranks: int = 1,
    heard_of: float = 1.0,
    is_rest: bool = False,
    forecast: Forecast | None = None,
) -> Row:
    """The row between a sum and a later sum.

    Args:
        before: The sums at the row before.
        now: The present sums.
        pue: The PUE that prices the energy.
        intensity: The carbon intensity that prices the energy.
        ranks: The number of ranks in the sums that still write.
        heard_of: The share of the run's ranks that has ever written.
        is_rest: Whether it is what was left at the end, after other rows.
        forecast: What the run will have used, where that is known.

    Returns:
        The row. Where no time has been settled since the row before, its energy is unknown and absent.
    """
    ns, steps, total = now.ns - before.ns, now.steps - before.steps, now.total - before.total
    is_metered = bool(now.kinds) and bool(now.ns or now.total)
    so_far = _so_far(now) if is_metered else {}
    machine = None if now.machine is None else now.machine - (before.machine or 0)
    priced, run_priced = total if machine is None else machine, now.total if now.machine is None else now.machine
    if not is_metered or not (ns or total):
        return Row(
            seconds=ns / NANOSECONDS_PER_SECOND,
            total_joules=None,
            coverage_ratio=None,
            grams_co2e=None,
            run_joules=Energy(now.total).joules if is_metered else None,
            run_kind_joules=so_far,
            run_grams_co2e=mass_of(Energy(run_priced), pue, intensity).grams if is_metered else None,
            run_machine_joules=_joules(now.machine),
            accepted=now.accepted,
            steps=steps,
            step_joules=Energy(now.step - before.step).joules if steps and is_metered else None,
            samples=_rise(before.samples, now.samples),
            tokens=_rise(before.tokens, now.tokens),
            ranks=ranks if is_metered else 1,
            is_rest=is_rest,
            forecast=forecast,
        )
    low, high = _ends(before, now)
    # What a total sums may have changed since, with a parent that its parts have overtaken.
    low, high = min(low, total), max(high, total)
    # Other ranks write at a pace of their own, and should cover the time that they have written of; ranks that have
    # stopped writing, the time of this row.
    expected_ns = now.expected - before.expected + now.silent * ns
    phases = {name: microjoules - before.phases.get(name, 0) for name, microjoules in now.phases.items()}
    lasted = {name for name, phase_ns in now.phase_ns.items() if phase_ns > before.phase_ns.get(name, 0)}
    return Row(
        seconds=ns / NANOSECONDS_PER_SECOND,
        total_joules=Energy(total).joules,
        coverage_ratio=heard_of * (min(1.0, (now.covered - before.covered) / expected_ns) if expected_ns > 0 else 1.0),
        grams_co2e=mass_of(Energy(priced), pue, intensity).grams,
        machine_joules=_joules(machine),
        kind_joules={
            kind: Energy(microjoules - before.kinds.get(kind, 0)).joules for kind, microjoules in now.kinds.items()
        },
        phase_joules={
            name: Energy(microjoules).joules for name, microjoules in phases.items() if microjoules or name in lasted
        },
        run_joules=Energy(now.total).joules,
        run_kind_joules=so_far,
        low_joules=Energy(low).joules,
        high_joules=Energy(high).joules,
        run_grams_co2e=mass_of(Energy(run_priced), pue, intensity).grams,
        run_machine_joules=_joules(now.machine),
        accepted=now.accepted,
        steps=steps,
        step_joules=Energy(now.step - before.step).joules if steps else None,
        samples=_rise(before.samples, now.samples),
        tokens=_rise(before.tokens, now.tokens),
        ranks=ranks,
        is_rest=is_rest,
        forecast=forecast,
        device=figures_between(before.conditions, now.conditions, now.asked) if now.conditions else {},
    )


def _so_far(now: Sums) -> dict[str, float]:
    """The energy of the run so far by kind of domain, in joules."""
    return {kind: Energy(microjoules).joules for kind, microjoules in now.kinds.items()}


def height_of(
    parts: Sequence[RankPart],
    *,
    without: Sequence[RankPart] = (),
    silent: Collection[int] = (),
    hardware: Hardware | None = None,
) -> Height:
    """The usage of ranks since their starts, for the power profile of the run.

    Args:
        parts: The parts of the ranks, at least one; the phases are those of the first.
        without: Parts whose hardware is not counted. Where there are any, the moment is the mean of the clocks of
            ``parts``, and else that of the first.
        silent: The ranks that have not written for a while; their clocks stand still, and do not count.
        hardware: The hardware of all these ranks, where it is known already.

    Returns:
        The height; at 0 nanoseconds where no rank with hardware of its own still writes.
    """
    microjoules: dict[Strand, int] = {}
    covered: dict[Strand, int] = {}
    clocks: dict[int, int] = {}
    ranks = [*without, *parts]
    for credit in (hardware or _hardware_of(ranks)).credits(ranks):
        part, place = credit.part, credit.place
        if not credit.is_root or any(part is known for known in without):
            continue
        strand = Strand(credit.domain.kind, credit.domain.provenance == Provenance.MODELLED)
        microjoules[strand] = microjoules.get(strand, 0) + part.beat.uj(place)
        covered[strand] = covered.get(strand, 0) + part.beat.covered_ns(place)
        if part.header.rank not in silent:
            clocks[part.header.rank] = part.beat.ns
    mean_ns = sum(clocks.values()) // len(clocks) if clocks else 0
    phases = {name: phase.ns for name, phase in parts[0].beat.phases.items()}
    return Height(mean_ns if without else parts[0].beat.ns, microjoules, covered, phases)


def _hardware_of(parts: Sequence[RankPart]) -> Hardware:
    return Hardware([part.header for part in parts])


def _ends(before: Sums, now: Sums) -> tuple[int, int]:
    """The range of what was used between two sums, in microjoules; sensors are taken to be off the same way."""
    low = high = 0
    for key, shown in now.sensors.items():
        known = before.sensors.get(key)
        microjoules, covered_ns = shown.microjoules, shown.covered_ns
        if known is not None:
            microjoules, covered_ns = microjoules - known.microjoules, covered_ns - known.covered_ns
        if microjoules > 0:
            ends = shown.accuracy.ends(microjoules, covered_ns)
            low, high = low + ends[0], high + ends[1]
    return low, high


def _in_all(figures: Sequence[Sequence[int]], part: RankPart) -> Sequence[int]:
    """What the phases of a rank have at each place, added up."""
    if len(figures) == 1:
        return figures[0]
    return [sum(at_place) for at_place in zip(*figures, strict=True)] or [0] * len(part.header.domains)


def _sum_at(figures: Sequence[int], places: Sequence[int]) -> int:
    return sum([figures[place] for place in places])  # noqa: C419 - a generator costs twice as much here


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _joules(microjoules: int | None) -> float | None:
    return None if microjoules is None else Energy(microjoules).joules


def _rise(before: int | None, now: int | None) -> int | None:
    """The difference of two counts; ``None`` where they are not known."""
    return None if now is None else now - (before or 0) or None
