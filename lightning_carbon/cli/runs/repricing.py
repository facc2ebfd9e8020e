"""``lightning-carbon runs reprice``: footprints again, from the energy in records, which stay as they are."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from lightning_carbon.carbon.footprint import Footprint, footprint
from lightning_carbon.carbon.intensity import MARGINAL
from lightning_carbon.carbon.series import EnergyProfile, SeriesUse, use_of
from lightning_carbon.cli.output import show_sheet
from lightning_carbon.cli.runs.choosing import known_runs
from lightning_carbon.cli.runs.figures import csv_of
from lightning_carbon.cli.runs.totals import check_forms
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.live.plans import LivePlan
from lightning_carbon.ledger.courses import read_course
from lightning_carbon.ledger.files import to_json
from lightning_carbon.records.course import NO_COURSE, Course
from lightning_carbon.records.fields import plain
from lightning_carbon.records.numbers import CO2E, NOTHING, WATT_HOURS, amount, percent, printable, span
from lightning_carbon.records.power_profile import energy_profile_of
from lightning_carbon.report.sheets import Column, sheet_of
from lightning_carbon.settings.grid_checks import AUTO
from lightning_carbon.settings.pricing import PUE, grid_in_force
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.records.run import RunRecord


@dataclass(frozen=True, slots=True)
class _Repriced:
    """A run that is priced again.

    Args:
        record: Its record.
        again: The footprint of its energy by the other factors; ``None`` where it has no energy.
        use: The part of a series in the price; ``None`` without a series.
    """

    record: RunRecord
    again: Footprint | None
    use: SeriesUse | None = None


def reprice_runs(
    text: str | None,
    ledger: str | None,
    project: str | None,
    *,
    place: Mapping[str, Any],
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print the footprints of a run or of a project, as recorded and by other factors.

    Args:
        text: The run, or the name of a project; ``None`` for the project that is given apart.
        ledger: The folder of all runs that the user named, if any.
        project: The project, if it is given.
        place: The region, the intensity and the PUE that the user gave; what is not given stays as recorded.
        as_json: Whether JSON is printed.
        as_csv: Whether CSV is printed.

    Raises:
        ConfigError: Neither a run nor a project is named, or nothing to price them by; or something cannot be used.
    """
    check_forms(as_json=as_json, as_csv=as_csv)
    if text is None and project is None:
        raise ConfigError("project", None, "name a run, or --project for all runs of a project.")
    if all(given is None for given in place.values()):
        raise ConfigError("region", None, "give what to price by, such as --region SE --pue 1.1.")
    intensity = series = None
    if place["region"] is not None or place["intensity"] is not None:
        intensity, series = grid_in_force(place["region"], place["intensity"], {})
    if isinstance(series, LivePlan):
        fix = "a provider is asked while a run goes on; give the file of a series, or a number."
        raise ConfigError("intensity", place["intensity"], fix)
    pue = None if place["pue"] is None else PUE.check(place["pue"])
    runs = known_runs(ledger, project)
    meant = runs.project if text is None else runs.ledger.meant(text, runs.project)
    records = [meant] if meant is not None and not isinstance(meant, str) else [*runs.ledger.runs(meant)]

    def again(record: RunRecord) -> _Repriced:
        there = intensity if place["region"] in (None, AUTO) else intensity_of(place["region"], _year_of(record))
        if series is None:
            return _Repriced(record, _again(record, there, pue))
        rest = _rest(record) if place["region"] is None else there
        course = read_course(runs.ledger.folder(record))
        use = use_of(_profile(record, NO_COURSE if course is None else course), series, rest or _rest(record))
        return _Repriced(record, _again(record, use.intensity, pue), use)

    repriced = list(map(again, records))
    rows = [_plain(run) for run in repriced]
    if as_json:
        say(to_json({"runs": rows}, indent=2))
    elif as_csv:
        flat = [{**row, "intensity": row["intensity"]["value"], "pue": row["pue"]["value"]} for row in rows]
        typer.echo(csv_of(flat), nl=False)
    else:
        _show(repriced)


def _again(record: RunRecord, intensity: Intensity | None, pue: PowerUsage | None) -> Footprint | None:
    """The footprint of the energy of a record; factors that are not given are those of the record."""
    energy = record.priced_energy
    return None if energy is None else footprint(energy, pue or record.carbon.pue, intensity or record.carbon.intensity)


def _year_of(record: RunRecord) -> int:
    """The year in which a run began, which decides the factor of a place."""
    return datetime.fromisoformat(record.started_at).year


def _rest(record: RunRecord) -> Intensity:
    """The factor of a record without any series in it."""
    return record.carbon.intensity if record.carbon.series is None else record.carbon.series.rest


def _profile(record: RunRecord, course: Course) -> EnergyProfile:
    """The energy of a run over time; of constant power where no more is known."""
    started_at = datetime.fromisoformat(record.started_at).timestamp()
    if course.profile.strands:
        return energy_profile_of(course.profile, started_at)
    return EnergyProfile((started_at, started_at + record.duration_seconds), (0.0, record.energy.total_joules or 0.0))


def _plain(run: _Repriced) -> dict[str, Any]:
    record, again = run.record, run.again
    carbon = record.carbon
    return {
        "run_id": record.run_id,
        "project": record.project,
        "run_name": record.run_name,
        "energy_joules": record.energy.total_joules,
        "recorded_grams_co2e": carbon.grams_co2e,
        "grams_co2e": None if again is None else again.value.grams,
        "grams_co2e_low": None if again is None else again.low.grams,
        "grams_co2e_high": None if again is None else again.high.grams,
        "intensity": plain(carbon.intensity if again is None else again.intensity),
        "pue": plain(carbon.pue if again is None else again.pue),
        "series_ratio": None if run.use is None else run.use.covered_ratio,
    }


def _show(repriced: list[_Repriced]) -> None:
    def grams(value: float | None) -> str:
        return NOTHING if value is None else amount(value, CO2E)

    def bounds(run: _Repriced) -> str:
        again = run.again
        return NOTHING if again is None else span(again.low.grams, again.high.grams, CO2E, like=again.value.grams)

    def energy(run: _Repriced) -> str:
        joules = run.record.energy.total_joules
        return NOTHING if joules is None else amount(joules, WATT_HOURS)

    columns: list[Column[_Repriced]] = [
        Column("Run", lambda run: printable(run.record.run_name or run.record.run_id), "<"),
        Column("Energy", energy),
        Column("CO2e recorded", lambda run: grams(run.record.carbon.grams_co2e)),
        Column("CO2e again", lambda run: grams(None if run.again is None else run.again.value.grams)),
        Column("Range", bounds),
    ]
    recorded = sum(run.record.carbon.grams_co2e or 0.0 for run in repriced)
    again = sum(run.again.value.grams for run in repriced if run.again is not None)
    notes = [
        f"In all {grams(again)}, recorded {grams(recorded)}. The records stay as they are.",
        *_factors(repriced),
        *_shares(repriced),
    ]
    show_sheet(sheet_of("Priced again", repriced, columns, notes=notes), Console(highlight=False))


def _shares(repriced: list[_Repriced]) -> list[str]:
    """What a series covers of the runs, and what its reader has to say."""
    uses = [run.use for run in repriced if run.use is not None]
    shares = {f"{use.source}: {percent(use.covered_ratio)} of the energy at {_mean(use)}." for use in uses}
    if any(use.signal == MARGINAL for use in uses):
        shares.add("The series is marginal: it prices no run, and stands beside the figure.")
    return [*sorted(shares), *dict.fromkeys(note for use in uses for note in use.notes)]


def _mean(use: SeriesUse) -> str:
    return NOTHING if use.grams_per_kilowatt_hour is None else f"{use.grams_per_kilowatt_hour:.4g} gCO2e/kWh"


def _factors(repriced: list[_Repriced]) -> list[str]:
    """The factors, each once, with their sources."""
    return list(
        dict.fromkeys(
            f"{again.intensity.value:g} gCO2e/kWh ({again.intensity.region}, {again.intensity.source}"
            f"{f', {again.intensity.year}' if again.intensity.year else ''}), PUE {again.pue.value:g}"
            f"{' (assumed)' if again.pue.assumed else ''}."
            for again in (run.again for run in repriced)
            if again is not None
        )
    )
