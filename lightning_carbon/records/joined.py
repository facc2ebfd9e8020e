"""The parts of a run that joined it: processes which do not train, but whose energy is the run's. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.records.journal import DomainDescription, RankPart

TRAINER: Final = "trainer"
"""The role of processes that did not join."""
_SHARED: Final = {Kind.PACKAGE.value, Kind.DRAM.value}
_MARK: Final = "@"


def trainers(parts: Sequence[RankPart]) -> Sequence[RankPart]:
    """The parts of the ranks that train; all where none does."""
    return [part for part in parts if part.header.role is None] or parts


def expected_ns(part: RankPart, longest_ns: int) -> int:
    """The nanoseconds that readings of a part should cover: all of the run, or all that the process was there."""
    return longest_ns if part.header.role is None else part.beat.ns


def of_this_process(domain: DomainDescription, rank: int) -> str:
    """The id of a domain in a process that joined: the modelled share of a processor is that process's own.

    Args:
        domain: The domain.
        rank: The number of the process.
    """
    is_share = domain.kind in _SHARED and domain.provenance == Provenance.MODELLED
    return f"{domain.id}{_MARK}{rank}" if is_share else domain.id


def is_counted_whole(part: RankPart, place: int, parts: Sequence[RankPart]) -> bool:
    """Whether the share of a process that joined is inside of what another process has counted whole."""
    whole, mark, _ = part.header.domains[place].id.partition(_MARK)
    if part.header.role is None or not mark:
        return False
    return any(
        domain.id == whole and domain.provenance != Provenance.MODELLED
        for other in parts
        if other.header.host_id == part.header.host_id
        for domain in other.header.domains
    )


def meets(first: RankPart, second: RankPart) -> bool:
    """Whether two parts may have metered a device at the same time; those of ranks of one trainer always may."""
    if first.header.role is None and second.header.role is None:
        return True
    return first.header.started_at < _end(second) and second.header.started_at < _end(first)


def _end(part: RankPart) -> float:
    return part.header.started_at + part.beat.ns / NANOSECONDS_PER_SECOND
