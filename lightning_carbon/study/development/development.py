"""The study's Table 4 from a ledger: the energy of one model, one sweep and a whole development. Pure.

One model is the training that the development was for: a run that the user names, else the newest that completed, with
all attempts at it. One sweep is a set of runs by name: those that match the user's pattern, else those whose names are
the model's but for the number at the end, else the largest such set. Everything is every run of the project, failed
runs included, which is the point of the table.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from math import fsum
from statistics import median
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.prices import electricity_usd
from lightning_carbon.records.overlaps import Counted, counted_twice
from lightning_carbon.study.rows import FigureRanges, Figures
from lightning_carbon.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE, CarbonMass, Energy
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lightning_carbon.estimate.prices import CloudPrice, ElectricityPrice
    from lightning_carbon.study.development.jobs import Job

MODEL, SWEEP, EVERYTHING = "model", "sweep", "everything"

COMPLETED, RUNNING = "completed", "running"
STATUSES = (COMPLETED, "failed", "interrupted", RUNNING)

_NUMBER_AT_THE_END = re.compile(r"[\s_.#=-]*\d+$")
_NAMED = 5
"""The most runs that an error names where several may be meant."""

BOUNDS_SECONDS: Final = (
    10 * SECONDS_PER_MINUTE,
    SECONDS_PER_HOUR,
    6 * SECONDS_PER_HOUR,
    SECONDS_PER_DAY,
    7 * SECONDS_PER_DAY,
)
"""The bounds of the distribution of lengths: ten minutes, an hour, six hours, a day, a week."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of hours and energy.

    Args:
        electricity: What a kWh costs; ``None`` where nobody said.
        cloud: What an accelerator of that name costs for an hour in a cloud; ``None`` where nobody said.
    """

    electricity: ElectricityPrice | None
    cloud: Callable[[str], CloudPrice | None]


@dataclass(frozen=True, slots=True)
class DevelopmentPart:
    """A row of the table.

    Args:
        id: ``model``, ``sweep`` or ``everything``.
        name: Its runs, for people.
        jobs: How many.
        hours: Their hours, one after the other.
        gpu_hours: Their GPU-hours; ``None`` where none had a GPU.
        kwh: The energy of their computers; ``None`` where nothing could be metered.
        modelled_ratio: The modelled share of that energy; ``None`` where there is none.
        computed: Energy with PUE, CO2e, costs.
        range: The ranges of these; ``None`` where nothing could be metered.
        unmetered: The number of jobs without energy.
        unpriced: The accelerators without a known price; there is then no cost in a cloud.
    """

    id: str
    name: str
    jobs: int
    hours: float
    gpu_hours: float | None
    kwh: float | None
    modelled_ratio: float | None
    computed: Figures
    range: FigureRanges | None
    unmetered: int
    unpriced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobShare:
    """The share of some jobs in all.

    Args:
        name: The jobs, for people.
        jobs: How many.
        job_ratio: Their share of all jobs.
        hours: Their hours.
        energy_ratio: Their share of all energy; ``None`` where nothing could be metered.
    """

    name: str
    jobs: int
    job_ratio: float
    hours: float
    energy_ratio: float | None


@dataclass(frozen=True, slots=True)
class Lengths:
    """The durations of jobs, in hours.

    Args:
        least: The shortest.
        median: The median.
        mean: The mean.
        most: The longest.
    """

    least: float
    median: float
    mean: float
    most: float


@dataclass(frozen=True, slots=True)
class Development:
    """A whole development.

    Args:
        project: Its project in the ledger.
        parts: Its rows: the model where one completed, the sweep where there is one, everything.
        first: The beginning of the first run.
        last: The end of the last run, or its last beat.
        statuses: The jobs by how they ended.
        lengths: How long they took.
        by_length: The jobs by how long they took, the shortest first.
        sweeps: The number of sets of runs with similar names.
        model: The run of the model; ``None`` where no run completed.
        why_model: How the model was chosen, or why there is none.
        why_sweep: How the sweep was chosen, or why there is none.
        twice_kwh: About how much of everything is counted twice, as runs metered the same hardware at the same time.
    """

    project: str
    parts: tuple[DevelopmentPart, ...]
    first: datetime
    last: datetime
    statuses: tuple[JobShare, ...]
    lengths: Lengths
    by_length: tuple[JobShare, ...]
    sweeps: int
    model: str | None
    why_model: str
    why_sweep: str
    twice_kwh: float = 0.0

    @property
    def days(self) -> float:
        """The days from the first beginning to the last end."""
        return (self.last - self.first) / timedelta(days=1)

    @property
    def whole(self) -> DevelopmentPart:
        """The row of everything."""
        return self.parts[-1]


def development_of(
    project: str, jobs: Sequence[Job], prices: Prices, *, model: str | None = None, sweep: str | None = None
) -> Development:
    """Add a development up.

    Args:
        project: The project.
        jobs: Its jobs, at least one.
        prices: The prices of hours and energy.
        model: The run of the model: its id, the beginning of its id, or its name.
        sweep: The runs of the sweep: a name with ``*`` and ``?`` for the differences, or a name without the number at
            its end.

    Raises:
        ConfigError: There is no such run, or no such sweep.
    """
    final, why_model = _model(jobs, model)
    swept, why_sweep = _sweep(jobs, final, sweep)
    parts = []
    if final is not None:
        trained = [job for job in jobs if job is final or job.run_id in final.attempts]
        parts.append(_part(MODEL, trained, prices, name=f"one model: {final.name or final.run_id}"))
    if swept:
        parts.append(_part(SWEEP, swept, prices, name=f"one sweep: {sweep or stem_of(swept[0].name or '')}"))
    parts.append(_part(EVERYTHING, jobs, prices, name="everything"))
    hours = [job.hours for job in jobs]
    return Development(
        project=project,
        parts=tuple(parts),
        first=min(job.started for job in jobs),
        last=max(job.started + timedelta(seconds=job.seconds) for job in jobs),
        statuses=_by_status(jobs),
        lengths=Lengths(min(hours), median(hours), fsum(hours) / len(hours), max(hours)),
        by_length=_by_length(jobs),
        sweeps=len(_sweeps(jobs)),
        model=None if final is None else final.run_id,
        why_model=why_model,
        why_sweep=why_sweep,
        twice_kwh=Energy.from_joules(
            counted_twice(Counted(job.run_id, job.project, job.overlaps) for job in jobs)
        ).kilowatt_hours,
    )


def _model(jobs: Sequence[Job], wanted: str | None) -> tuple[Job | None, str]:
    if wanted is not None:
        job = _find(jobs, wanted)
        return job, f"run {job.run_id}, as given"
    completed = [job for job in jobs if job.status == COMPLETED]
    if not completed:
        return None, "no run has completed; --model RUN names one"
    newest = max(completed, key=lambda job: (job.started + timedelta(seconds=job.seconds), job.run_id))
    return newest, f"run {newest.run_id}, the last that completed; --model RUN names another"


def _find(jobs: Sequence[Job], text: str) -> Job:
    for of in (
        [job for job in jobs if job.run_id == text],
        [job for job in jobs if text and job.run_id.startswith(text)],
        [job for job in jobs if text and job.name == text],
    ):
        if len(of) > 1:
            last = ", ".join(job.run_id for job in of[-_NAMED:])
            more = f" and {len(of) - _NAMED} more" if len(of) > _NAMED else ""
            raise ConfigError("model", text, f"{len(of)} runs can be meant: {last}{more}; give more of the id.")
        if of:
            return of[0]
    raise ConfigError("model", text, "no run of the project has that id or name; `lightning-carbon runs` lists them.")


def _sweep(jobs: Sequence[Job], model: Job | None, wanted: str | None) -> tuple[Sequence[Job], str]:
    sweeps = _sweeps(jobs)
    if wanted is not None:
        found = [job for job in jobs if job.name is not None and fnmatchcase(job.name, wanted)]
        found = found or [job for job in jobs if job.name is not None and stem_of(job.name) == wanted]
        if not found:
            near = f"there are {', '.join(map(repr, list(sweeps)[-_NAMED:]))}" if sweeps else "none is named"
            fix = f"no run of the project has such a name ({near}); * stands for what differs, as in 'trial-*'."
            raise ConfigError("sweep", wanted, fix)
        return found, f"the runs whose names are like {wanted!r}, as given"
    if not sweeps:
        return (
            (),
            "no two trainings have names that differ in the number at the end; --sweep 'NAME-*' says which belong",
        )
    own = None if model is None or model.name is None else stem_of(model.name)
    if own in sweeps:
        return sweeps[own], "the runs whose names are the model's but for the number; --sweep 'NAME-*' says others"
    largest = max(sweeps.values(), key=lambda swept: (len(swept), max(job.started for job in swept)))
    which = "the only one" if len(sweeps) == 1 else f"the largest of {len(sweeps):,}"
    return largest, f"{which} by names; --sweep 'NAME-*' says others"


def _sweeps(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    """The sets of runs whose names differ in the number at the end, of at least two trainings."""
    sets: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.name is not None:
            sets[stem_of(job.name)].append(job)
    return {stem: found for stem, found in sets.items() if stem and len({job.training for job in found}) > 1}


def stem_of(name: str) -> str:
    """A name without the number at its end: ``trial`` of ``trial-017``."""
    return _NUMBER_AT_THE_END.sub("", name)


def _part(id_: str, jobs: Sequence[Job], prices: Prices, *, name: str) -> DevelopmentPart:
    gpu_hours = [job.gpu_hours for job in jobs if job.gpu_hours is not None]
    by_name: defaultdict[str, list[float]] = defaultdict(list)
    for job in jobs:
        for accelerator, count in job.accelerators.items():
            by_name[accelerator].append(job.hours * count)
    asked = {accelerator: prices.cloud(accelerator) for accelerator in by_name}
    unpriced = tuple(sorted(accelerator for accelerator, price in asked.items() if price is None))
    cloud = None
    if by_name and not unpriced:
        known = [(fsum(by_name[accelerator]), price) for accelerator, price in asked.items() if price is not None]
        cloud = fsum(hours * price.low for hours, price in known), fsum(hours * price.high for hours, price in known)
    computed, ends = _priced(jobs, prices.electricity, cloud)
    metered = [job for job in jobs if job.energy is not None]
    used = sum((job.energy.value for job in metered if job.energy is not None), start=Energy.ZERO)
    modelled = sum((job.modelled for job in metered), start=Energy.ZERO)
    return DevelopmentPart(
        id=id_,
        name=name,
        jobs=len(jobs),
        hours=fsum(job.hours for job in jobs),
        gpu_hours=fsum(gpu_hours) if gpu_hours else None,
        kwh=used.kilowatt_hours if metered else None,
        modelled_ratio=modelled.microjoules / used.microjoules if used != Energy.ZERO else None,
        computed=computed,
        range=ends,
        unmetered=len(jobs) - len(metered),
        unpriced=unpriced,
    )


def _priced(
    jobs: Sequence[Job], electricity: ElectricityPrice | None, cloud: tuple[float, float] | None
) -> tuple[Figures, FigureRanges | None]:
    sites = [job.site for job in jobs if job.site is not None]
    footprints = [job.carbon for job in jobs if job.carbon is not None]
    if not sites:
        return Figures(cloud_usd=cloud), None
    # In whole microjoules, the sum of thousands of runs is exact.
    value, low, high = (
        Energy(sum(getattr(site, end).microjoules for site in sites)) for end in ("value", "low", "high")
    )
    mass, least, most = (
        CarbonMass(fsum(getattr(priced, end).grams for priced in footprints)) for end in ("value", "low", "high")
    )
    costs = None
    if electricity is not None:
        costs = [electricity_usd(energy, electricity.usd_per_kwh) for energy in (value, low, high)]
    figures = Figures(
        value.kilowatt_hours, mass.pounds, mass.kilograms, cloud_usd=cloud, electricity_usd=costs[0] if costs else None
    )
    ends = FigureRanges(
        kwh_pue=(low.kilowatt_hours, high.kilowatt_hours),
        co2e_lbs=(least.pounds, most.pounds),
        co2e_kg=(least.kilograms, most.kilograms),
        electricity_usd=(costs[1], costs[2]) if costs else None,
    )
    return figures, ends


def _by_status(jobs: Sequence[Job]) -> tuple[JobShare, ...]:
    known = [*STATUSES, *sorted({job.status for job in jobs} - set(STATUSES))]
    shares = [_share(status, [job for job in jobs if job.status == status], jobs) for status in known]
    return tuple(share for share in shares if share.jobs)


def _by_length(jobs: Sequence[Job]) -> tuple[JobShare, ...]:
    names = ("under 10 min", "10 min to 1 h", "1 to 6 h", "6 to 24 h", "1 to 7 days", "7 days and more")
    places = [sum(job.seconds >= bound for bound in BOUNDS_SECONDS) for job in jobs]
    return tuple(
        _share(name, [job for job, place in zip(jobs, places, strict=True) if place == number], jobs)
        for number, name in enumerate(names)
    )


def _share(name: str, some: Sequence[Job], jobs: Sequence[Job]) -> JobShare:
    whole, part = (
        sum(job.energy.value.microjoules for job in those if job.energy is not None) for those in (jobs, some)
    )
    return JobShare(
        name=name,
        jobs=len(some),
        job_ratio=len(some) / len(jobs),
        hours=fsum(job.hours for job in some),
        energy_ratio=part / whole if whole else None,
    )
