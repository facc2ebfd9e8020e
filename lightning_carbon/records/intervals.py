"""The 90 % intervals of a record, from what its ranks have written; loaded at the end of a run. Pure.

The range of a sensor is read as a uniform distribution, since no more than limits are known of it, that of a model as a
triangular distribution around its value. The gain of a sensor has its model of card for a cause, or else the method by
which it is read, so all cards of a model err together; offsets and missed time are a sensor's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.monte_carlo import Parts, Plug, Priced, Term, intervals_of
from lightning_carbon.carbon.rest import machine_of
from lightning_carbon.carbon.spread import Shape, Spread
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.records.machines import by_host, model_of, seen_of
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Energy
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lightning_carbon.records.journal import DomainDescription, RankPart
    from lightning_carbon.records.machine_record import MachineRecord
    from lightning_carbon.records.run import RunRecord


def with_intervals(record: RunRecord, roots: Iterable[tuple[RankPart, int]], ranks: Sequence[RankPart]) -> RunRecord:
    """Add the intervals to a record.

    Args:
        record: The record of a run that has ended.
        roots: The domains that its energy is the sum of: the rank that each is credited to, and its place there.
        ranks: What the ranks have written.
    """
    energy, machine, carbon = record.energy, record.machine, record.carbon
    if energy.total_joules is None or carbon.grams_co2e is None or carbon.low is None or carbon.high is None:
        return record
    read: dict[str, list[Parts]] = {}
    microjoules: dict[str, int] = {}
    for part, place in roots:
        host = part.header.host_id
        read.setdefault(host, []).append(_read(part, place))
        microjoules[host] = microjoules.get(host, 0) + part.beat.uj(place)
    chips = {host: Parts.joined(all_parts) for host, all_parts in read.items()}
    found = intervals_of(
        Priced(
            chips=Parts.joined(chips.values()),
            chips_bounds=Bounds(energy.total_joules, energy.low_joules, energy.high_joules),
            plugs=None if machine is None else tuple(_plugs(ranks, chips, microjoules)),
            machine_bounds=None if machine is None else _bounds(machine),
            mass_bounds=Bounds(carbon.grams_co2e, carbon.low, carbon.high),
            pue=carbon.pue,
            intensity=carbon.intensity,
        )
    )
    return replace(
        record,
        energy=replace(energy, interval=found.chips),
        machine=None if machine is None else replace(machine, interval=found.machine),
        carbon=replace(carbon, interval=found.mass),
    )


def _bounds(machine: MachineRecord) -> Bounds[float]:
    return Bounds(machine.joules, machine.low_joules, machine.high_joules)


def _plugs(ranks: Sequence[RankPart], chips: Mapping[str, Parts], microjoules: Mapping[str, int]) -> Iterator[Plug]:
    """Each machine, as ``machine_of`` has it: by its sensor while that was read, else by its model."""
    for host, of_host in by_host(ranks).items():
        inside, model, seen = chips.get(host, Parts()), model_of(of_host), seen_of(of_host)
        longest_ns = max(part.beat.ns for part in of_host)
        covered = 0.0 if seen is None else seen.reading.covered_ratio
        if seen is None or not covered:
            yield Plug(inside, longest_ns, model)
            continue
        own = Bounds.exactly(Energy(microjoules.get(host, 0)))
        if machine_of(own, longest_ns, model=model, reading=seen.reading) == own:
            yield Plug(inside)
            continue
        yield Plug(_read(seen.part, seen.place))
        if covered < 1:
            yield Plug(inside.times(1 - covered), longest_ns * (1 - covered), model)


def _read(part: RankPart, place: int) -> Parts:
    """What a sensor has shown, with its errors."""
    beat = part.beat
    domain = beat.sensor(place).applied_to(part.header.domains[place])
    joules, seconds = beat.uj(place) / MICROJOULES_PER_JOULE, beat.covered_ns(place) / NANOSECONDS_PER_SECOND
    accuracy = domain.range
    shape = Shape.TRIANGULAR if domain.provenance == Provenance.MODELLED else Shape.UNIFORM
    gain = Spread(max(0.0, 1 - accuracy.below_ratio), 1.0, 1 + accuracy.above_ratio, shape)
    blur = joules * min(1.0, accuracy.blur_seconds / seconds) if seconds else 0.0
    offset = -(accuracy.below_watts * seconds + blur), accuracy.above_watts * seconds + blur
    return Parts((Term(_cause(domain), joules, gain),), (offset,))


def _cause(domain: DomainDescription) -> str:
    """What the gain of a sensor is common to."""
    return f"{domain.kind} {domain.name if domain.kind == Kind.GPU else domain.method}"
