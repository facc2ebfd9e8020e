"""``lightning-carbon grid what-if``: a run, or an energy, at other places, hours and sites."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lightning_carbon.carbon.intensity import MARGINAL, Intensity, PowerUsage
from lightning_carbon.carbon.starts import starts_of
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.carbon.what_if import Alternative, Elsewhere, what_if
from lightning_carbon.cli.alternatives import places_of
from lightning_carbon.cli.grid.best import positive
from lightning_carbon.cli.grid.pictures import save
from lightning_carbon.cli.output import show
from lightning_carbon.cli.runs.choosing import find_run
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.series import read_series
from lightning_carbon.records.numbers import ENERGY, amount
from lightning_carbon.report.elsewhere import elsewhere_mapping, elsewhere_sheet
from lightning_carbon.settings.pricing import PUE, intensity_in_force, pue_in_force
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, SECONDS_PER_HOUR, Energy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lightning_carbon.cli.forms import Form

SCHEMA: Final = 1


class Asked(NamedTuple):
    """The question.

    Args:
        run: The run, by id, beginning of an id, or name.
        kwh: An energy instead, in kWh.
        regions: Other places: codes by commas, ``"default"`` or ``"all"``.
        pues: Other PUEs, by commas.
        series: The file of a series, for other hours.
        hours: The length of the job, where no run says it.
    """

    run: str | None
    kwh: float | None
    regions: str
    pues: str | None
    series: Path | None
    hours: float | None


class _Subject(NamedTuple):
    """An energy and its present conditions."""

    name: str
    energy: Bounds[Energy]
    here: Alternative
    hours: float | None
    word: str


def show_what_if(
    asked: Asked,
    place: Mapping[str, Any],
    *,
    ledger: str | None,
    project: str | None,
    plot: Path | None,
    form: Form,
) -> None:
    """Print the same energy at other places, hours and sites, the cleanest first.

    Args:
        asked: The question.
        place: ``region``, ``intensity`` and ``pue`` of an energy that is no run.
        ledger: The folder of the runs.
        project: The project of the run.
        plot: The file of a picture, if wanted.
        form: The form of the output.

    Raises:
        ConfigError: An argument cannot be used, or there is no such run.
    """
    subject = _run(asked.run, ledger, project) if asked.run is not None else _energy(asked, place)
    if asked.run is not None and asked.kwh is not None:
        raise ConfigError("kwh", asked.kwh, f"the run {asked.run!r} is given, too; leave one out.")
    for name in ("region", "intensity", "pue"):
        if asked.run is not None and place[name] is not None:
            raise ConfigError(name, place[name], "the record of the run says it; other ones are --regions and --pues.")
    others = places_of(asked.regions, subject.here.pue, argument="regions")
    notes: list[str] = []
    if asked.pues is not None:
        others += _sites(asked.pues, subject.here)
    if asked.series is not None:
        hours, notes = _hours(asked.series, asked.hours or subject.hours, subject.here)
        others += hours
    rows = what_if(subject.energy, subject.here, others)
    title = f"{subject.name} elsewhere"
    notes += _notes(rows)
    mapping = {
        "schema": SCHEMA,
        "energy_kwh": {end: getattr(subject.energy, end).kilowatt_hours for end in ("value", "low", "high")},
        "what_if": [{**elsewhere_mapping(row), "is_here": row.is_here} for row in rows],
    }
    show(form, [elsewhere_sheet(title, rows, here=subject.word, notes=notes)], mapping, label="what-if")
    if plot is not None:
        from lightning_carbon.report.intensity_figure import elsewhere_figure

        save(partial(elsewhere_figure, rows, title), plot, "plot")


def _run(text: str, ledger: str | None, project: str | None) -> _Subject:
    record = find_run(text, ledger, project)
    energy = record.priced_energy
    if energy is None:
        raise ConfigError("run", text, "nothing could be metered in this run, so there is no energy to price.")
    here = Alternative(record.carbon.intensity.place, record.carbon.intensity, record.carbon.pue)
    name = f"{record.run_name or record.run_id}: {amount(energy.value.joules, ENERGY)}"
    return _Subject(name, energy, here, record.duration_seconds / SECONDS_PER_HOUR or None, "as run")


def _energy(asked: Asked, place: Mapping[str, Any]) -> _Subject:
    kwh = positive("kwh", asked.kwh, "give a run, or an energy in kWh above 0, such as 120.")
    intensity = intensity_in_force(place["region"], place["intensity"])
    here = Alternative(intensity.place, intensity, pue_in_force(place["pue"], intensity))
    energy = Bounds.exactly(Energy.from_joules(kwh * JOULES_PER_KILOWATT_HOUR))
    return _Subject(f"{kwh:g} kWh", energy, here, asked.hours, "here")


def _sites(pues: str, here: Alternative) -> list[Alternative]:
    sites = []
    for text in pues.split(","):
        try:
            ratio: PowerUsage = PUE.check(PUE.parse(text.strip()))
        except ConfigError as error:
            raise ConfigError("pues", error.value, error.fix) from None
        sites.append(Alternative(f"PUE {ratio.value:g}", here.intensity, ratio))
    return sites


def _hours(path: Path, hours: float | None, here: Alternative) -> tuple[list[Alternative], list[str]]:
    """The hours of the day to begin at, by a series, with what is to be said of them."""
    length = positive("hours", hours, "give the length of the job, such as 6.")
    series = read_series(path, argument="series")
    if series.signal == MARGINAL:
        fix = "it is marginal, and the table has average factors, with which it is never mixed; see grid best."
        raise ConfigError("series", str(path), fix)
    starts = starts_of(series, length)
    if starts is None:
        raise ConfigError("series", str(path), f"none of its stretches without gaps has {length:g} h.")

    def at(name: str, grams: Bounds[float]) -> Alternative:
        found = Intensity(
            *(grams.value, grams.low, grams.high),
            source=series.source,
            year=None,
            basis=series.basis,
            region=series.region or "custom",
            assumed=False,
        )
        return Alternative(name, found, here.pue)

    best, worst = starts.by_hour[0], starts.by_hour[-1]
    rows = [
        at(f"best start, {best.hour:02d}:00 UTC", best.grams),
        at("mean of all starts", starts.all),
        at(f"worst start, {worst.hour:02d}:00 UTC", worst.grams),
    ]
    note = f"starts: {length:g} h at constant power, by hour of the day; {series.source}, {series.basis}"
    return rows, [note, *series.notes]


def _notes(rows: tuple[Elsewhere, ...]) -> Iterator[str]:
    bases = {row.footprint.intensity.basis for row in rows}
    if len(bases) > 1:
        yield f"The factors count different emissions, and differ by that, too: {'; '.join(sorted(bases))}."
    here = next(row for row in rows if row.is_here)
    if here.footprint.intensity.assumed:
        yield f"{here.name} is assumed, since nobody said where; give --region."
