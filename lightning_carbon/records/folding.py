"""Bounds on the names of a run, however many ranks have used names of their own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.phases import MOST_NAMES, Part, Phase, parts_in_order, phases_in_order
from lightning_carbon.records.journal import PartBeat, PhaseBeat, RankPart
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lightning_carbon.records.journal import Beat

_REST: Final = Part.OTHER.value
"""The phase, and the part, that collects everything beyond the bounds."""


def folded(ranks: Sequence[RankPart]) -> Sequence[RankPart]:
    """The parts of ranks with no more names than a run may have; further names count as ``other``.

    Nothing is lost: phases still add up to the run, and parts to the phase.

    Args:
        ranks: The ranks; names of the first ranks come first.
    """
    phases = _allowed(phases_in_order(_each(part.beat.phases for part in ranks)), Phase)
    parts = {
        phase: _allowed(parts_in_order(_each(part.beat.parts.get(phase, {}) for part in ranks)), Part)
        for phase in _each(part.beat.parts for part in ranks)
    }
    return [RankPart(part.header, _within(part.beat, phases, parts)) for part in ranks]


def _each(names: Iterable[Iterable[str]]) -> dict[str, None]:
    return dict.fromkeys(name for known in names for name in known)


def _allowed(names: Sequence[str], kind: type[Phase | Part]) -> frozenset[str]:
    known = frozenset(kind)
    return known | frozenset([name for name in names if name not in known][:MOST_NAMES])


def _within(beat: Beat, phases: frozenset[str], parts: dict[str, frozenset[str]]) -> Beat:
    if beat.phases.keys() <= phases and all(told.keys() <= parts[phase] for phase, told in beat.parts.items()):
        return beat
    whole: dict[str, PhaseBeat] = {}
    divided: dict[str, dict[str, PartBeat]] = {}
    for phase, used in beat.phases.items():
        kept = phase if phase in phases else _REST
        whole[kept] = _phases_sum(whole[kept], used) if kept in whole else used
        # Undivided time goes to the part `other`, which counts where the other parts of its phase are.
        for part, told in beat.parts.get(phase, {_REST: PartBeat(used.ns, used.uj)}).items():
            names = divided.setdefault(kept, {})
            name = part if part in parts.get(kept, frozenset(Part)) else _REST
            names[name] = _parts_sum(names[name], told) if name in names else told
    return replace(
        beat,
        phases={phase: whole[phase] for phase in phases_in_order(whole)},
        parts={
            phase: {part: names[part] for part in parts_in_order(names)}
            for phase, names in divided.items()
            if names.keys() != {_REST}
        },
    )


def _phases_sum(left: PhaseBeat, right: PhaseBeat) -> PhaseBeat:
    return PhaseBeat(left.ns + right.ns, _sum(left.uj, right.uj), _sum(left.covered_ns, right.covered_ns))


def _parts_sum(left: PartBeat, right: PartBeat) -> PartBeat:
    return PartBeat(left.ns + right.ns, _sum(left.uj, right.uj), left.visits + right.visits)


def _sum(left: Iterable[int], right: Iterable[int]) -> tuple[int, ...]:
    return tuple(first + second for first, second in zip(left, right, strict=True))
