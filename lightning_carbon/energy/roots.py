"""Which domains a total sums, where some are inside others: each piece of hardware counts once.

A domain with others inside counts, and they are only told, as long as it has used at least what they have. One that has
used less cannot have them inside: it stands still, or its unit is wrong, and its parts count in its stead. So the total
of a domain and its parts is the greater of both, at every moment, and never falls.

What is modelled inside of what is measured decides nothing: a share of a GPU is no check of that GPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


class DomainUse(NamedTuple):
    """What a domain says it has used.

    Args:
        id: The domain.
        parent: The domain that it is inside of, metered or not, or ``None``.
        is_measured: Whether a sensor stands behind the number.
        microjoules: What it has used since the start of the run.
    """

    id: Hashable
    parent: Hashable | None
    is_measured: bool
    microjoules: int


class Roots(NamedTuple):
    """What a total sums.

    Args:
        places: Where the domains stand among those given, in order.
        overruled: Where those stand whose parts count in their stead.
    """

    places: tuple[int, ...]
    overruled: tuple[int, ...] = ()


def roots_of(domains: Sequence[DomainUse]) -> Roots:
    """Find the domains that a total sums.

    Args:
        domains: What is metered; of several with one id the last one counts as the parent of what is inside.
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
        """What a domain amounts to, what counts of it, and what was overruled for that."""
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
    """Whether a domain is inside of itself, as only a damaged record says."""
    seen, at = set[int](), start
    while True:
        seen.add(at)
        parent = domains[at].parent
        if parent is None or parent not in place_of:
            return False
        at = place_of[parent]
        if at in seen:
            return True
