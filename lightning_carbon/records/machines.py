"""The machines of a run at their plugs, from what its ranks have written: chips, and the rest of each machine. Pure.

A sensor of the whole machine is a domain of kind ``machine`` in the journals. It has all others of its host inside, so
no total of chips sums it, and where it was read it decides over the rest of the machine, else the model of a header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.carbon.rest import MachineReading, RestModel, machine_of, rest_between
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.records.machine_record import HostMachine, MachineRecord
from lightning_carbon.units import Energy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lightning_carbon.records.journal import DomainDescription, Header, RankPart


class Seen(NamedTuple):
    """The sensor of a machine, and the rank that reads it.

    Args:
        part: The rank.
        place: Where the domain stands there.
    """

    part: RankPart
    place: int

    @property
    def reading(self) -> MachineReading:
        """What it has shown."""
        beat = self.part.beat
        uj, covered_ns = beat.uj(self.place), beat.covered_ns(self.place)
        low, high = self.described.range.ends(uj, covered_ns)
        covered_ratio = min(1.0, covered_ns / beat.ns) if beat.ns else 0.0
        return MachineReading(Bounds(Energy(uj), Energy(low), Energy(high)), covered_ratio)

    @property
    def described(self) -> DomainDescription:
        """What is true of the sensor that it has now."""
        return self.part.beat.sensor(self.place).applied_to(self.part.header.domains[self.place])


def is_machine(domain: DomainDescription) -> bool:
    """Whether a domain is a whole machine, with all others of its host inside."""
    return domain.kind == Kind.MACHINE


def sees_machines(headers: Iterable[Header]) -> bool:
    """Whether anything is known of the rest of a machine."""
    return any(header.rest is not None or any(map(is_machine, header.domains)) for header in headers)


class HostChips:
    """A host whose machine is known by more than its chips, or not; what of it does not change during a run.

    Args:
        headers: The headers of all ranks.
        host_id: The host.
    """

    def __init__(self, headers: Sequence[Header], host_id: str) -> None:
        self.host_id = host_id
        self._numbers = [number for number, header in enumerate(headers) if header.host_id == host_id]
        of_host = [headers[number] for number in self._numbers]
        self._model = next((header.rest for header in of_host if header.rest is not None), None)
        self._seen = next(
            (
                (number, place)
                for number in self._numbers
                for place, domain in enumerate(headers[number].domains)
                if is_machine(domain)
            ),
            None,
        )

    def machine_microjoules(self, parts: Sequence[RankPart], chips_uj: int) -> int:
        """What the machine has used so far, in microjoules; what its chips have, where no more is known.

        Args:
            parts: What all ranks have written.
            chips_uj: What the chips of this host have used.
        """
        longest_ns = max(parts[number].beat.ns for number in self._numbers)
        if self._seen is not None:
            number, place = self._seen
            chips = Bounds.exactly(Energy(chips_uj))
            machine = machine_of(chips, longest_ns, model=self._model, reading=Seen(parts[number], place).reading)
            return (chips if machine is None else machine).value.microjoules
        return chips_uj if self._model is None else chips_uj + self._model.rest_microjoules(chips_uj, longest_ns)


def machine_record(
    parts: Sequence[RankPart], chips: Mapping[str, Bounds[Energy]], hosts: Mapping[str, str]
) -> tuple[MachineRecord, Bounds[Energy]] | None:
    """What a record says of its machines, with their energy.

    Args:
        parts: What the ranks have written.
        chips: What the chips of each host have used.
        hosts: What each host is called.

    Returns:
        ``None`` where nothing is known of the rest of any machine: the run is then known by its chips alone.
    """
    if not sees_machines(part.header for part in parts):
        return None
    machines: list[HostMachine] = []
    whole = rest = Bounds.exactly(Energy.ZERO)
    for host, of_host in by_host(parts).items():
        inside = chips.get(host, Bounds.exactly(Energy.ZERO))
        known = _machine(of_host, inside)
        machine = inside if known is None else known
        model, seen = model_of(of_host), seen_of(of_host)
        is_modelled = model is not None and (seen is None or not seen.reading.covered_ratio)
        longest_ns = max(part.beat.ns for part in of_host)
        beside = model.rest_of(inside, longest_ns) if model and is_modelled else rest_between(machine, inside)
        whole, rest = whole + machine, rest + beside
        machines.append(_host(hosts[host], of_host, machine, beside=beside, is_known=known is not None))
    record = MachineRecord(
        joules=whole.value.joules,
        low_joules=whole.low.joules,
        high_joules=whole.high.joules,
        rest_joules=rest.value.joules,
        rest_low_joules=rest.low.joules,
        rest_high_joules=rest.high.joules,
        hosts=tuple(machines),
    )
    return record, whole


def _host(
    name: str, parts: Sequence[RankPart], machine: Bounds[Energy], *, beside: Bounds[Energy], is_known: bool
) -> HostMachine:
    seen, model = seen_of(parts), model_of(parts)
    covered = 0.0 if seen is None else seen.reading.covered_ratio
    is_measured = covered > 0
    method = "nothing is known beside its chips"
    if seen is not None and is_measured:
        method = seen.described.method
    elif model is not None and is_known:
        method = model.method
    return HostMachine(
        host=name,
        joules=machine.value.joules,
        low_joules=machine.low.joules,
        high_joules=machine.high.joules,
        rest_joules=beside.value.joules,
        provenance=(Provenance.INTEGRATED if is_measured else Provenance.MODELLED).value,
        method=method,
        measured_ratio=covered,
        model=model,
    )


def _machine(parts: Sequence[RankPart], chips: Bounds[Energy]) -> Bounds[Energy] | None:
    seen = seen_of(parts)
    longest_ns = max(part.beat.ns for part in parts)
    return machine_of(chips, longest_ns, model=model_of(parts), reading=None if seen is None else seen.reading)


def by_host(parts: Iterable[RankPart]) -> dict[str, list[RankPart]]:
    """The ranks of each host."""
    found: dict[str, list[RankPart]] = {}
    for part in parts:
        found.setdefault(part.header.host_id, []).append(part)
    return found


def model_of(parts: Iterable[RankPart]) -> RestModel | None:
    """The model of the rest of a host, from its ranks; the first that has it counts."""
    return next((part.header.rest for part in parts if part.header.rest is not None), None)


def seen_of(parts: Iterable[RankPart]) -> Seen | None:
    """The sensor of a host's whole machine, from its ranks."""
    for part in parts:
        for place, domain in enumerate(part.header.domains):
            if is_machine(domain):
                return Seen(part, place)
    return None
