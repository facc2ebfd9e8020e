"""Jobs: the runs of a ledger as a study counts them, with their hours, accelerators and prices."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lightning_carbon.carbon.footprint import Footprint, footprint
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.readings import Kind
from lightning_carbon.study.arithmetic import site_energy
from lightning_carbon.units import SECONDS_PER_HOUR, Energy
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.carbon.intensity import PowerUsage
    from lightning_carbon.records.overlaps import Overlap
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.study.method import Method


@dataclass(frozen=True, slots=True)
class Job:
    """A run as a study counts it.

    Args:
        run_id: Its id.
        name: The user's name for it, or ``None``.
        status: How it ended, or that it is running.
        started: When it began.
        seconds: How long it took, or has taken so far.
        accelerators: The number of its GPUs by name.
        training: The run that its training began with, which is the same for all attempts at a training.
        attempts: All attempts at its training that the record knows of; empty where it was not resumed.
        energy: The energy of its computers, with the range; ``None`` where nothing could be metered.
        modelled: The modelled part of its energy.
        site: The energy with PUE; ``None`` where nothing could be metered.
        carbon: The CO2e of that energy; ``None`` where it is not known.
        project: The project that it belongs to.
        overlaps: Other runs that metered the same hardware at the same time.
    """

    run_id: str
    name: str | None
    status: str
    started: datetime
    seconds: float
    accelerators: Mapping[str, int]
    training: str
    attempts: tuple[str, ...]
    energy: Bounds[Energy] | None
    modelled: Energy
    site: Bounds[Energy] | None
    carbon: Footprint | None
    project: str = ""
    overlaps: tuple[Overlap, ...] = ()

    @property
    def hours(self) -> float:
        """The duration of the job, in hours."""
        return self.seconds / SECONDS_PER_HOUR

    @property
    def gpu_hours(self) -> float | None:
        """The GPU-hours of the job; ``None`` where it had no GPU."""
        count = sum(self.accelerators.values())
        return self.hours * count if count else None


def job_of(record: RunRecord, method: Method | None = None) -> Job:
    """Read a record as a job.

    Args:
        record: The record of a run.
        method: The method of pricing; ``None`` for the factors in its own record.

    Raises:
        ValueError: The record's times are no times.
    """
    pue = record.carbon.pue if method is None else method.pue
    intensity = record.carbon.intensity if method is None else method.intensity
    energy = record.priced_energy
    started = datetime.fromisoformat(record.started_at)
    ids = {domain.id for domain in record.energy.domains}
    gpus = (domain.name for domain in record.energy.domains if domain.kind == Kind.GPU and domain.parent not in ids)
    return Job(
        run_id=record.run_id,
        name=record.run_name,
        status=str(record.status),
        started=started if started.tzinfo else started.replace(tzinfo=UTC),
        seconds=record.duration_seconds,
        accelerators=Counter(gpus),
        training=record.origin or record.run_id,
        attempts=tuple(attempt.run_id for attempt in record.attempts),
        energy=energy,
        modelled=Energy.from_joules(record.energy.modelled_joules),
        site=None if energy is None else at_the_site(energy, pue),
        carbon=None if energy is None else footprint(energy, pue, intensity),
        project=record.project,
        overlaps=record.overlaps,
    )


def at_the_site(energy: Bounds[Energy], pue: PowerUsage) -> Bounds[Energy]:
    """The site's energy for that of its computers, with the range of both."""
    return energy.combine(pue, site_energy)
