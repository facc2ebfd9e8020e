"""The course of a run of the ledger, by its own file and by its journals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.ledger.courses import read_beats, read_course
from lightning_carbon.metering.sums import height_of
from lightning_carbon.records.course import NO_COURSE, Course
from lightning_carbon.records.power_profile import START, power_profile_of

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.records.journal import RankPart


def course_in(folder: Path, *, is_closed: bool) -> Course:
    """The course of the run in a folder, by its own file, and by its journals where that ends early or is not there.

    Args:
        folder: The folder.
        is_closed: Whether the run has written its end, and so all of its course.
    """
    kept = read_course(folder)
    if kept is not None and is_closed:
        return kept
    beats = read_beats(folder)
    if not beats:
        return kept or NO_COURSE
    first, *others = (beats[rank] for rank in sorted(beats))
    heights = [height_of([part, *(_at(parts, part) for parts in others)]) for part in first]
    # A journal that was begun anew begins in the middle of the run.
    is_whole = heights[0].ns < 2 * (heights[-1].ns - heights[0].ns) or len(heights) == 1
    return (kept or NO_COURSE).followed_by(power_profile_of([START, *heights] if is_whole else heights))


def _at(parts: list[RankPart], part: RankPart) -> RankPart:
    """What a rank had written when another wrote."""
    return next((known for known in reversed(parts) if known.beat.at <= part.beat.at), parts[0])
