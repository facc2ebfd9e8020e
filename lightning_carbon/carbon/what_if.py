"""The same energy at other places, hours and sites: the footprint there, and the saving against here. Pure.

The energy stays what it is here: other hardware, or a slower machine, is no alternative of this kind. Each alternative
has a carbon intensity and a PUE of its own, so a place, an hour of the day and a better site are all the same question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.carbon.footprint import footprint
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lightning_carbon.carbon.footprint import Footprint
    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.carbon.uncertainty import Bounds
    from lightning_carbon.units import Energy


class Alternative(NamedTuple):
    """A place, an hour or a site where the same energy could be used.

    Args:
        name: For people, such as ``"SE"`` or ``"from 02:00 UTC"``.
        intensity: The carbon intensity there.
        pue: The PUE there.
    """

    name: str
    intensity: Intensity
    pue: PowerUsage


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same energy under an alternative.

    Args:
        name: The name of the alternative.
        footprint: The CO2e there.
        saved_grams_co2e: The saving against here; negative where more is emitted.
        saved_ratio: The saving as a share of the emissions here; ``None`` where those are zero.
        is_here: Whether it is the present place itself, with which the others are compared.
    """

    name: str
    footprint: Footprint
    saved_grams_co2e: float
    saved_ratio: float | None
    is_here: bool = False


def what_if(energy: Bounds[Energy], here: Alternative, others: Iterable[Alternative]) -> tuple[Elsewhere, ...]:
    """Price an energy here and under other conditions.

    Args:
        energy: The energy of the IT equipment, without PUE.
        here: The present or planned conditions.
        others: The alternatives; an alternative of the name of ``here`` is left out.

    Returns:
        Each alternative, ``here`` among them, the cleanest first.
    """
    present = footprint(energy, here.pue, here.intensity)
    grams = present.value.grams
    rows = [Elsewhere(here.name, present, 0.0, 0.0 if grams else None, is_here=True)]
    for other in others:
        if other.name != here.name:
            there = footprint(energy, other.pue, other.intensity)
            less = grams - there.value.grams
            rows.append(Elsewhere(other.name, there, less, less / grams if grams else None))
    return tuple(sorted(rows, key=lambda row: (row.footprint.value.grams, row.name)))
