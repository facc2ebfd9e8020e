"""The hardware of a run, every piece once, credited to one of the ranks that meter it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.energy.roots import DomainUse, roots_of
from lightning_carbon.records.machines import is_machine

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """Every piece of hardware once, in the order of hosts' first ranks."""
    best: dict[tuple[str, str], tuple[RankPart, int, int]] = {}
    for part in sorted(parts, key=lambda rank: rank.header.rank):
        for index, domain in enumerate(part.header.domains):
            if is_machine(domain):
                continue
            key = (part.header.host_id, domain.id)
            covered_ns = part.beat.covered_ns(index)
            known = best.get(key)
            if known is None or covered_ns > known[2]:
                best[key] = (part, index, covered_ns)
    return credited((part, index) for part, index, _ in best.values())


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
