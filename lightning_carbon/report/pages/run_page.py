"""The content of the report of a run: headline figures, tables, and every assumption and source in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.carbon.equivalents import equivalent_of
from lightning_carbon.carbon.footprint import mass_of
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.readings import kind_word
from lightning_carbon.grid.factors import regions
from lightning_carbon.records.machine_rows import rests_assumed
from lightning_carbon.records.numbers import (
    CO2E,
    ENERGY,
    NOTHING,
    POWER,
    WATT_HOURS,
    amount,
    digits,
    duration,
    percent,
    printable,
    span,
)
from lightning_carbon.records.run import Status
from lightning_carbon.report.pages.condition_tables import device_table, waste_table
from lightning_carbon.report.pages.module_table import module_table
from lightning_carbon.report.pages.ranges import between, ranges_of
from lightning_carbon.report.pages.tables import Cell, PageTable, count, figure, page_table, share, words
from lightning_carbon.units import CarbonMass, Energy
from lightning_carbon.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lightning_carbon.carbon.intensity import Intensity
    from lightning_carbon.records.run import RunRecord

PLACES: Final = (
    *("NO", "SE", "FR", "CH", "BR", "CA", "FI", "GB", "NL", "DE", "IE", "US", "JP", "SG", "KR", "CN", "IN", "PL"),
    *("ZA", "WORLD"),
)
"""The regions that a report compares, with much of the world's computing among them."""
_DATA: Final = "data"
_TWICE: Final = 2.0


class Headline(NamedTuple):
    """A headline figure.

    Args:
        name: What it is.
        value: The figure.
        note: How well it is known, or what it stands for.
    """

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RunPage:
    """The content of the report of a run.

    Args:
        title: The name of the run.
        facts: Where, when and how it ran, as name and value.
        headlines: Its headline figures.
        tables: Its tables, in order.
        sources: Every assumption and source, a sentence each.
        is_running: Whether the run goes on.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    headlines: tuple[Headline, ...]
    tables: tuple[PageTable, ...]
    sources: tuple[str, ...]
    is_running: bool


def run_page(record: RunRecord) -> RunPage:
    """The content of the report of a run.

    Args:
        record: Its record.
    """
    tables = (
        _domains(record),
        _phases(record),
        waste_table(record),
        module_table(record),
        device_table(record),
        _attempts(record),
        _ranks(record),
        _elsewhere(record),
    )
    return RunPage(
        record.run_name or record.run_id,
        tuple(_facts(record)),
        tuple(_headlines(record)),
        tuple(table for table in tables if table is not None),
        tuple(sources_of(record)),
        record.status == Status.RUNNING,
    )


def _facts(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "project", record.project
    yield "run", record.run_id
    yield "status", record.status
    yield "started", f"{record.started_at[:19].replace('T', ' ')} UTC"
    yield "lasted", duration(record.duration_seconds)
    hosts = dict.fromkeys(rank.host for rank in record.ranks if rank.host and rank.host != str(None))
    yield "host", ", ".join([*hosts][:4]) + (f" and {len(hosts) - 4} more" if len(hosts) > 4 else "")  # noqa: PLR2004
    gpus = dict.fromkeys(domain.name for domain in record.energy.domains if domain.kind == "gpu")
    if gpus:
        yield "GPUs", ", ".join([*gpus][:4])
    if record.world_size > 1:
        yield "processes", f"{record.world_size:,}"


def _headlines(record: RunRecord) -> Iterator[Headline]:
    energy, carbon = record.energy, record.carbon
    total = energy.total_joules
    if total is None:
        yield Headline("energy", "not known", "nothing on this machine could be metered")
        return
    measured = percent(min(1.0, energy.measured_joules / total)) if total else "nothing"
    yield Headline(
        "energy" if record.machine is None else "energy of the chips",
        amount(total, WATT_HOURS),
        f"{between(Bounds(total, energy.low_joules, energy.high_joules), energy.interval, WATT_HOURS)}"
        f"{measured} measured",
    )
    if (machine := record.machine) is not None:
        bounds = Bounds(machine.joules, machine.low_joules, machine.high_joules)
        range_ = between(bounds, machine.interval, WATT_HOURS)
        yield Headline("at the plugs", amount(machine.joules, WATT_HOURS), f"{range_}chips and the rest of machines")
    if carbon.grams_co2e is not None and carbon.low is not None and carbon.high is not None:
        price = f"{digits(carbon.intensity.value)} gCO2e/kWh ({carbon.intensity.place}"
        price += ", assumed)" if carbon.intensity.assumed else ")"
        note = f"{between(Bounds(carbon.grams_co2e, carbon.low, carbon.high), carbon.interval, CO2E)}{price}"
        yield Headline("CO2e", amount(carbon.grams_co2e, CO2E), note)
        equivalent = equivalent_of(CarbonMass(carbon.grams_co2e))
        if equivalent is not None:
            yield Headline("about as much as", equivalent.text, equivalent.reference.source)
    if record.duration_seconds:
        yield Headline("mean power", amount(total / record.duration_seconds, POWER), "of everything metered")
    if record.step_joules is not None:
        for name, number in (("step", record.steps), ("sample", record.samples), ("token", record.tokens)):
            if number:
                yield Headline(f"per {name}", amount(record.step_joules / number, ENERGY), f"{number:,} {name}s")


def _domains(record: RunRecord) -> PageTable | None:
    total = record.energy.total_joules
    rows = [
        [
            words(kind_word(domain.kind)),
            words(domain.name),
            figure(domain.joules, WATT_HOURS),
            Cell("within", -1.0) if domain.parent is not None else share(domain.joules, total),
            words(domain.provenance),
            Cell(_range(domain.joules, domain.low_joules, domain.high_joules), domain.uncertainty_ratio),
            Cell(percent(domain.coverage_ratio), domain.coverage_ratio),
            words(domain.method),
        ]
        for domain in record.energy.domains
    ]
    for host in () if record.machine is None else record.machine.hosts:
        whole = Cell(_range(host.joules, host.low_joules, host.high_joules))
        rest = [words("rest"), words(host.host), figure(host.rest_joules, WATT_HOURS), Cell("beside", -1.0)]
        rows.append([*rest, words(host.provenance), Cell(NOTHING), Cell("", -1.0), words(host.method)])
        plug = [words("machine"), words(host.host), figure(host.joules, WATT_HOURS), Cell("at its plug", -1.0)]
        rows.append([*plug, words("chips and rest"), whole, Cell("", -1.0), words("")])
    columns = [("part", "<"), ("name", "<"), ("energy", ">"), ("share", ">"), ("how", "<")]
    columns += [("range", ">"), ("covered", ">"), ("method", "<")]
    lost = [f"{domain.name}: lost: {domain.lost}" for domain in record.energy.domains if domain.lost]
    return page_table("What was used, and how well it is known", columns, rows, notes=lost)


def _range(joules: float, low: float | None, high: float | None) -> str:
    return NOTHING if low is None or high is None or low == high else span(low, high, WATT_HOURS, like=joules)


def _phases(record: RunRecord) -> PageTable | None:
    total = record.energy.total_joules
    rows = []
    for phase, joules in record.energy.phases.items():
        seconds = record.phase_seconds.get(phase)
        rows.append([words(phase), figure(joules, WATT_HOURS), share(joules, total), *_time(joules, seconds)])
        for part, used in record.energy.parts.get(phase, {}).items():
            name = "waiting for data" if part == _DATA else part
            lasted = record.part_seconds.get(phase, {}).get(part)
            rows.append([words(f"{phase}: {name}"), figure(used, WATT_HOURS), share(used, total), *_time(used, lasted)])
    columns = [("phase", "<"), ("energy", ">"), ("share", ">"), ("mean power", ">"), ("time", ">")]
    has_parts = bool(record.energy.parts)
    note = "" if has_parts else 'Waiting for data counts as training here; detail="step" shows it separately.'
    return page_table("Where the joules went", columns, rows, notes=[note])


def _time(joules: float, seconds: float | None) -> tuple[Cell, Cell]:
    if not seconds:
        return Cell("", -1.0), Cell("", -1.0)
    return figure(joules / seconds, POWER), Cell(duration(seconds), seconds)


def _attempts(record: RunRecord) -> PageTable | None:
    lineage, spent = record.lineage, record.spent
    if lineage is None or spent is None or spent.joules is None or lineage.joules is None:
        return None
    whole = spent.joules
    told = (
        ("led to the model", lineage.joules, lineage.steps),
        ("lost to crashes", max(0.0, whole - lineage.joules), max(0, spent.steps - lineage.steps)),
        ("spent in all", whole, spent.steps),
    )
    rows = [
        [words(name), figure(joules, WATT_HOURS), share(joules, whole), count(steps)] for name, joules, steps in told
    ]
    note = f"This training was resumed: {len(record.attempts):,} attempts in all."
    columns = [("work", "<"), ("energy", ">"), ("share", ">"), ("steps", ">")]
    return page_table("Work lost to crashes", columns, rows, notes=[note])


def _ranks(record: RunRecord) -> PageTable | None:
    if len(record.ranks) < 2:  # noqa: PLR2004 - side by side
        return None
    most = max((rank.mean_watts or 0.0 for rank in record.ranks), default=0.0)
    rows = [
        [
            Cell(str(rank.rank), float(rank.rank)),
            words(rank.host),
            figure(rank.joules, WATT_HOURS),
            figure(rank.mean_watts, POWER)._replace(share=(rank.mean_watts or 0.0) / most if most else None),
            count(rank.steps),
            Cell(duration(rank.duration_seconds), rank.duration_seconds),
            words(rank.status),
        ]
        for rank in record.ranks
    ]
    columns = [("rank", ">"), ("host", "<"), ("energy", ">"), ("mean power", ">"), ("steps", ">"), ("time", ">")]
    note = "Hardware that several ranks meter counts once, at one of them."
    return page_table("Ranks side by side", [*columns, ("status", "<")], rows, notes=[note])


def _elsewhere(record: RunRecord) -> PageTable | None:
    total, carbon = record.energy.total_joules, record.carbon
    if not total or not carbon.grams_co2e:
        return None
    energy = Energy.from_joules(total if record.machine is None else record.machine.joules)
    here = carbon.intensity
    known = {row.iso2: row for row in regions()} | {row.iso3: row for row in regions()}
    name = known[here.region].name if here.region in known else here.region
    priced = [(f"{name} (this run)", here.value, here.year, carbon.grams_co2e)]
    for code in PLACES:
        row = known[code]
        if row.iso3 != here.region:
            grams = mass_of(energy, carbon.pue, _at(record, row.grams_per_kilowatt_hour)).grams
            priced.append((row.name, row.grams_per_kilowatt_hour, row.year, grams))
    most = max(grams for *_, grams in priced)
    rows = [
        [
            words(name),
            Cell(digits(price), price),
            words("" if year is None else str(year)),
            Cell(amount(grams, CO2E), grams, grams / most),
            Cell(_beside(grams / carbon.grams_co2e), grams),
        ]
        for name, price, year, grams in sorted(priced, key=lambda place: place[3])
    ]
    columns = [("region", "<"), ("gCO2e/kWh", ">"), ("year", "<"), ("CO2e", ">"), ("difference", ">")]
    note = "The same energy and PUE at the yearly mean of other grids; location-based, life-cycle, of generation."
    return page_table("What it would have emitted elsewhere", columns, rows, notes=[note])


def _beside(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.0f} %" if ratio < _TWICE else f"{digits(ratio)} times"


def _at(record: RunRecord, value: float) -> Intensity:
    return replace(record.carbon.intensity, value=value)


def sources_of(record: RunRecord) -> Iterator[str]:
    """Every assumption and source of the figures of a record, a sentence each."""
    grid, pue = record.carbon.intensity, record.carbon.pue
    joules = record.energy.total_joules if record.machine is None else record.machine.joules
    if joules is not None:
        yield (
            f"CO2e is that of the {record.carbon.boundary}, site included: {amount(joules, WATT_HOURS)} x PUE "
            f"{pue.value:g} x {grid.value:g} gCO2e/kWh. Energy in tables is without PUE."
        )
    if record.carbon.series is not None:
        yield "The carbon intensity is that of the hours of the run, weighted by its power; the factor is their mean."
    year = f" of {grid.year}" if grid.year is not None else ""
    yield (
        f"Grid: {grid.place}{year}, {grid.low:g} to {grid.high:g} gCO2e/kWh, {grid.basis}, {grid.accounting}-based; "
        f"source: {grid.source}."
        + (" The region is assumed, as nobody said where this ran: give region=." if grid.assumed else "")
    )
    yield f"PUE: {pue.low:g} to {pue.high:g}; source: {pue.source}." + (
        " It is assumed, as nobody said what the site's is: give pue=." if pue.assumed else ""
    )
    yield from _how_metered(record)
    for overlap in record.overlaps:
        yield (
            f"About {amount(overlap.joules, WATT_HOURS)} are in the record of run {overlap.run_id} of project "
            f"{overlap.project}, too, which metered the same hardware."
        )
    if record.carbon.grams_co2e is not None:
        equivalent = equivalent_of(CarbonMass(record.carbon.grams_co2e))
        if equivalent is not None:
            yield f"Equivalent: {equivalent.sentence}; for orders of magnitude."
    yield from ranges_of(record)
    if record.location:
        yield f"Record: {printable(record.location)}"


def _how_metered(record: RunRecord) -> Iterator[str]:
    """What stands behind the energy of each part, and what is not in it."""
    energy = record.energy
    methods: dict[tuple[str, str], list[str]] = {}
    for domain in energy.domains:
        methods.setdefault((domain.provenance, domain.method), []).append(domain.name)
    for (provenance, method), names in methods.items():
        yield f"{provenance.capitalize()}: {_named(names)}: {method}."
    for told in rests_assumed(record.machine):
        yield f"{told[:1].upper()}{told[1:]}."
    if energy.total_joules:
        yield f"Readings cover {percent(energy.coverage_ratio)} of the run, mean over the hardware that is summed."
    for finding in energy.absent:
        yield f"Not metered: {finding.subject}: {finding.reason}." + (
            f" What would help: {finding.fix}" if finding.fix else ""
        )


def _named(names: Iterable[str]) -> str:
    known = [*dict.fromkeys(names)]
    more = f" and {len(known) - 4} more" if len(known) > 4 else ""  # noqa: PLR2004 - four names make a line
    return ", ".join(known[:4]) + more
