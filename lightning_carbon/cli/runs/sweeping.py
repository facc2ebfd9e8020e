"""``lightning-carbon runs sweep``: what the trials of a search took, and what they gained."""

from __future__ import annotations

from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import typer

from lightning_carbon.cli.forms import Form
from lightning_carbon.cli.output import show
from lightning_carbon.cli.runs.choosing import known_runs
from lightning_carbon.cli.runs.figures import csv_of
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.courses import read_course
from lightning_carbon.ledger.filters import RunFilter, near_words
from lightning_carbon.records.numbers import CO2E, NOTHING, WATT_HOURS, amount, duration, percent, printable
from lightning_carbon.records.sweeps import SweepSum, TrialSum, sweep_sum
from lightning_carbon.records.trial import Direction
from lightning_carbon.report.sheets import Column, Sheet, sheet_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.cli.runs.choosing import Runs
    from lightning_carbon.records.numbers import Scale
    from lightning_carbon.records.run import RunRecord


def show_sweep(
    name: str | None,
    ledger: str | None,
    project: str | None,
    *,
    metric: str | None,
    direction: str | None,
    form: Form | None,
) -> None:
    """Print the sum of a sweep.

    Args:
        name: The sweep, or a pattern of names of runs; the sweep of the last trial where none is given.
        ledger: The folder of all runs that the user named, if any.
        project: The project, if only its runs count.
        metric: A metric that the trainer logged, whose last value counts where the search told none.
        direction: The direction in which a value is better; else as the search told.
        form: The form; ``None`` for CSV.

    Raises:
        ConfigError: There is no such sweep, metric or direction, no such folder, or no such project.
    """
    if direction is not None and direction not in {*Direction}:
        raise ConfigError("direction", direction, near_words(direction, Direction))
    runs = known_runs(ledger, project)
    sweep, records = _runs_of(runs, name)
    values = {} if metric is None else _last_values(runs, records, metric)
    found = sweep_sum(sweep, records, values=values, direction=direction, objective=metric)
    if form is None:
        typer.echo(csv_of([_plain(trial) for trial in found.trials]), nl=False)
    else:
        show(form, [_sheet(found)], asdict(found), label="sweep")


def _plain(trial: TrialSum) -> dict[str, object]:
    """The figures of a trial as a row of CSV, its hyperparameters in a text."""
    values = asdict(trial)
    values["parameters"] = _settings(trial)
    return values


def _runs_of(runs: Runs, name: str | None) -> tuple[str, list[RunRecord]]:
    """The runs of a sweep, with its name."""
    facts = runs.ledger.select(RunFilter(project=runs.project, sweep=name))
    swept = [run for run in facts if run.sweep is not None]
    if name is None:
        if not swept:
            fix = "no run of this ledger is a trial of a sweep; give a pattern of names of runs, such as 'trial-*'."
            raise ConfigError("sweep", None, fix)
        name = swept[-1].sweep or ""
        facts = swept
    of_sweep = [run for run in facts if run.sweep == name] or [
        run for run in facts if fnmatchcase(run.sweep or run.run_name or "", name)
    ]
    names = {run.sweep for run in of_sweep}
    if len(names) > 1:
        several = ", ".join(sorted(str(sweep) for sweep in names))
        raise ConfigError("sweep", name, f"it fits several sweeps, {several}; name one of them.")
    if not of_sweep:
        known = {run.sweep for run in runs.ledger.select(RunFilter(project=runs.project)) if run.sweep}
        fix = near_words(name, sorted(known)) if known else "no run of this ledger is a trial of a sweep."
        raise ConfigError("sweep", name, fix)
    records = [record for run in of_sweep if (record := runs.ledger.record(run)) is not None]
    return str(of_sweep[0].sweep or name), records


def _last_values(runs: Runs, records: Sequence[RunRecord], metric: str) -> dict[str, float]:
    """The last value of a metric that the trainer of each run logged."""
    courses = {record.run_id: read_course(runs.ledger.folder(record)) for record in records}
    logged = sorted({name for course in courses.values() if course is not None for name in course.metrics})
    if metric not in logged:
        none = "the trainers of these runs have logged no metric beside the meter."
        raise ConfigError("metric", metric, near_words(metric, logged) if logged else none)
    points = {run: course.metrics.get(metric) for run, course in courses.items() if course is not None}
    return {run: known[-1].value for run, known in points.items() if known}


def _settings(trial: TrialSum) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in (trial.parameters or {}).items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _sheet(found: SweepSum) -> Sheet:
    objective = printable(found.objective or "Value")

    def told(value: float | None, unit: Scale) -> str:
        return NOTHING if value is None else amount(value, unit)

    columns: list[Column[TrialSum]] = [
        Column("SweepTrial", lambda trial: f"{printable(trial.name)}{' (best)' if trial.is_best else ''}", "<"),
        Column("State", lambda trial: trial.state, "<"),
        Column(objective, lambda trial: NOTHING if trial.value is None else f"{trial.value:.6g}"),
        Column("Duration", lambda trial: duration(trial.seconds)),
        Column("Energy", lambda trial: told(trial.joules, WATT_HOURS)),
        Column("Share", lambda trial: _share(trial.joules, found.joules)),
        Column("CO2e", lambda trial: told(trial.grams_co2e, CO2E)),
    ]
    if found.gain is not None:
        columns.append(Column("Energy/gain", lambda trial: told(trial.joules_per_gain, WATT_HOURS)))
    if any(trial.parameters for trial in found.trials):
        columns.append(Column("Parameters", lambda trial: printable(_settings(trial)), "<"))
    return sheet_of(
        f"Sweep {printable(found.name)}: {len(found.trials)} trials", found.trials, columns, notes=_notes(found)
    )


def _notes(found: SweepSum) -> list[str]:
    states = ", ".join(
        f"{state} {amount(joules, WATT_HOURS)} ({_share(joules, found.joules)})"
        for state, joules in found.state_joules.items()
    )
    energy = amount(found.joules, WATT_HOURS)
    notes = [f"All: {energy}, {amount(found.grams_co2e, CO2E)}, {duration(found.seconds)}; {states}."]
    if found.best is None:
        lacks = "no value is known" if found.direction else "nothing says in which direction a value is better"
        notes.append(f"No trial is called the best: {lacks}; --metric NAME and --direction minimize say more.")
    else:
        notes.append(f"The best trial, {printable(found.best)}, has {percent(found.best_ratio or 0.0)} of the energy.")
    if found.joules_per_gain is not None:
        gain = f"{found.gain:.4g}"
        notes.append(
            f"The best value is better than the first by {gain}; the trials after the first took "
            f"{amount(found.joules_per_gain, WATT_HOURS)} for each unit of that. A trial's energy per gain counts what "
            "was spent since the best before it."
        )
    if found.twice_joules:
        twice = amount(found.twice_joules, WATT_HOURS)
        notes.append(f"About {twice} of the chips' energy are counted twice: trials metered the same hardware at once.")
    return notes


def _share(joules: float | None, of: float) -> str:
    return NOTHING if joules is None or not of else percent(joules / of)
