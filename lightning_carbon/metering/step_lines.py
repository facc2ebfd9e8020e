"""The ledger's list of steps, a line of CSV each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Kind
from lightning_carbon.energy.roots import DomainUse, roots_of
from lightning_carbon.units import MICROJOULES_PER_JOULE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.energy.attribution import StepEnergy, Usage
    from lightning_carbon.energy.readings import Sensor


def lines_of(steps: Sequence[StepEnergy], usage: Usage, sensors: Sequence[Sensor], *, cadence_ns: int = 0) -> list[str]:
    """The lines of steps: number, phase, start and end in nanoseconds, joules of the GPUs and of everything.

    A step that is shorter than the cadence of the sensors is unresolved: its energy is split by time alone.

    Args:
        steps: The steps.
        usage: The usage since the start of the run, which decides the domains that a total sums.
        sensors: The present sensor of each domain.
        cadence_ns: How far apart the news of the slowest sensor are.
    """
    if not steps:
        return []
    roots = roots_at(usage, sensors)
    gpus = [place for place, sensor in enumerate(sensors) if sensor.domain.kind is Kind.GPU]
    return [
        f"{step.step},{step.phase},{step.start_ns},{step.end_ns},{_joules(step, gpus)},{_joules(step, roots)},"
        + ("unresolved" if step.end_ns - step.start_ns < cadence_ns else "")
        for step in steps
    ]


def _joules(step: StepEnergy, places: Sequence[int]) -> str:
    return f"{sum(step.microjoules[place] for place in places) / MICROJOULES_PER_JOULE:.6f}" if places else ""


def roots_at(usage: Usage, sensors: Sequence[Sensor]) -> tuple[int, ...]:
    """The places of the domains that a total sums, by the usage since the start."""
    chips = [place for place, sensor in enumerate(sensors) if sensor.domain.kind is not Kind.MACHINE]
    uses = [
        DomainUse(
            sensors[place].domain.id,
            sensors[place].domain.parent,
            sensors[place].provenance.is_measured,
            usage.microjoules(place),
        )
        for place in chips
    ]
    return tuple(chips[place] for place in roots_of(uses).places)
