"""The usage of one run or of several, added up for a statement. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.interval_sums import interval_of_product, interval_of_sum
from lightning_carbon.carbon.monte_carlo import pue_cause, pue_spread
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.readings import Kind, kind_word
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.hardware import hardware_of
from lightning_carbon.records.numbers import CO2E, ENERGY, span
from lightning_carbon.records.overlaps import Counted, counted_twice
from lightning_carbon.records.run import Status
from lightning_carbon.report.statements.scopes import ScopeShare, SharedGrams, shares_of
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, SECONDS_PER_HOUR
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lightning_carbon.carbon.interval import Interval
    from lightning_carbon.records.run import RunRecord

_MOST_NAMED: Final = 5
"""The most values that a line of a statement names."""
_ALL: Final = 0.99999
"""The share from which on all energy is measured: what is missing is the rounding of sums."""


@dataclass(frozen=True, slots=True)
class LikelyRanges:
    """The 90 % intervals of sums over runs; all ``None`` where a run lacks any.

    Args:
        kilowatt_hours: Of the energy of the chips.
        machine_kilowatt_hours: Of the energy of the machines.
        site_kilowatt_hours: Of the energy at the site.
        grams_co2e: Of the CO2e.
    """

    kilowatt_hours: Interval | None
    machine_kilowatt_hours: Interval | None
    site_kilowatt_hours: Interval | None
    grams_co2e: Interval | None


@dataclass(frozen=True, slots=True)
class Consumption:
    """The usage of runs.

    Args:
        name: The run or the project that it is of.
        runs: The number of runs.
        statuses: The number of runs by status, the most frequent first.
        kilowatt_hours: The energy of their chips, without PUE.
        machine_kilowatt_hours: The energy of their machines at the plugs; of runs that know no more, that of the chips.
        site_kilowatt_hours: The energy of their machines, with the PUE of each.
        grams_co2e: Their CO2e, PUE included.
        measured_ratio: The share of the energy that sensors measured.
        coverage_ratio: The least coverage of a run, 0 to 1.
        seconds: How long they ran, added up.
        accelerator_seconds: The same for each of their accelerators, added up; of runs without any, 0.
        accelerators: The models of accelerators with the seconds that each was used.
        steps: The number of their steps.
        samples: The number of their samples; ``None`` where a run does not know it.
        tokens: The number of their tokens; ``None`` where a run does not know it.
        hardware: Their hardware, by model.
        regions: Their regions.
        intensities: Their carbon intensities, in words.
        pues: Their PUE, in words.
        boundaries: The boundary of the energy that was priced: ``machine``, or ``chips`` where no more is known.
        methods: How the energy of each kind of hardware came about.
        absent: The hardware that was not metered.
        assumed: The inputs that were assumed.
        started_at: The start of the first run, ISO 8601.
        ended_at: The end of the last run, ISO 8601; empty where none has ended.
        without_energy: The number of runs without any energy, whose usage is missing here.
        doubled_joules: The energy that is in two of the records.
        shares: Their CO2e by the scopes of the GHG Protocol; a share that no run has is left out.
        likely: The 90 % intervals of energy and CO2e.
        models: The sizes of the models that they train, in words; empty where none is known.
    """

    name: str
    runs: int
    statuses: dict[str, int]
    kilowatt_hours: Bounds[float]
    machine_kilowatt_hours: Bounds[float]
    site_kilowatt_hours: Bounds[float]
    grams_co2e: Bounds[float]
    measured_ratio: float
    coverage_ratio: float
    seconds: float
    accelerator_seconds: float
    accelerators: dict[str, float]
    steps: int
    samples: int | None
    tokens: int | None
    hardware: tuple[str, ...]
    regions: tuple[str, ...]
    intensities: tuple[str, ...]
    pues: tuple[str, ...]
    boundaries: tuple[str, ...]
    methods: tuple[str, ...]
    absent: tuple[str, ...]
    assumed: tuple[str, ...]
    started_at: str
    ended_at: str
    without_energy: int
    doubled_joules: float
    shares: dict[ScopeShare, SharedGrams]
    likely: LikelyRanges
    models: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        """The number of runs that did not complete."""
        return self.runs - self.statuses.get(Status.COMPLETED, 0)

    @property
    def hours(self) -> float:
        """How long the runs ran, added up."""
        return self.seconds / SECONDS_PER_HOUR

    @property
    def accelerator_hours(self) -> float:
        """How long their accelerators were used, added up."""
        return self.accelerator_seconds / SECONDS_PER_HOUR

    @property
    def is_modelled(self) -> bool:
        """Whether no sensor measured anything."""
        return self.measured_ratio == 0.0

    def came_about(self) -> str:
        """Whether the energy was measured, in words."""
        if self.is_modelled:
            return "modelled, as no sensor could be read"
        if self.measured_ratio >= _ALL:
            return "measured"
        return f"{min(max(self.measured_ratio, 0.01), 0.99):.0%} measured, the rest modelled"

    def hardware_text(self) -> str:
        """The hardware, in a line."""
        return listed(self.hardware)

    def runs_text(self) -> str:
        """The number of runs, with those that did not complete."""
        count = f"{self.runs:,} {'run' if self.runs == 1 else 'runs'}"
        return f"{count}, {self.failed:,} of which did not complete" if self.failed else count

    def ranges_text(self) -> str:
        """What the ranges of a statement are, with the bounds where those are not shown."""
        if self.likely.grams_co2e is None:
            return (
                "Ranges are bounds, which hold a figure if no error exceeds its stated range; they are no confidence "
                "intervals."
            )
        joules, grams = self.machine_kilowatt_hours.times(JOULES_PER_KILOWATT_HOUR), self.grams_co2e
        bounds = span(joules.low, joules.high, ENERGY, like=joules.value)
        return (
            "Ranges marked 90 % are 90 % intervals, in which errors of one cause go together over runs and all others "
            f"partly cancel. The bounds, with all errors at their worst together: {listed(self.boundaries)} {bounds}, "
            f"CO2e {span(grams.low, grams.high, CO2E, like=grams.value)}."
        )

    def caveats(self) -> list[str]:
        """The sentences that every statement owes about its figures."""
        notes = [self.ranges_text()]
        if self.assumed:
            notes.append(f"Assumed, as nobody said it: {' and '.join(self.assumed)}.")
        if self.failed:
            what = ", ".join(f"{count:,} {status}" for status, count in self.statuses.items())
            notes.append(f"All runs count, also those that did not complete: {what}.")
        if self.doubled_joules:
            notes.append("Some runs metered the same hardware at the same time, and their energy counts twice here.")
        return notes


def consumption_of(name: str, records: Sequence[RunRecord]) -> Consumption:
    """Add up runs.

    Args:
        name: The run or the project that they are of.
        records: The runs, failed runs included.

    Raises:
        ConfigError: There are no runs, or none has any energy.
    """
    known = [record for record in records if record.energy.total_joules is not None]
    if not known:
        reason = "there are no runs" if not records else "none of the runs has any energy"
        raise ConfigError("run", name, f"{reason}, so there is nothing to state.")
    energy = _figures(known, lambda run: (run.energy.total_joules, run.energy.low_joules, run.energy.high_joules))
    priced = _figures(known, _priced)
    site = _figures(known, _at_the_site)
    measured = sum(run.energy.measured_joules for run in known)
    accelerators: dict[str, float] = {}
    for run in records:
        for domain in run.energy.domains:
            if domain.kind == Kind.GPU:
                accelerators[domain.name] = accelerators.get(domain.name, 0.0) + run.duration_seconds
    return Consumption(
        name=name,
        runs=len(records),
        statuses=dict(Counter(str(run.status) for run in records).most_common()),
        kilowatt_hours=energy.times(1 / JOULES_PER_KILOWATT_HOUR),
        machine_kilowatt_hours=priced.times(1 / JOULES_PER_KILOWATT_HOUR),
        site_kilowatt_hours=site.times(1 / JOULES_PER_KILOWATT_HOUR),
        grams_co2e=_figures(known, lambda run: (run.carbon.grams_co2e, run.carbon.low, run.carbon.high)),
        measured_ratio=min(1.0, measured / energy.value) if energy.value else 0.0,
        coverage_ratio=min(run.energy.coverage_ratio for run in known),
        seconds=sum(run.duration_seconds for run in records),
        accelerator_seconds=sum(accelerators.values()),
        accelerators=accelerators,
        steps=sum(run.steps for run in records),
        samples=_count(run.samples for run in records),
        tokens=_count(run.tokens for run in records),
        hardware=_distinct(hardware_of(run) for run in records if run.energy.domains),
        regions=_distinct(run.carbon.intensity.region for run in known),
        intensities=_distinct(_intensity(run) for run in known),
        pues=_distinct(_pue(run) for run in known),
        boundaries=_distinct(run.carbon.boundary for run in known),
        methods=_distinct(
            f"{kind_word(domain.kind)} {domain.provenance}" for run in known for domain in run.energy.domains
        ),
        absent=_distinct(finding.subject for run in known for finding in run.energy.absent),
        assumed=_distinct(text for run in known for text in _assumed(run)),
        started_at=min(run.started_at for run in records),
        ended_at=max((run.ended_at or "" for run in records), default=""),
        without_energy=len(records) - len(known),
        doubled_joules=counted_twice(Counted(run.run_id, run.project, run.overlaps) for run in known),
        shares=shares_of(known),
        likely=_likely(known),
        models=_distinct(run.model.sentence for run in known if run.model is not None),
    )


def listed(values: Sequence[str]) -> str:
    """Values in a line, of many the first few."""
    more = len(values) - _MOST_NAMED
    return "; ".join(values[:_MOST_NAMED]) + (f"; {more} more" if more > 0 else "")


def _figures(
    records: Iterable[RunRecord], of: Callable[[RunRecord], tuple[float | None, float | None, float | None]]
) -> Bounds[float]:
    """Sums of values and of the ends of ranges: the runs of a project share their sensors and factors."""
    sums = [0.0, 0.0, 0.0]
    for record in records:
        for place, value in enumerate(of(record)):
            sums[place] += value or 0.0
    return Bounds(*sums)


def _likely(records: Sequence[RunRecord]) -> LikelyRanges:
    """The intervals of sums: what errs together in several runs adds up, all else in squares."""
    chips = interval_of_sum((run.energy.total_joules or 0.0, run.energy.interval) for run in records)
    machine = interval_of_sum((_priced(run)[0], _priced_interval(run)) for run in records)
    site = interval_of_sum((_at_the_site(run)[0], _site_interval(run)) for run in records)
    mass = interval_of_sum((run.carbon.grams_co2e or 0.0, run.carbon.interval) for run in records)
    if chips is None or machine is None or site is None or mass is None:
        return LikelyRanges(None, None, None, None)
    per_joule = 1 / JOULES_PER_KILOWATT_HOUR
    return LikelyRanges(chips.times(per_joule), machine.times(per_joule), site.times(per_joule), mass)


def _priced_interval(record: RunRecord) -> Interval | None:
    return (record.energy if record.machine is None else record.machine).interval


def _site_interval(record: RunRecord) -> Interval | None:
    interval, pue = _priced_interval(record), record.carbon.pue
    if interval is None or not interval.can_be_added:
        return None
    return interval_of_product(_priced(record)[0], interval, pue_spread(pue), cause=pue_cause(pue))


def _priced(record: RunRecord) -> tuple[float, float, float]:
    energy = record.priced_energy
    return (0.0, 0.0, 0.0) if energy is None else (energy.value.joules, energy.low.joules, energy.high.joules)


def _at_the_site(record: RunRecord) -> tuple[float, float, float]:
    (value, low, high), pue = _priced(record), record.carbon.pue
    return (value * pue.value, low * pue.low, high * pue.high)


def _count(counts: Iterable[int | None]) -> int | None:
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _intensity(record: RunRecord) -> str:
    found = record.carbon.intensity
    year = "" if found.year is None else f" {found.year}"
    return f"{found.value:.4g} gCO2e/kWh ({found.region}; {found.source}{year}; {found.basis})"


def _pue(record: RunRecord) -> str:
    return f"{record.carbon.pue.value:.4g} ({record.carbon.pue.source})"


def _assumed(record: RunRecord) -> list[str]:
    return [
        *(["the carbon intensity"] if record.carbon.intensity.assumed else []),
        *(["the PUE"] if record.carbon.pue.assumed else []),
    ]
