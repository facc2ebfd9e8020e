"""The overlap of two runs, from the journals of both. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Provenance
from lightning_carbon.records.overlaps import Overlap
from lightning_carbon.records.run import Status
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from lightning_carbon.records.journal import RankPart

LEAST_SECONDS: Final = 0.1
"""The least time together; a shorter overlap comes from clocks that differ, or from runs in sequence; ours."""

LATE_SECONDS: Final = 10.0
"""How long ago a run that is going on may last have written: twenty beats."""


def overlap_of(own: RankPart, other: RankPart) -> Overlap | None:
    """The hardware and the time that two ranks both metered; ``None`` where there is none.

    Modelled energy is a job's own part of the machine, or its share of a counter, and is in no other run.

    Args:
        own: A rank of a run.
        other: A rank of another run.
    """
    if own.header.host_id != other.header.host_id:
        return None
    theirs = _measured(other)
    places = [place for name, place in _measured(own).items() if name in theirs]
    start = max(own.header.started_at, other.header.started_at)
    is_there = other.beat.status == Status.RUNNING and _end(own) - other.beat.at < LATE_SECONDS
    seconds = (_end(own) if is_there else min(_end(own), _end(other))) - start
    if not places or seconds < LEAST_SECONDS:
        return None
    domains = own.header.domains
    names = {domains[place].id for place in places}
    used = sum(own.beat.uj(place) for place in places if domains[place].parent not in names)
    share = min(1.0, seconds / (_end(own) - own.header.started_at))
    return Overlap(
        run_id=other.header.run_id,
        project=other.header.project,
        domains=[domains[place].name for place in places],
        after_seconds=start - own.header.started_at,
        seconds=seconds,
        joules=used * share / MICROJOULES_PER_JOULE,
    )


def _measured(part: RankPart) -> dict[str, int]:
    """The domains that a rank measures, and does not model, by id, with their places."""
    domains = enumerate(part.header.domains)
    return {
        domain.id: place
        for place, domain in domains
        if part.beat.sensor(place).applied_to(domain).provenance != Provenance.MODELLED
    }


def _end(part: RankPart) -> float:
    """The end of a rank's time by the wall clock at its start, which may have been set since."""
    return part.header.started_at + part.beat.ns / NANOSECONDS_PER_SECOND
