"""What each cause of error has in the energy and the CO2e of a run, as sums over runs need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.interval import OWN
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from lightning_carbon.records.run import RunRecord


@dataclass(frozen=True, slots=True)
class CausePart:
    """The part of a cause in the 90 % intervals of a run.

    Args:
        cause: The cause; runs err together by causes of a name, and apart by their own.
        below_joules: How far below its energy that is; of its machines, or of its chips where no more is known.
        above_joules: How far above.
        below_grams: How far below its CO2e.
        above_grams: How far above.
    """

    cause: str
    below_joules: float
    above_joules: float
    below_grams: float
    above_grams: float


def cause_parts_of(record: RunRecord) -> tuple[CausePart, ...]:
    """What the causes have in a run, its own errors always among them; empty where it has no intervals that add up."""
    energy = (record.energy if record.machine is None else record.machine).interval
    mass = record.carbon.interval
    if energy is None or mass is None or not (energy.can_be_added and mass.can_be_added):
        return ()
    none = 0.0, 0.0
    return tuple(
        CausePart(name, *energy.causes.get(name, none), *mass.causes.get(name, none))
        for name in sorted({OWN, *energy.causes, *mass.causes})
    )
