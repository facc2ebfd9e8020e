"""The hardware of a run, every piece once, credited to one of the ranks that meter it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.energy.roots import DomainUse, roots_of
from lightning_carbon.records.joined import TRAINER, is_counted_whole, meets
from lightning_carbon.records.machines import is_machine
from lightning_carbon.units import MICROJOULES_PER_JOULE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lightning_carbon.records.journal import DomainDescription, RankPart

_MODELLED = "modelled"


class Credit(NamedTuple):
    """A domain and the rank that it is credited to.

    Args:
        part: That rank.
        place: The place of the domain among those of the rank.
        is_root: Whether totals sum it: no other metered domain of its host includes it, overruled domains aside.
        is_overruled: Whether it has used less than the domains that should be inside it, which count instead.
    """

    part: RankPart
    place: int
    is_root: bool
    is_overruled: bool = False

    @property
    def domain(self) -> DomainDescription:
        """The facts about the domain that do not change."""
        return self.part.header.domains[self.place]


def credits_of(parts: Iterable[RankPart]) -> list[Credit]:
    """Every piece of hardware once, in the order of hosts' first ranks; twice where processes had it in turn."""
    ranks = sorted(parts, key=lambda rank: rank.header.rank)
    found: dict[tuple[str, str], list[tuple[RankPart, int]]] = {}
    for part in ranks:
        for index, domain in enumerate(part.header.domains):
            if not is_machine(domain) and not is_counted_whole(part, index, ranks):
                found.setdefault((part.header.host_id, domain.id), []).append((part, index))
    return credited(place for places in found.values() for place in _apart(places))


def _apart(places: Sequence[tuple[RankPart, int]]) -> list[tuple[RankPart, int]]:
    """Of those who metered a device, who covered the most of it, and who did so when none of the others was there."""
    kept: list[tuple[RankPart, int]] = []
    for part, index in sorted(places, key=lambda place: -place[0].beat.covered_ns(place[1])):
        if not any(meets(part, known) for known, _ in kept):
            kept.append((part, index))
    return kept


def by_role(parts: Sequence[RankPart], hardware: Sequence[Credit]) -> dict[str, float]:
    """The joules of each role; empty where no process joined the run.

    Args:
        parts: The parts of the run.
        hardware: Every piece of hardware, credited to one of them.
    """
    roles = dict.fromkeys((part.header.role or TRAINER for part in parts), 0)
    for credit in hardware:
        if credit.is_root:
            roles[credit.part.header.role or TRAINER] += credit.part.beat.uj(credit.place)
    return {} if roles.keys() <= {TRAINER} else {role: uj / MICROJOULES_PER_JOULE for role, uj in roles.items()}


def credited(places: Iterable[tuple[RankPart, int]]) -> list[Credit]:
    """Mark the domains that totals sum, among hardware that is given once.

    Args:
        places: Ranks with the places of domains there.
    """
    known = list(places)
    roots = roots_of([_use_of(part, place) for part, place in known])
    return [
        Credit(part, place, number in roots.places, number in roots.overruled)
        for number, (part, place) in enumerate(known)
    ]


def _use_of(part: RankPart, place: int) -> DomainUse:
    domain, host = part.header.domains[place], part.header.host_id
    parent = None if domain.parent is None else (host, domain.parent)
    return DomainUse((host, domain.id), parent, domain.provenance != _MODELLED, part.beat.uj(place))
