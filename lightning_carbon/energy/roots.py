"""The domains that a total sums where some are inside others: each piece of hardware counts once.

A domain with others inside counts, and they are only listed, as long as it has used at least as much as they have. A
domain that has used less cannot contain them: it stands still, or its unit is wrong, and its parts count in its stead.
So the total of a domain and its parts is the greater of both, at every moment, and never falls.

A modelled part of a measured domain overrules nothing: a modelled share of a GPU cannot refute that GPU's sensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


class DomainUse(NamedTuple):
    """The energy of a domain according to its sensor.

    Args:
        id: The domain.
        parent: The domain that it is inside of, metered or not, or ``None``.
        is_measured: Whether a sensor stands behind the number.
        microjoules: Its energy since the start of the run.
    """

    id: Hashable
    parent: Hashable | None
    is_measured: bool
    microjoules: int


class Roots(NamedTuple):
    """The domains that a total sums.

    Args:
        places: Where the domains stand among those given, in order.
        overruled: The places of the domains whose parts count in their stead.
    """

    places: tuple[int, ...]
    overruled: tuple[int, ...] = ()


def roots_of(domains: Sequence[DomainUse]) -> Roots:
    """Find the domains that a total sums.

    Args:
        domains: The metered domains; of several with one id, the last counts as the parent of those inside.
    """
    place_of = {domain.id: place for place, domain in enumerate(domains)}
    inside: dict[int, list[int]] = {}
    tops = []
    for place, domain in enumerate(domains):
        parent = place_of.get(domain.parent) if domain.parent is not None else None
        if parent is None or _is_circle(domains, place_of, place):
            tops.append(place)
        else:
            inside.setdefault(parent, []).append(place)
    places: list[int] = []
    overruled: list[int] = []

    def settle(place: int) -> tuple[int, list[int], list[int]]:
        """The energy of a domain, the domains that count for it, and those overruled."""
        domain, parts = domains[place], [settle(part) for part in inside.get(place, ())]
        if not parts:
            return domain.microjoules, [place], []
        known = [
            part
            for part, child in zip(parts, inside[place], strict=True)
            if domains[child].is_measured or not domain.is_measured
        ]
        if domain.microjoules >= sum(microjoules for microjoules, _, _ in known):
            return domain.microjoules, [place], []
        counted = [kept for _, places, _ in known for kept in places]
        return sum(part[0] for part in known), counted, [place, *(down for part in known for down in part[2])]

    for top in tops:
        _, counted, lost = settle(top)
        places += counted
        overruled += lost
    return Roots(tuple(sorted(places)), tuple(sorted(overruled)))


def _is_circle(domains: Sequence[DomainUse], place_of: dict[Hashable, int], start: int) -> bool:
    """Whether a domain is inside itself, which only a damaged record can say."""
    seen, at = set[int](), start
    while True:
        seen.add(at)
        parent = domains[at].parent
        if parent is None or parent not in place_of:
            return False
        at = place_of[parent]
        if at in seen:
            return True
