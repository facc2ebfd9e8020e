"""Tallies as figures: the row and the record that a tally amounts to. Functions of values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.footprint import EnergyRange, footprint
from lightning_carbon.records.rows import Row
from lightning_carbon.records.run import (
    AbsentSource,
    CarbonRecord,
    DomainRecord,
    EnergyRecord,
    IntensityRecord,
    PueRecord,
)
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.energy.attribution import Tally
    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.ports import Finding


def roots_of(sensors: Sequence[Sensor]) -> tuple[int, ...]:
    """The indices of the domains that no other metered domain includes; totals sum over these."""
    known = {sensor.domain.id for sensor in sensors}
    return tuple(index for index, sensor in enumerate(sensors) if sensor.domain.parent not in known)


def row_of(tally: Tally, whole: Tally, sensors: Sequence[Sensor], pue: PowerUsage, intensity: Intensity) -> Row:
    """The row that a tally amounts to.

    Args:
        tally: What was used since the row before.
        whole: What was used since the start.
        sensors: The sensors, in the order of the timelines.
        pue: What the energy is priced with.
        intensity: What the energy is priced with.
    """
    roots = roots_of(sensors)
    seconds = (tally.end_ns - tally.start_ns) / NANOSECONDS_PER_SECOND
    if not sensors:
        return Row(seconds, None, None, None, None, None, steps=tally.steps, samples=tally.samples, tokens=tally.tokens)
    kinds: dict[str, int] = {}
    for index, sensor in enumerate(sensors):
        kind = sensor.domain.kind.value
        kinds[kind] = kinds.get(kind, 0) + tally.microjoules(index)
    total = sum(tally.microjoules(index) for index in roots)
    run = sum(whole.microjoules(index) for index in roots)
    return Row(
        seconds=seconds,
        total_joules=_joules(total),
        coverage_ratio=_coverage(tally, roots),
        grams_co2e=intensity.value.of(Energy(total)).grams * pue.value,
        run_joules=_joules(run),
        run_grams_co2e=intensity.value.of(Energy(run)).grams * pue.value,
        kind_joules={kind: _joules(microjoules) for kind, microjoules in kinds.items()},
        phase_joules={
            phase.value: _joules(sum(share.microjoules[index] for index in roots))
            for phase, share in tally.phases.items()
        },
        steps=tally.steps,
        step_joules=_joules(sum(tally.step_microjoules[index] for index in roots)) if tally.steps else None,
        samples=tally.samples,
        tokens=tally.tokens,
    )


def energy_of(
    whole: Tally, sensors: Sequence[Sensor], lost: Sequence[str | None], findings: Sequence[Finding]
) -> tuple[EnergyRecord, EnergyRange]:
    """The energy part of a record, and the total with its range.

    Args:
        whole: What was used since the start.
        sensors: The sensors, in the order of the timelines.
        lost: Why each sensor was lost, or ``None``.
        findings: What was tried as a source.
    """
    roots = roots_of(sensors)
    domains = []
    total = EnergyRange(Energy.ZERO, Energy.ZERO, Energy.ZERO)
    measured = 0
    span_ns = whole.end_ns - whole.start_ns
    for index, (sensor, reason) in enumerate(zip(sensors, lost, strict=True)):
        microjoules = whole.microjoules(index)
        if index in roots:
            total += EnergyRange.within(Energy(microjoules), sensor.uncertainty_ratio)
            measured += microjoules if sensor.provenance.is_measured else 0
        domains.append(
            DomainRecord(
                id=sensor.domain.id,
                kind=sensor.domain.kind.value,
                name=sensor.domain.name,
                joules=_joules(microjoules),
                provenance=sensor.provenance.value,
                coverage_ratio=whole.covered(index) / span_ns if span_ns else 1.0,
                uncertainty_ratio=sensor.uncertainty_ratio,
                method=sensor.method,
                parent=sensor.domain.parent,
                lost=reason,
                phases={phase.value: _joules(share.microjoules[index]) for phase, share in whole.phases.items()},
            )
        )
    phases = {
        phase.value: _joules(sum(share.microjoules[index] for index in roots)) for phase, share in whole.phases.items()
    }
    record = EnergyRecord(
        # The sum of the very numbers that stand under `phases`, so that a reader's sum is equal to the last bit.
        total_joules=sum(phases.values()) if sensors else None,
        measured_joules=_joules(measured),
        modelled_joules=_joules(total.value.microjoules - measured),
        low_joules=total.low.joules,
        high_joules=total.high.joules,
        coverage_ratio=_coverage(whole, roots) if sensors else 0.0,
        domains=tuple(domains),
        phases=phases if sensors else {},
        absent=tuple(
            AbsentSource(finding.source, finding.subject, finding.reason, finding.fix)
            for finding in findings
            if finding.port is None
        ),
    )
    return record, total


def carbon_of(energy: EnergyRange | None, pue: PowerUsage, intensity: Intensity) -> CarbonRecord:
    """The carbon part of a record; without figures where there is no energy."""
    priced = footprint(energy, pue, intensity) if energy is not None else None
    return CarbonRecord(
        grams_co2e=priced.mass.grams if priced else None,
        low=priced.low.grams if priced else None,
        high=priced.high.grams if priced else None,
        intensity=IntensityRecord(
            value=intensity.value.grams_per_kilowatt_hour,
            low=intensity.low.grams_per_kilowatt_hour,
            high=intensity.high.grams_per_kilowatt_hour,
            source=intensity.source,
            year=intensity.year,
            basis=intensity.basis,
            region=intensity.region,
            assumed=intensity.assumed,
        ),
        pue=PueRecord(pue.value, pue.low, pue.high, pue.source, pue.assumed),
    )


def _coverage(tally: Tally, roots: Sequence[int]) -> float:
    span_ns = tally.end_ns - tally.start_ns
    if not span_ns:
        return 1.0
    return sum(tally.covered(index) for index in roots) / (span_ns * len(roots))


def _joules(microjoules: int) -> float:
    return microjoules / MICROJOULES_PER_JOULE
