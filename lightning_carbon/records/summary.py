"""The summary of a record for people: its energy, its CO2e, and everything that was assumed.

Measured and modelled energy are never added without saying so, and unknown figures are left out or named. Content and
layout are separate, which lets a terminal and a page show the same figures: :func:`sections` has the content,
:func:`summarise` lays it out as plain text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.equivalents import equivalent_of
from lightning_carbon.carbon.intensity import MARGINAL
from lightning_carbon.energy.phases import Phase
from lightning_carbon.energy.readings import kind_word
from lightning_carbon.records.machine_rows import machine_rows, rests_assumed
from lightning_carbon.records.module_words import module_lines, module_notes
from lightning_carbon.records.numbers import (
    CO2E,
    ENERGY,
    POWER,
    WATT_HOURS,
    Scale,
    amount,
    duration,
    likely,
    percent,
    printable,
    shorten,
    span,
    table,
    wrap,
)
from lightning_carbon.records.said import NAMES, Line, Section, Table, grouped, item
from lightning_carbon.records.shortcomings import missing, named, unmetered_accelerators, unresolved_parts
from lightning_carbon.records.waste_said import waste_lines
from lightning_carbon.units import NANOSECONDS_PER_SECOND, CarbonMass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lightning_carbon.carbon.series import SeriesUse
    from lightning_carbon.records.run import DomainRecord, RunRecord

_NAME_WIDTH = 24
_ATTEMPTS = 5
"""The most attempts at a training that are listed; the last are."""

_ALIKE = 0.0005
"""A range whose halves differ by less, as shares, is told by one figure."""

_MODELLED = "modelled"

_TRAIN = "train"
_DATA = "data"
_PART_NAMES = {_DATA: "data wait"}
_PHASES = frozenset(Phase)


def summarise(record: RunRecord) -> str:
    """Write a record for people, as plain text of about 100 columns.

    Args:
        record: The record of a run, ended or not.

    Returns:
        Several lines, without an end of line at the end.
    """
    return "\n\n".join("\n".join(map(printable, _laid_out(section))) for section in sections(record))


def sections(record: RunRecord) -> list[Section]:
    """The content of the summary, in the order in which people want to know; the first line is its title.

    Args:
        record: The record of a run, ended or not.
    """
    said: list[Section | None] = [[Line(_title(record), wraps=False)]]
    total = record.energy.total_joules
    if total is None:
        said.append([Line("Energy: not known, since nothing on this machine could be metered.")])
        said.append([Line(f"{finding.subject}: not metered") for finding in unmetered_accelerators(record)])
    else:
        said += [
            _domains(record, total),
            _phases(record, total),
            _roles(record, total),
            _not_training(record, total),
            waste_lines(record.waste),
            module_lines(record.modules, record.step_joules),
            module_notes(record.modules, record.step_joules),
        ]
    said += [_steps(record), _carbon(record), _budget(record), _attempts(record)]
    said += [_assumed(record), missing(record), _twice(record), [Line(_location(record), wraps=False)]]
    return [section for section in said if section]


def _laid_out(section: Section) -> list[str]:
    if isinstance(section, Table):
        return table(section.rows, section.align)
    lines: list[str] = []
    for line in section:
        lines += wrap(line.text, first=line.first, rest=line.rest) if line.wraps else [line.first + line.text]
    return lines


def _title(record: RunRecord) -> str:
    name = f"{record.run_name} ({record.run_id})" if record.run_name else record.run_id
    state = "running for" if record.status == "running" else f"{record.status} after"
    subject = "" if record.subject is None else f", metering {record.subject}"
    return f"Run {name} of project {record.project}{subject}: {state} {duration(record.duration_seconds)}"


def _domains(record: RunRecord, total: float) -> Table:
    energy = record.energy
    rows: list[tuple[str, ...]] = [("Domain", "", "energy", "share", "mean power", "covered", "how")]
    for domain, parent in _by_parent(energy.domains):
        known = domain.coverage_ratio > 0 or domain.joules > 0
        rows.append(
            (
                f"  {'  ' if parent else ''}{kind_word(domain.kind)}",
                shorten(domain.name, _NAME_WIDTH),
                amount(domain.joules, ENERGY) if known else "not read",
                "within" if parent else _share(domain.joules, total) if known else "",
                _power(domain.joules, record.duration_seconds) if known else "",
                percent(domain.coverage_ratio),
                _how(domain),
            )
        )
    rows += [(f"  {finding.subject}", "", "not metered", "", "", "", "") for finding in unmetered_accelerators(record)]
    bounds = _range(energy.low_joules, energy.high_joules, ENERGY, value=total)
    how = [likely(energy.interval, ENERGY, like=total) or bounds]
    if energy.measured_joules and energy.modelled_joules:
        rows.append(_part(record, "measured", energy.measured_joules, how="read from sensors"))
        rows.append(_part(record, _MODELLED, energy.modelled_joules, how="computed, no sensor"))
    else:
        how.append("all modelled" if energy.modelled_joules else "all measured")
    words = ", ".join(word for word in how if word)
    rows.append(_part(record, "total", total, how=words, covered=percent(energy.coverage_ratio)))
    if record.machine is not None:
        rows += machine_rows(record.machine, record.duration_seconds)
    return Table(rows, "<<>>>><")


def _part(record: RunRecord, name: str, joules: float, *, how: str, covered: str = "") -> tuple[str, ...]:
    power = _power(joules, record.duration_seconds)
    return (f"  {name}", "", amount(joules, ENERGY), _share(joules, record.energy.total_joules), power, covered, how)


def _phases(record: RunRecord, total: float) -> Table | None:
    rows: list[tuple[str, ...]] = [("Phase", "energy", "share", "mean power", "time")]
    for phase, joules in record.energy.phases.items():
        rows.append(_spent(f"  {phase}", joules, record.phase_seconds.get(phase), total=total))
        seconds = record.part_seconds.get(phase, {})
        unresolved = unresolved_parts(record, phase)
        rows += [
            _spent(f"    {_part_name(part, unresolved)}", joules, seconds.get(part), total=total)
            for part, joules in record.energy.parts.get(phase, {}).items()
        ]
    return Table(rows, "<>>>>") if record.energy.phases else None


def _part_name(part: str, unresolved: Collection[str]) -> str:
    return _PART_NAMES.get(part, part) + (" (unresolved)" if part in unresolved else "")


def _spent(name: str, joules: float, seconds: float | None, *, total: float) -> tuple[str, ...]:
    power = _power(joules, seconds) if seconds else ""
    return (name, amount(joules, ENERGY), _share(joules, total), power, "" if seconds is None else duration(seconds))


def _roles(record: RunRecord, total: float) -> list[Line]:
    """The energy by role, where processes joined the run."""
    roles = record.energy.roles.items()
    said = ", ".join(f"{name} {amount(joules, ENERGY)} ({_share(joules, total)})" for name, joules in roles)
    return [Line(f"By role: {said}.")] if said else []


def _not_training(record: RunRecord, total: float) -> list[Line]:
    """The energy beside training, the largest first, since people can act on it."""
    energy = record.energy
    if _TRAIN not in energy.phases or not total:
        return []
    # Phases of a program's own, such as rollouts, may be a part of training.
    beside = {name: joules for name, joules in energy.phases.items() if name != _TRAIN and name in _PHASES}
    seconds = [record.phase_seconds.get(name, 0.0) for name in beside]
    if _TRAIN in energy.parts:
        beside = {"waiting for data": energy.parts[_TRAIN].get(_DATA, 0.0), **beside}
        seconds.append(record.part_seconds.get(_TRAIN, {}).get(_DATA, 0.0))
    whole_seconds = sum(record.phase_seconds.values())
    time = f", {percent(min(1.0, sum(seconds) / whole_seconds))} of the time" if whole_seconds else ""
    named = sorted(((joules, name) for name, joules in beside.items()), key=lambda pair: -pair[0])
    names = ", ".join(f"{name} {percent(joules / total)}" for joules, name in named)
    line = f"{percent(min(1.0, sum(beside.values()) / total))} of the energy{time}" + (f": {names}" if names else "")
    lines = [Line(line, "Not training  ", " " * 14)]
    if _TRAIN not in energy.parts:
        lines.append(Line('waiting for data counts as training here; detail="step" shows it separately', " " * 14))
    return lines


def _steps(record: RunRecord) -> list[Line]:
    counts: dict[str, int | None] = {"step": record.steps or None, "sample": record.samples, "token": record.tokens}
    known = {name: count for name, count in counts.items() if count is not None}
    if not known:
        return []
    line = ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in known.items())
    if record.step_joules is not None:
        joules = record.step_joules
        line += ": " + ", ".join(
            f"{amount(joules / count, ENERGY)} per {name}" for name, count in known.items() if count
        )
    lines = [Line(line, wraps=False)]
    if record.model is not None:
        lines.append(Line(record.model.sentence, "  "))
    if record.tokens and record.tokens_with_padding:
        lines.append(Line("padding, if there is any, counts as tokens: nothing on the host tells which it is", "  "))
    return lines


def _carbon(record: RunRecord) -> list[Line]:
    carbon, energy = record.carbon, record.energy
    if carbon.grams_co2e is None or carbon.low is None or carbon.high is None or energy.total_joules is None:
        return [Line("CO2e: not known, since the energy is not.")]
    grid, pue = carbon.intensity, carbon.pue
    joules = energy.total_joules if record.machine is None else record.machine.joules
    kwh, times = (
        f"{amount(joules, WATT_HOURS)} ({carbon.boundary})",
        f"PUE {pue.value:g}{_limits(pue.low, pue.value, pue.high)}",
    )
    price = f"{grid.value:g} gCO2e/kWh{_limits(grid.low, grid.value, grid.high)}"
    year = f" {grid.year}" if grid.year is not None else ""
    limits = _range(carbon.low, carbon.high, CO2E, value=carbon.grams_co2e)
    interval = likely(carbon.interval, CO2E, like=carbon.grams_co2e)
    ends = f", {interval}" if interval else f" ({limits})" if limits else ""
    lines = [
        Line(amount(carbon.grams_co2e, CO2E) + ends, "CO2e  "),
        *_under(f"= {kwh} × {times} × {price}"),
        *_under(f"grid: {grid.place}{year}, {grid.basis}, {grid.accounting}-based; {grid.source}"),
        *(_under(grid.scopes) if grid.scopes else ()),
        *_series(carbon.series),
        *_under(f"PUE: {pue.source}"),
    ]
    if limits and carbon.interval is None:
        lines += _under("The range follows from the ranges of energy, PUE and grid; it is not a confidence interval.")
    elif limits:
        chips = span(energy.low_joules, energy.high_joules, ENERGY, like=energy.total_joules)
        machine = record.machine
        plug = "" if machine is None else span(machine.low_joules, machine.high_joules, ENERGY, like=machine.joules)
        at_plug = f"; machine {plug}" if plug else ""
        lines += _under(f"bounds, all errors at their worst together: chips {chips}{at_plug}; CO2e {limits}")
    equivalent = equivalent_of(CarbonMass(carbon.grams_co2e))
    return lines + ([] if equivalent is None else _under(equivalent.sentence)) + _beside(record)


def _budget(record: RunRecord) -> list[Line]:
    return [] if record.budget is None else [Line(record.budget.sentence, "Budget  ")]


def _beside(record: RunRecord) -> list[Line]:
    """What stands beside the location-based figure, and is never netted with it."""
    market, scopes, water = record.carbon.market, record.carbon.scopes, record.water
    lines = []
    if scopes is not None:
        parts = (amount(grams, CO2E) for grams in (scopes.scope2_grams_co2e, scopes.scope3_grams_co2e))
        lines += _under("of which Scope 2 {}, Scope 3 category 3 {}".format(*parts))
    if market is not None:
        limits = _range(market.low, market.high, CO2E, value=market.grams_co2e)
        figure = amount(market.grams_co2e, CO2E) + (f" ({limits})" if limits else "")
        price = f"{market.intensity.value:g} gCO2e/kWh; {market.intensity.source}"
        lines += _under(f"market-based, beside it and never netted: {figure} at {price}")
    if water is not None:
        litres = f"{water.litres:.3g} litres{_limits(water.low, water.litres, water.high, digits=3)}"
        lines += _under(f"water of the site: {litres} at {water.wue.value:g} litres/kWh; {water.wue.source}")
    return lines


def _series(use: SeriesUse | None) -> list[Line]:
    """The part of a series in the price, with what it could not cover; a marginal series stands beside the price."""
    if use is None:
        return []
    mean, least, greatest = use.grams_per_kilowatt_hour, use.least, use.greatest
    if mean is None or least is None or greatest is None:
        lines = _under(f"series: {use.source} covers none of the run, which is priced without it")
    else:
        share = f"{percent(use.covered_ratio)} of the energy at {mean:.4g} gCO2e/kWh ({least:.4g} to {greatest:.4g})"
        rest = "" if use.covered_ratio >= 1 else f"; the rest at {use.rest.value:g} gCO2e/kWh"
        if use.signal == MARGINAL:
            share, rest = f"marginal, beside the figure and not in it: {share}", ""
        lines = _under(f"series: {use.source}: {share}{rest}")
    return lines + [line for note in use.notes for line in _under(f"series: {note}")]


def _attempts(record: RunRecord) -> Table | None:
    """All attempts at a training that was resumed; everything above is of this run alone."""
    if record.lineage is None or record.spent is None:
        return None
    spent, lineage = record.spent, record.lineage
    lost_joules, lost_grams = _less(spent.joules, lineage.joules), _less(spent.grams_co2e, lineage.grams_co2e)
    rows: list[tuple[str, ...]] = [
        ("Training", "energy", "CO2e", "steps", ""),
        ("  lineage", *_both(lineage.joules, lineage.grams_co2e), f"{lineage.steps:,}", "led to the model as it is"),
        ("  lost", *_both(lost_joules, lost_grams), f"{spent.steps - lineage.steps:,}", "kept by no checkpoint"),
        ("  spent", *_both(spent.joules, spent.grams_co2e), f"{spent.steps:,}", "all attempts"),
    ]
    older, shown = record.attempts[:-_ATTEMPTS], record.attempts[-_ATTEMPTS:]
    if older:
        rows.append(("  earlier", "", "", "", f"{len(older):,} more attempts"))
    for attempt in shown:
        means = f"{attempt.status}{', this run' if attempt.run_id == record.run_id else ''}"
        rows.append((f"  {attempt.run_id}", *_both(attempt.joules, attempt.grams_co2e), "", means))
    return Table(rows, "<>>><")


def _less(whole: float | None, part: float | None) -> float | None:
    return None if whole is None or part is None else max(0.0, whole - part)


def _both(joules: float | None, grams: float | None) -> tuple[str, str]:
    return "" if joules is None else amount(joules, ENERGY), "" if grams is None else amount(grams, CO2E)


def _assumed(record: RunRecord) -> list[Line]:
    grid, pue = record.carbon.intensity, record.carbon.pue
    priced = record.carbon.grams_co2e is not None
    lines = []
    if grid.assumed and priced:
        lines += item(
            f"region: nobody said where this ran, so the average of {grid.place} is assumed, "
            f"{grid.value:g} gCO2e/kWh; give region= or intensity="
        )
    if pue.assumed and priced:
        lines += item(f"PUE: nobody said what the site's is, so {pue.value:g} is assumed; give pue=")
    modelled = [domain for domain in record.energy.domains if domain.provenance == _MODELLED]
    for method, names in grouped((domain.method, named(domain)) for domain in modelled):
        lines += item(f"modelled: {names}: {method}")
    for told in rests_assumed(record.machine):
        lines += item(told)
    return [Line("Assumed"), *lines] if lines else []


def _twice(record: RunRecord) -> list[Line]:
    """The energy that is in the records of other runs, too."""
    lines = []
    for overlap in record.overlaps:
        about = f"about {amount(overlap.joules, ENERGY)} in {duration(overlap.seconds)}"
        names = ", ".join(overlap.domains[:NAMES])
        lines += item(f"{about}: {names}: run {overlap.run_id} of project {overlap.project} metered the same hardware")
    return [Line("Counted in other runs, too"), *lines] if lines else []


def _location(record: RunRecord) -> str:
    return f"Record: {record.location}" if record.location else "Record: not stored"


def _how(domain: DomainRecord) -> str:
    low, high = domain.low_joules, domain.high_joules
    below = above = domain.uncertainty_ratio
    if low is not None and high is not None and domain.joules:
        below, above = 1 - low / domain.joules, high / domain.joules - 1
    if not (below or above):
        return domain.provenance
    if abs(below - above) < _ALIKE:
        return f"{domain.provenance} ±{100 * above:.3g} %"
    return f"{domain.provenance} -{100 * below:.2g}/+{100 * above:.2g} %"


def _share(joules: float, total: float | None) -> str:
    return percent(joules / total) if total else ""


def _power(joules: float, seconds: float) -> str:
    # Clocks count nanoseconds: a shorter time is zero, and cannot be a divisor.
    return amount(joules / seconds, POWER) if seconds * NANOSECONDS_PER_SECOND >= 1 else ""


def _under(text: str) -> list[Line]:
    return [Line(text, "      ", "        ")]


def _range(low: float, high: float, scale: Scale, *, value: float) -> str:
    return span(low, high, scale, like=value) if low < high else ""


def _limits(low: float, value: float, high: float, *, digits: int = 6) -> str:
    return f" ({low:.{digits}g} to {high:.{digits}g})" if low < value or value < high else ""


def _by_parent(
    domains: tuple[DomainRecord, ...], parent: DomainRecord | None = None, above: frozenset[str] = frozenset()
) -> Iterator[tuple[DomainRecord, DomainRecord | None]]:
    """Every domain right after the domain that includes it, and paired with it; a circle ends where it began."""
    ids = {domain.id for domain in domains}
    for domain in domains:
        inside = domain.parent == parent.id and domain.id not in above if parent else domain.parent not in ids
        if inside:
            yield domain, parent
            yield from _by_parent(domains, domain, above | {domain.id})
