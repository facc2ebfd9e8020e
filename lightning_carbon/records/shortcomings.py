"""What a summary says of what a record does not have, or not as well as it might. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import kind_word
from lightning_carbon.ports import ACCELERATOR
from lightning_carbon.records.numbers import duration, percent
from lightning_carbon.records.said import Line, grouped, item
from lightning_carbon.units import KILO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.ports import Finding
    from lightning_carbon.records.run import DomainRecord, RunRecord

_WELL_COVERED = 0.99
"""The coverage below which a line reports it; the ends of a run, which fall between two readings, cost less."""


def unmetered_accelerators(record: RunRecord) -> list[Finding]:
    """The accelerators that the training computed on and that nothing could meter."""
    return [finding for finding in record.energy.absent if finding.source == ACCELERATOR]


def missing(record: RunRecord) -> list[Line]:
    """What is not measured, or in part, and why."""
    lines = [*_of_domains(record), *_of_parts(record), *_of_ranks(record)]
    absent = (((finding.source, finding.reason, finding.fix), finding.subject) for finding in record.energy.absent)
    for (source, reason, fix), subjects in grouped(absent):
        said = f"{subjects}: not metered" if source == ACCELERATOR else f"{source}: {subjects}"
        lines += item(f"{said}: {reason}")
        if fix:
            lines.append(Line(fix, "    fix: ", wraps=False))
    return [Line("Not measured"), *lines] if lines else []


def _of_domains(record: RunRecord) -> Iterator[Line]:
    for domain in record.energy.domains:
        covered = f"readings cover {percent(domain.coverage_ratio)} of the run, the rest is not counted"
        if domain.lost is not None:
            yield from item(f"lost: {named(domain)}: {domain.lost}; {covered}")
        elif domain.coverage_ratio < _WELL_COVERED:
            yield from item(f"in part: {named(domain)}: {covered}")
        if domain.replaced is not None:
            after = (
                "" if domain.replaced_after_seconds is None else f", after {duration(domain.replaced_after_seconds)}"
            )
            yield from item(f"by another sensor{after}: {named(domain)}: {domain.replaced}; now {domain.method}")


def _of_parts(record: RunRecord) -> Iterator[Line]:
    slowest = max((domain.cadence_seconds or 0.0 for domain in record.energy.domains), default=0.0)
    for phase in record.energy.parts:
        if short := unresolved_parts(record, phase):
            yield from item(
                f"in part: {phase}: {', '.join(short)} (unresolved): they last less than the {KILO * slowest:.3g} ms "
                "that the slowest sensor needs for a new figure, so time alone divides their energy"
            )


def _of_ranks(record: RunRecord) -> Iterator[Line]:
    failed = ((rank.step_clock_reason, f"rank {rank.rank}") for rank in record.ranks if rank.step_clock_reason)
    for reason, ranks in grouped(failed):
        where = f" of {ranks}" if record.world_size > 1 else ""
        yield from item(f"in part: ends of steps{where}: the device's clock failed, so some are the host's: {reason}")
    lists = (((rank.missing_steps, rank.missing_steps_reason), f"rank {rank.rank}") for rank in record.ranks)
    for (count, why), ranks in grouped(lists):
        where = f" of {ranks}" if record.world_size > 1 else ""
        if count:
            yield from item(f"in part: list of steps{where}: {count:,} steps are missing in it: {why}")


def unresolved_parts(record: RunRecord, phase: str) -> list[str]:
    """The parts of a phase that are shorter than the news of a sensor are apart, of those that totals sum."""
    domains = record.energy.domains
    ids = {domain.id for domain in domains}
    short = {part for domain in domains if domain.parent not in ids for part in domain.unresolved.get(phase, ())}
    return [part for part in record.energy.parts.get(phase, {}) if part in short]


def named(domain: DomainRecord) -> str:
    """A domain for people: its name, after its kind where the name does not say it."""
    word = kind_word(domain.kind)
    return domain.name if domain.name.casefold().startswith(word.casefold()) else f"{word} {domain.name}"
