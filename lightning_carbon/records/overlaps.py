"""Overlaps of runs that metered the same hardware at the same time, whose energy is in all of their records. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.records.fields import NAME
from lightning_carbon.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another run that metered some of the same hardware at the same time.

    Args:
        run_id: The other run.
        project: The project of the other run.
        domains: The names of the domains that both metered whole.
        after_seconds: When that began, in seconds after the start of this run.
        seconds: How long it lasted.
        joules: The approximate energy that this run has of that time: its mean power times those seconds.
    """

    run_id: str = field(metadata=NAME)
    project: str = field(metadata=NAME)
    domains: list[str]
    after_seconds: float
    seconds: float
    joules: float


class Counted(NamedTuple):
    """A run in a sum over runs.

    Args:
        run_id: Its id, which sorts by start.
        project: Its project.
        overlaps: The runs that metered the same hardware at the same time.
    """

    run_id: str
    project: str
    overlaps: tuple[Overlap, ...]


def merged(overlaps: Iterable[Overlap]) -> tuple[Overlap, ...]:
    """The overlaps with each other run in one, where several ranks each found it on different hardware."""
    found: dict[tuple[str, str], Overlap] = {}
    for overlap in overlaps:
        key = (overlap.project, overlap.run_id)
        found[key] = _both(found[key], overlap) if key in found else overlap
    return tuple(found[key] for key in sorted(found))


def _both(known: Overlap, more: Overlap) -> Overlap:
    return replace(
        known,
        domains=list(dict.fromkeys([*known.domains, *more.domains])),
        after_seconds=min(known.after_seconds, more.after_seconds),
        seconds=max(known.seconds, more.seconds),
        joules=known.joules + more.joules,
    )


def counted_twice(runs: Iterable[Counted]) -> float:
    """The approximate joules that a sum over runs counts more than once.

    For each run, that is the energy shared with runs that began before it. Energy shared with runs outside the sum
    counts once.

    Args:
        runs: The runs that are added up.
    """
    known = {(run.project, run.run_id): run for run in runs}
    partners: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for key, run in known.items():
        for overlap in run.overlaps:
            partner = (overlap.project, overlap.run_id)
            if partner in known:
                partners.setdefault(key, set()).add(partner)
                partners.setdefault(partner, set()).add(key)
    twice = 0.0
    for key, others in partners.items():
        earlier = [known[partner] for partner in sorted(others) if _order(partner) < _order(key)]
        twice += _union([shared for run in earlier if (shared := _shared(known[key], run)) is not None])
    return twice


def _order(key: tuple[str, str]) -> tuple[str, str]:
    """The order of runs by start, which their ids begin with."""
    project, run_id = key
    return run_id, project


def _shared(run: Counted, earlier: Counted) -> Overlap | None:
    """The overlap of two runs, from the record of either; the smaller figure where both have it."""
    mine = _word(run, earlier)
    other = _word(earlier, run)
    if mine is None:
        return None if other is None else replace(other, after_seconds=0.0)
    return mine if other is None else replace(mine, joules=min(mine.joules, other.joules))


def _word(of: Counted, on: Counted) -> Overlap | None:
    found = (overlap for overlap in of.overlaps if (overlap.project, overlap.run_id) == (on.project, on.run_id))
    return next(found, None)


def _union(overlaps: Sequence[Overlap]) -> float:
    """The energy of the time in any overlap; where several overlap, that of the largest power."""
    cuts = sorted({at for overlap in overlaps for at in (overlap.after_seconds, _end(overlap))})
    joules = 0.0
    for start, end in pairwise(cuts):
        powers = [
            overlap.joules / overlap.seconds
            for overlap in overlaps
            if overlap.after_seconds <= start and end <= _end(overlap)
        ]
        joules += max(powers, default=0.0) * (end - start)
    return joules


def _end(overlap: Overlap) -> float:
    return overlap.after_seconds + overlap.seconds
