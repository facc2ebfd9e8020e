"""A run of a ledger as a study counts it: a job, with its hours, its accelerators, and what it is priced at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lightning_carbon.carbon.footprint import EnergyRange, Footprint, footprint
from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.energy.readings import Kind
from lightning_carbon.study.arithmetic import site_energy
from lightning_carbon.units import CarbonIntensity, Energy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.study.method import Method

_SECONDS_PER_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Job:
    """One run.

    Args:
        run_id: Its id.
        name: What the user calls it, or ``None``.
        status: How it ended, or that it has not.
        started: When it began.
        seconds: How long it took, so far if it has not ended.
        accelerators: How many GPUs of each name it had.
        training: The run that its training began with: the same for all attempts at one training.
        attempts: All attempts at its training that the record knows of; empty where it was not resumed.
        energy: What its computers used, with the range; ``None`` where nothing could be metered.
        modelled: The part of its energy that no sensor stands behind.
        site: The energy with PUE; ``None`` where nothing could be metered.
        carbon: What that stands for; ``None`` likewise.
    """

    run_id: str
    name: str | None
    status: str
    started: datetime
    seconds: float
    accelerators: Mapping[str, int]
    training: str
    attempts: tuple[str, ...]
    energy: EnergyRange | None
    modelled: Energy
    site: EnergyRange | None
    carbon: Footprint | None

    @property
    def hours(self) -> float:
        """How long it took, in hours."""
        return self.seconds / _SECONDS_PER_HOUR

    @property
    def gpu_hours(self) -> float | None:
        """Its hours times its GPUs; ``None`` where it had none."""
        count = sum(self.accelerators.values())
        return self.hours * count if count else None


def job_of(record: RunRecord, method: Method | None = None) -> Job:
    """Read a record as a job.

    Args:
        record: The record of a run.
        method: What it is priced with; ``None`` for the factors that its own record has.

    Raises:
        ValueError: The record's times are no times.
    """
    pue = _pue_of(record) if method is None else method.pue
    intensity = _intensity_of(record) if method is None else method.intensity
    energy = _energy_of(record)
    started = datetime.fromisoformat(record.started_at)
    ids = {domain.id for domain in record.energy.domains}
    gpus = (one.name for one in record.energy.domains if one.kind == Kind.GPU and one.parent not in ids)
    return Job(
        run_id=record.run_id,
        name=record.run_name,
        status=str(record.status),
        started=started if started.tzinfo else started.replace(tzinfo=UTC),
        seconds=record.duration_seconds,
        accelerators=Counter(gpus),
        training=record.origin or record.run_id,
        attempts=tuple(one.run_id for one in record.attempts),
        energy=energy,
        modelled=Energy.from_joules(record.energy.modelled_joules),
        site=None if energy is None else at_the_site(energy, pue),
        carbon=None if energy is None else footprint(energy, pue, intensity),
    )


def at_the_site(energy: EnergyRange, pue: PowerUsage) -> EnergyRange:
    """What the site draws for what its computers used, with the range of both."""
    return EnergyRange(
        site_energy(energy.value, pue.value), site_energy(energy.low, pue.low), site_energy(energy.high, pue.high)
    )


def _energy_of(record: RunRecord) -> EnergyRange | None:
    energy = record.energy
    if energy.total_joules is None:
        return None
    return EnergyRange(
        Energy.from_joules(energy.total_joules),
        Energy.from_joules(energy.low_joules),
        Energy.from_joules(energy.high_joules),
    )


def _pue_of(record: RunRecord) -> PowerUsage:
    pue = record.carbon.pue
    return PowerUsage(pue.value, pue.low, pue.high, pue.source, pue.assumed)


def _intensity_of(record: RunRecord) -> Intensity:
    grid = record.carbon.intensity
    return Intensity(
        CarbonIntensity(grid.value),
        CarbonIntensity(grid.low),
        CarbonIntensity(grid.high),
        grid.source,
        grid.year,
        grid.basis,
        grid.region,
        grid.assumed,
    )
