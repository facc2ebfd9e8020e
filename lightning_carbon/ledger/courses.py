"""Reading how runs of a ledger went on: their courses, and the beats of their journals, in a bounded number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.files import check_size, open_to_read, parse_json, read_json
from lightning_carbon.ledger.journals import MOST_FILE_BYTES, check_names, journals_of
from lightning_carbon.records.course import Course, course_of
from lightning_carbon.records.journal import RankPart, header_of, with_beat

if TYPE_CHECKING:
    from pathlib import Path

COURSE_FILE: Final = "course.json"
MOST_COURSE_BYTES: Final = 4 * 2**20
"""The most bytes of a course; one of 400 stretches and 16 metrics has about a tenth."""
MOST_BEATS: Final = 400
"""The most beats of a journal that are read; a figure has too few pixels to show more."""


def read_course(folder: Path) -> Course | None:
    """The course of the run in a folder; ``None`` where there is none that can be read."""
    try:
        return course_of(read_json(folder / COURSE_FILE, MOST_COURSE_BYTES))
    except (OSError, RecordError):
        return None


def read_beats(folder: Path, most: int = MOST_BEATS) -> dict[int, list[RankPart]]:
    """What the journals in the folder of a run still have of its time, by rank, in order of time.

    Args:
        folder: The folder of the run.
        most: The most beats of a rank; of more lines, evenly spaced lines are read. Lines that cannot be read are left
            out.
    """
    found = {}
    for rank, path in journals_of(folder):
        try:
            parts = _read(path, rank, most)
        except (OSError, RecordError):
            continue
        if parts:
            found[rank] = parts
    return found


def _read(path: Path, rank: int, most: int) -> list[RankPart]:
    with open_to_read(path) as file:
        check_size(file, MOST_FILE_BYTES)
        first, *lines = file.read(MOST_FILE_BYTES).split(b"\n")
    header = header_of(parse_json(first))
    check_names(header, path.parent.parent.name, path.parent.name, rank=rank)
    whole = lines[:-1]
    every = max(1, len(whole) / most)
    chosen = {min(len(whole) - 1, int(number * every)) for number in range(min(most, len(whole)))}
    parts: list[RankPart] = []
    for place in sorted(chosen | {len(whole) - 1} if whole else chosen):
        try:
            part = with_beat(header, parse_json(whole[place]))
        except RecordError:
            continue
        if not parts or part.beat.ns > parts[-1].beat.ns:
            parts.append(part)
    return parts
