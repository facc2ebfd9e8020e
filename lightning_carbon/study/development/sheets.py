"""A development as tables of text and as plain values. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.carbon.equivalents import equivalent_of
from lightning_carbon.records.numbers import NOTHING, duration, percent
from lightning_carbon.report.sheets import Column, Sheet, sheet_of
from lightning_carbon.study.development.development import DevelopmentPart, JobShare
from lightning_carbon.study.rows import number, pair, tonnes
from lightning_carbon.units import HOURS_PER_DAY, SECONDS_PER_DAY, SECONDS_PER_HOUR, CarbonMass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lightning_carbon.study.development.development import Development
    from lightning_carbon.study.rows import Pair

_RANGES = "Ranges, in brackets, follow from those of sensors, PUE and grid; they are no confidence intervals."


def development_sheets(development: Development, pricing: Sequence[str]) -> tuple[Sheet, ...]:
    """Three tables: the study's Table 4 of this project, how its runs ended, and how long they took.

    Args:
        development: What was added up.
        pricing: The prices and factors, a sentence each.
    """
    whole = development.whole
    ranged = any(part.range is not None and _has_width(part.range.co2e_kg) for part in development.parts)
    notes = [*_choices(development), *pricing, *([_RANGES] if ranged else []), *_equivalent(whole)]
    return (
        sheet_of(
            f"The development of {development.project}",
            development.parts,
            _COLUMNS,
            notes=(*notes, *_missing(development)),
        ),
        _shares("How runs ended", "Status", development.statuses, notes=_span(development)),
        _shares("How long runs took", "Length", _filled(development.by_length), notes=_lengths(development)),
    )


def development_mapping(development: Development, method: str, pricing: Sequence[str]) -> dict[str, Any]:
    """A development as plain values (JSON types only).

    Args:
        development: What was added up.
        method: The name of what it was priced with.
        pricing: What that is, a sentence each.
    """
    ratios = {share.name: share.job_ratio for share in development.statuses}
    return {
        "project": development.project,
        "method": method,
        "rows": [_part_mapping(part) for part in development.parts],
        "first_started_at": development.first.isoformat(),
        "last_ended_at": development.last.isoformat(),
        "days": development.days,
        "jobs": development.whole.jobs,
        "model": development.model,
        "sweeps": development.sweeps,
        "failed_ratio": ratios.get("failed", 0.0),
        "statuses": [asdict(share) for share in development.statuses],
        "job_hours": asdict(development.lengths),
        "counted_twice_kwh": development.twice_kwh,
        "job_lengths": [asdict(share) for share in development.by_length],
        "notes": [*_choices(development), *pricing, *_missing(development)],
    }


def _part_mapping(part: DevelopmentPart) -> dict[str, Any]:
    mapping = asdict(part)
    mapping["unpriced"] = list(part.unpriced)
    for name in ("computed", "range"):
        if mapping[name] is not None:
            mapping[name] = {
                key: list(value) if isinstance(value, tuple) else value for key, value in mapping[name].items()
            }
    return mapping


def _with_range(value: float | None, ends: Pair | None) -> str:
    text = number(value)
    return f"{text} ({pair(ends)})" if ends is not None and _has_width(ends) else text


def _ranged(name: str) -> Callable[[DevelopmentPart], str]:
    def cell(part: DevelopmentPart) -> str:
        return _with_range(getattr(part.computed, name), getattr(part.range, name, None))

    return cell


def _has_width(ends: Pair | None) -> bool:
    return ends is not None and ends[0] < ends[1]


_COLUMNS: Final = (
    Column[DevelopmentPart]("What", lambda part: part.name, "<"),
    Column[DevelopmentPart]("Runs", lambda part: f"{part.jobs:,}"),
    Column[DevelopmentPart]("Hours", lambda part: number(part.hours)),
    Column[DevelopmentPart]("GPU-hours", lambda part: number(part.gpu_hours)),
    Column[DevelopmentPart]("kWh × PUE", _ranged("kwh_pue")),
    Column[DevelopmentPart]("CO2e, lb", _ranged("co2e_lbs")),
    Column[DevelopmentPart]("CO2e, kg", _ranged("co2e_kg")),
    Column[DevelopmentPart]("CO2e, t", lambda part: tonnes(part.computed)),
    Column[DevelopmentPart]("Cloud, USD", lambda part: pair(part.computed.cloud_usd)),
    Column[DevelopmentPart]("Electricity, USD", _ranged("electricity_usd")),
)


def _choices(development: Development) -> Iterator[str]:
    yield f"One model: {development.why_model}."
    yield f"One sweep: {development.why_sweep}."


def _equivalent(part: DevelopmentPart) -> Iterator[str]:
    kilograms = part.computed.co2e_kg
    equivalent = None if kilograms is None else equivalent_of(CarbonMass.from_kilograms(kilograms))
    if equivalent is not None:
        yield f"Everything is {equivalent.sentence}."


def _missing(development: Development) -> Iterator[str]:
    whole = development.whole
    running = sum(share.jobs for share in development.statuses if share.name == "running")
    if running:
        yield f"Still running, and counted as far as they have come: {running:,} of {whole.jobs:,} runs."
    if whole.modelled_ratio:
        share = percent(min(1.0, whole.modelled_ratio))
        yield f"Modelled, without a sensor behind it: {share} of the energy of everything."
    if development.twice_kwh:
        yield (
            f"Counted twice: about {number(development.twice_kwh)} kWh of everything (without PUE): runs metered "
            "the same hardware at the same time."
        )
    if whole.unmetered:
        yield f"Nothing could be metered in {whole.unmetered:,} of {whole.jobs:,} runs; only their hours count."
    if whole.gpu_hours is None:
        yield "No run had a GPU, so there are no GPU-hours and no cost in a cloud."
    if whole.unpriced:
        yield (f"No price in a cloud is known of {', '.join(whole.unpriced)}; --usd-per-gpu-hour LOW HIGH gives one.")


def _span(development: Development) -> list[str]:
    days, whole = development.days, development.whole
    lasted = f"{number(days)} days" if days >= 1 else duration(days * SECONDS_PER_DAY)
    runs = f"{whole.jobs:,} run{'' if whole.jobs == 1 else 's'}"
    text = f"{runs} over {lasted}, {development.first:%Y-%m-%d} to {development.last:%Y-%m-%d}"
    if days >= 1:
        text += f": {number(whole.jobs / days)} a day"
        if whole.gpu_hours is not None:
            text += f", {number(whole.gpu_hours / (days * HOURS_PER_DAY))} GPUs busy on average"
    return [f"{text}.", f"Sets of runs with names of one kind: {development.sweeps:,}."]


def _lengths(development: Development) -> list[str]:
    hours = development.lengths
    named = (("Shortest", hours.least), ("median", hours.median), ("mean", hours.mean), ("longest", hours.most))
    return [", ".join(f"{name} {duration(value * SECONDS_PER_HOUR)}" for name, value in named) + "."]


def _filled(shares: Sequence[JobShare]) -> Sequence[JobShare]:
    """The shares from the first to the last that holds a run."""
    held = [place for place, share in enumerate(shares) if share.jobs]
    return shares[held[0] : held[-1] + 1]


def _shares(title: str, of: str, shares: Sequence[JobShare], *, notes: Sequence[str]) -> Sheet:
    columns = (
        Column[JobShare](of, lambda share: share.name, "<"),
        Column[JobShare]("Runs", lambda share: f"{share.jobs:,}"),
        Column[JobShare]("Share of runs", lambda share: percent(share.job_ratio)),
        Column[JobShare]("Hours", lambda share: number(share.hours)),
        Column[JobShare](
            "Share of energy", lambda share: NOTHING if share.energy_ratio is None else percent(share.energy_ratio)
        ),
    )
    return sheet_of(title, shares, columns, notes=notes)
