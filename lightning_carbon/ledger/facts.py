"""The facts of a run that lists, sums and filters need: a small, flat part of its record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.rest import Boundary
from lightning_carbon.energy.readings import Kind
from lightning_carbon.records.overlaps import Counted, Overlap
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from lightning_carbon.records.run import RunRecord

NO_GPU: Final = "no GPU"
"""The place of energy that no GPU of a run used, in a sum by GPU."""
_LENGTH: Final = len("2026-11-21T10:11:12Z")
UNKNOWN_HOST: Final = "unknown host"
"""The place of energy of which a record names no host."""


@dataclass(frozen=True, slots=True)
class Portion:
    """The part that a host or a GPU has in the energy of a run.

    Args:
        name: The name of the host, or the id and the model of the GPU.
        joules: Its energy; ``None`` where the run's is not known.
    """

    name: str
    joules: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What lists, sums and filters need to know of a run.

    Args:
        project: Its project.
        run_id: Its id, which sorts by start.
        run_name: The user's name for it, or ``None``.
        sweep: The sweep that it is a trial of, or ``None``.
        status: How it stands.
        started_at: ISO 8601, UTC.
        ended_at: ISO 8601, UTC; ``None`` while it runs.
        duration_seconds: How long it lasted.
        steps: The number of its steps.
        samples: The number of samples in them, where known.
        tokens: The number of tokens in them, where known.
        world_size: The number of its processes.
        reported_ranks: The number of processes that have reported.
        model: The model of its GPUs, or of its processor where it used none; several are joined by ``+``.
        joules: The energy of its chips, without PUE; ``None`` where nothing could be measured.
        measured_joules: The part that sensors measured.
        low_joules: The lower end of the range of its energy.
        high_joules: The upper end.
        boundary: How far the energy goes that its CO2e prices: ``machine``, or ``chips`` where no more is known.
        priced_joules: That energy, without PUE; ``None`` where nothing could be measured.
        priced_low_joules: The lower end of its range.
        priced_high_joules: The upper end.
        grams_co2e: Its CO2e, PUE included; ``None`` where there is no energy.
        low_grams_co2e: The lower end of the range of its CO2e.
        high_grams_co2e: The upper end.
        hosts: The part of each host.
        gpus: The part of each GPU, and that of the rest.
        overlaps: Runs that metered the same hardware at the same time.
        location: The path of its record; ``None`` where it was not stored.
    """

    project: str
    run_id: str
    run_name: str | None
    sweep: str | None
    status: str
    started_at: str
    ended_at: str | None
    duration_seconds: float
    steps: int
    samples: int | None
    tokens: int | None
    world_size: int
    reported_ranks: int
    model: str
    joules: float | None
    measured_joules: float
    low_joules: float
    high_joules: float
    boundary: str
    priced_joules: float | None
    priced_low_joules: float | None
    priced_high_joules: float | None
    grams_co2e: float | None
    low_grams_co2e: float | None
    high_grams_co2e: float | None
    hosts: tuple[Portion, ...] = ()
    gpus: tuple[Portion, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    location: str | None = None

    @property
    def counted(self) -> Counted:
        """The run in a sum over runs."""
        return Counted(self.run_id, self.project, self.overlaps)


def facts_of(record: RunRecord) -> Facts:
    """The facts of a run."""
    energy, carbon, priced = record.energy, record.carbon, record.priced_energy
    return Facts(
        project=record.project,
        run_id=record.run_id,
        run_name=record.run_name,
        sweep=None if record.trial is None else record.trial.sweep,
        status=str(record.status),
        started_at=_in_utc(record.started_at),
        ended_at=record.ended_at,
        duration_seconds=record.duration_seconds,
        steps=record.steps,
        samples=record.samples,
        tokens=record.tokens,
        world_size=record.world_size,
        reported_ranks=len(record.ranks) or 1,
        model=_model_of(record),
        joules=energy.total_joules,
        measured_joules=energy.measured_joules,
        low_joules=energy.low_joules,
        high_joules=energy.high_joules,
        boundary=(Boundary.CHIPS if record.machine is None else Boundary.MACHINE).value,
        priced_joules=None if priced is None else priced.value.joules,
        priced_low_joules=None if priced is None else priced.low.joules,
        priced_high_joules=None if priced is None else priced.high.joules,
        grams_co2e=carbon.grams_co2e,
        low_grams_co2e=carbon.low,
        high_grams_co2e=carbon.high,
        hosts=_hosts_of(record),
        gpus=_gpus_of(record),
        overlaps=record.overlaps,
        location=record.location,
    )


def _in_utc(moment: str) -> str:
    """A moment as this package writes it, so that moments sort as texts."""
    if len(moment) == _LENGTH and moment.endswith("Z"):
        return moment
    found = datetime.fromisoformat(moment)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return f"{found.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _model_of(record: RunRecord) -> str:
    """The model of the hardware that names a run: its GPUs, else its processors."""
    for kind in (Kind.GPU, Kind.PACKAGE, None):
        names = {
            domain.name for domain in record.energy.domains if domain.parent is None and kind in {None, domain.kind}
        }
        if names:
            return " + ".join(sorted(names))
    return "unknown"


def _hosts_of(record: RunRecord) -> tuple[Portion, ...]:
    """The energy by host, which adds up to the total."""
    total = record.energy.total_joules
    if not record.ranks:
        return (Portion(str(record.host.get("name") or UNKNOWN_HOST), total),)
    joules: dict[str, float] = {}
    for rank in record.ranks:
        host = rank.host or UNKNOWN_HOST
        joules[host] = joules.get(host, 0.0) + rank.joules
    return tuple(Portion(host, None if total is None else amount) for host, amount in joules.items())


def _gpus_of(record: RunRecord) -> tuple[Portion, ...]:
    """The energy by GPU, and the rest of the run's energy, which add up to the total."""
    total = record.energy.total_joules
    joules: dict[str, float] = {}
    for domain in record.energy.domains:
        if domain.kind == Kind.GPU and domain.parent is None:
            name = f"{domain.name} ({domain.id.removeprefix('gpu:')})"
            joules[name] = joules.get(name, 0.0) + domain.joules
    if total is None:
        return (Portion(NO_GPU, None),)
    return (*(Portion(*named) for named in joules.items()), Portion(NO_GPU, max(0.0, total - sum(joules.values()))))
