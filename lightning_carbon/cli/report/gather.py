"""What the pages of reports are made of, gathered from the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.ledger.courses import read_beats, read_course
from lightning_carbon.ledger.filters import RunFilter
from lightning_carbon.metering.sums import height_of
from lightning_carbon.records.course import NO_COURSE, Course, MetricPoint
from lightning_carbon.records.power_profile import START, power_profile_of
from lightning_carbon.report.pages.project_page import RunLine

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.ledger.facts import Facts
    from lightning_carbon.ledger.query import Ledger
    from lightning_carbon.records.journal import RankPart

MOST_COURSES: Final = 500
"""The most courses that are read for a report of several runs, those of the newest."""


def course_in(folder: Path, *, is_running: bool) -> Course:
    """The course of the run in a folder, by its own file, and by its journals where that ends early or is not there.

    Args:
        folder: The folder.
        is_running: Whether the run goes on, or its end was not written.
    """
    kept = read_course(folder)
    if kept is not None and not is_running:
        return kept
    beats = read_beats(folder)
    if not beats:
        return kept or NO_COURSE
    first, *others = (beats[rank] for rank in sorted(beats))
    heights = [height_of([part, *(_at(parts, part) for parts in others)]) for part in first]
    # A journal that was begun anew begins in the middle of the run.
    own = [START, *heights] if heights[0].ns < 2 * (heights[-1].ns - heights[0].ns) or len(heights) == 1 else heights
    return (kept or NO_COURSE).followed_by(power_profile_of(own))


def _at(parts: list[RankPart], part: RankPart) -> RankPart:
    """What a rank had written when another wrote."""
    return next((known for known in reversed(parts) if known.beat.at <= part.beat.at), parts[0])


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
    )
