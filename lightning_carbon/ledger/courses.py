"""Reading how runs of a ledger went on: their courses, and the beats of their journals, in a bounded number."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.files import check_size, open_to_read, parse_json, read_json
from lightning_carbon.ledger.journals import MOST_LINE_BYTES, check_names, journals_of
from lightning_carbon.records.course import Course, course_of
from lightning_carbon.records.journal import RankPart, header_of, with_beat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COURSE_FILE: Final = "course.json"
MOST_COURSE_BYTES: Final = 4 * 2**20
"""The most bytes of a course; one of 400 stretches and 16 metrics has about a tenth."""
MOST_SAMPLED_BYTES: Final = 4 * 2**30
"""The most bytes of a journal of which some lines are read; it is begun anew long before, so most are a megabyte."""
_SMALL_BYTES: Final = 4 * 2**20
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
            out, and so is a torn last line.
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
        size = check_size(file, MOST_SAMPLED_BYTES)
        header = header_of(parse_json(file.readline(MOST_LINE_BYTES)))
        check_names(header, path.parent.parent.name, path.parent.name, rank=rank)
        parts: list[RankPart] = []
        for line in _sampled(file, size, most):
            with suppress(RecordError):
                part = with_beat(header, parse_json(line))
                if not parts or part.beat.ns > parts[-1].beat.ns:
                    parts.append(part)
    return parts


def _sampled(file: BinaryIO, size: int, most: int) -> Iterator[bytes]:
    """Whole lines at places that are evenly spaced, the last line among them, or all lines of a small file."""
    start = file.tell()
    if size - start <= _SMALL_BYTES:
        lines = file.read(size - start).split(b"\n")[:-1]
        every = max(1.0, (len(lines) - 1) / max(1, most - 1))
        yield from (lines[round(number * every)] for number in range(min(most, len(lines))))
        return
    for number in range(most):
        file.seek(start + (size - start) * number // most)
        if number:
            file.readline(MOST_LINE_BYTES)  # the rest of a line
        line = file.readline(MOST_LINE_BYTES)
        if line.endswith(b"\n"):
            yield line
    file.seek(max(start, size - MOST_LINE_BYTES))
    yield file.read(MOST_LINE_BYTES).split(b"\n")[-2]
