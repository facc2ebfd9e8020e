"""``lightning-carbon runs beside``: runs side by side, each with its energy to reach a metric's value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.console import Console

from lightning_carbon.cli.output import show_sheet
from lightning_carbon.cli.runs.choosing import known_runs
from lightning_carbon.cli.runs.figures import csv_of
from lightning_carbon.cli.runs.totals import check_forms
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.courses import read_course
from lightning_carbon.ledger.files import to_json
from lightning_carbon.ledger.filters import near_words
from lightning_carbon.records.numbers import CO2E, ENERGY, NOTHING, WATT_HOURS, amount, duration, percent, printable
from lightning_carbon.report.sheets import Column, sheet_of
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.records.course import Course, MetricPoint
    from lightning_carbon.records.run import RunRecord

_LEAST_RUNS: Final = 2

Goal = tuple[str | None, float | None]
"""The name of a metric, and the value that it is to reach."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """A run beside others.

    Args:
        record: Its record.
        reached: The point at which its metric reached the value; ``None`` where it did not, or none is asked for.
    """

    record: RunRecord
    reached: MetricPoint | None

    @property
    def reached_joules(self) -> float | None:
        """Energy of the run until its metric reached the value."""
        return None if self.reached is None else self.reached.joules

    def per(self, count: int | None) -> float | None:
        """The joules of its steps for each of so many."""
        return None if not count or self.record.step_joules is None else self.record.step_joules / count

    def figures(self) -> dict[str, Any]:
        """Its figures as plain values."""
        record = self.record
        return {
            "run_id": record.run_id,
            "run_name": record.run_name,
            "project": record.project,
            "status": record.status,
            "duration_seconds": record.duration_seconds,
            "energy_joules": record.energy.total_joules,
            "energy_low_joules": record.energy.low_joules,
            "energy_high_joules": record.energy.high_joules,
            "grams_co2e": record.carbon.grams_co2e,
            "step_joules": self.per(record.steps),
            "sample_joules": self.per(record.samples),
            "token_joules": self.per(record.tokens),
            "reached_joules": self.reached_joules,
            "reached_step": None if self.reached is None else self.reached.step,
        }


_Figure = Callable[[_Compared], float | None]


def compare_runs(
    texts: Sequence[str], ledger: str | None, project: str | None, *, goal: Goal, as_json: bool, as_csv: bool
) -> None:
    """Print runs side by side, the first of which the others are compared with.

    Args:
        texts: The runs.
        ledger: The folder of all runs that the user named, if any.
        project: The project, if only its runs count.
        goal: The metric and the value that it is to reach, if asked for.
        as_json: Whether JSON is printed.
        as_csv: Whether CSV is printed.

    Raises:
        ConfigError: There is no such run, only a single run is named, or no run has logged such a metric.
    """
    check_forms(as_json=as_json, as_csv=as_csv)
    metric, value = goal
    if (metric is None) != (value is None):
        lacks, example = ("reaches", "--reaches 0.5") if value is None else ("metric", "--metric val_loss")
        raise ConfigError(lacks, None, f"a metric and its value belong together; give {example}, too.")
    runs = known_runs(ledger, project)
    records = [runs.ledger.find(text, runs.project) for text in texts]
    if len({(record.project, record.run_id) for record in records}) < _LEAST_RUNS:
        raise ConfigError("run", texts[0], "a run is compared with others; name two or more.")
    courses = [read_course(runs.ledger.folder(record)) for record in records]
    if metric is not None:
        _check_metric(metric, courses)
    compared = [
        _Compared(record, None if metric is None or value is None else _reached(course, metric, value))
        for record, course in zip(records, courses, strict=True)
    ]
    if as_json:
        rows = [run.figures() for run in compared]
        say(to_json({"metric": metric, "reaches": value, "runs": rows}, indent=2))
    elif as_csv:
        typer.echo(csv_of([run.figures() for run in compared]), nl=False)
    else:
        _show(compared, metric, value)


def _check_metric(metric: str, courses: Sequence[Course | None]) -> None:
    """Refuse a metric that no run has logged.

    Raises:
        ConfigError: None has; those that were logged are named.
    """
    logged = sorted({name for course in courses if course is not None for name in course.metrics})
    if metric not in logged:
        none = "the trainers of these runs have logged no metric beside the meter."
        fix = near_words(metric, logged) if logged else none
        raise ConfigError("metric", metric, fix)


def _reached(course: Course | None, metric: str, value: float) -> MetricPoint | None:
    """The first point at which a metric is at a value or beyond, seen from where it began."""
    points = () if course is None else course.metrics.get(metric, ())
    if not points:
        return None
    falls = points[0].value >= value
    return next((point for point in points if (point.value <= value if falls else point.value >= value)), None)


def _show(compared: Sequence[_Compared], metric: str | None, value: float | None) -> None:
    first = compared[0]

    def beside(run: _Compared, figure: _Figure, told: Callable[[float], str]) -> str:
        mine, reference = figure(run), figure(first)
        if mine is None:
            return NOTHING
        if run is first or not reference:
            return told(mine)
        change = mine / reference - 1
        return f"{told(mine)} ({'+' if change >= 0 else '−'}{percent(abs(change))})"

    def column(title: str, figure: _Figure, told: Callable[[float], str]) -> Column[_Compared]:
        return Column(title, lambda run: beside(run, figure, told))

    def joules(value: float) -> str:
        return amount(value, ENERGY)

    def watt_hours(value: float) -> str:
        return amount(value, WATT_HOURS)

    columns: list[Column[_Compared]] = [
        Column("Run", lambda run: printable(run.record.run_name or run.record.run_id), "<"),
        Column("Status", lambda run: run.record.status, "<"),
        Column("Duration", lambda run: duration(run.record.duration_seconds)),
        column("Energy", lambda run: run.record.energy.total_joules, watt_hours),
        column("CO2e", lambda run: run.record.carbon.grams_co2e, lambda grams: amount(grams, CO2E)),
        column("J/step", lambda run: run.per(run.record.steps), joules),
    ]
    if any(run.record.samples for run in compared):
        columns.append(column("J/sample", lambda run: run.per(run.record.samples), joules))
    if any(run.record.tokens for run in compared):
        columns.append(column("J/token", lambda run: run.per(run.record.tokens), joules))
    notes = ["Brackets: against the first run."]
    if metric is not None:
        title = f"To {printable(metric)} {value:g}"
        columns.append(column(title, lambda run: run.reached_joules, watt_hours))
        notes.append(f"{title}: the energy of a run until {printable(metric)} was first logged at {value:g} or beyond.")
    show_sheet(sheet_of(f"{len(compared)} runs", compared, columns, notes=notes), Console(highlight=False))
