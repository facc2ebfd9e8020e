"""What the pages of reports are made of, gathered from the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.ledger.courses import read_course
from lightning_carbon.ledger.filters import RunFilter
from lightning_carbon.records.sweeps import sweep_sum
from lightning_carbon.report.pages.project_page import RunLine

if TYPE_CHECKING:
    from lightning_carbon.ledger.facts import Facts
    from lightning_carbon.ledger.query import Ledger
    from lightning_carbon.records.course import MetricPoint
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.records.sweeps import SweepSum

MOST_COURSES: Final = 500
"""The most courses that are read for a report of several runs, those of the newest."""
MOST_TRIALS: Final = 500
"""The most runs of searches that are added up in such a report, the newest."""


def lines_of(ledger: Ledger, project: str | None) -> list[RunLine]:
    """The runs of a project, or of all, the newest last."""
    return [_line_of(facts) for facts in ledger.select(RunFilter(project=project))]


def ends_of(ledger: Ledger, project: str | None) -> dict[tuple[str, str], dict[str, MetricPoint]]:
    """The last point of each metric of the newest runs, by project and run."""
    ends = {}
    for facts in ledger.select(RunFilter(project=project))[-MOST_COURSES:]:
        course = read_course(ledger.folder(facts))
        if course is not None and course.metrics:
            ends[facts.project, facts.run_id] = {name: points[-1] for name, points in course.metrics.items() if points}
    return ends


def sweeps_of(ledger: Ledger, project: str | None) -> list[SweepSum]:
    """The searches for hyperparameters whose trials are among the newest runs, each added up."""
    sweeps: dict[tuple[str, str], list[RunRecord]] = {}
    for facts in [facts for facts in ledger.select(RunFilter(project=project)) if facts.sweep][-MOST_TRIALS:]:
        if (record := ledger.record(facts)) is not None:
            sweeps.setdefault((facts.project, facts.sweep or ""), []).append(record)
    return [sweep_sum(name, records) for (_, name), records in sweeps.items()]


def _line_of(facts: Facts) -> RunLine:
    return RunLine(
        facts.run_id,
        facts.project,
        facts.run_name or facts.run_id,
        facts.status,
        facts.started_at,
        facts.duration_seconds,
        facts.joules,
        facts.measured_joules,
        facts.grams_co2e,
        facts.low_grams_co2e,
        facts.high_grams_co2e,
        facts.counted,
        facts.sweep,
    )
