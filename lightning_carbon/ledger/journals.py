"""The one reader of journals, which returns what a rank wrote last, or the reason why that is not known.

Everything that needs a journal (the other ranks of a run, recovery, attempts, the study) reads it here. A journal is
believed only for the run whose folder it lies in and for the rank that its file is named after. A last line that cannot
be read costs only that line, and the line before it counts.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import NewerSchema, RecordError
from lightning_carbon.ledger.disk import DISK, Disk
from lightning_carbon.ledger.files import check_size, open_to_read, parse_json
from lightning_carbon.ports import JournalText
from lightning_carbon.records.journal import Header, RankPart, header_of, with_beat
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST_FILE_BYTES: Final = 64 * 2**20
"""The most bytes of a journal; a journal is begun anew at a megabyte, so something else wrote a far larger file."""
MOST_LINE_BYTES: Final = 2**20
"""The most bytes of a line; a beat of 64 domains with the parts of every phase has about a tenth."""
_TAIL_BYTES: Final = 32_768
_MOST_LAST: Final = 64
"""The number of lines that are tried, from the last back."""

_NAME: Final = r"rank-(\d{5,9})\.jsonl"


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of a rank, as far as it can be read.

    Args:
        where: The file, for people.
        written_at: When it was last written, by the clock of the file system.
        header: Its header, where that can be read.
        part: The part of the rank; ``None`` where no beat can be read.
        trouble: What cannot be read, and why; empty where nothing is wrong.
        is_foreign: Whether this reader must leave it alone: a later version of this package wrote it, or it belongs to
            another run or rank than its place says.
    """

    where: str
    written_at: float = 0.0
    header: Header | None = None
    part: RankPart | None = None
    trouble: str = ""
    is_foreign: bool = False


def read_journal(text: JournalText, project: str, run_id: str) -> Journal:
    """Read the journal of a rank; faults are returned as its trouble and never raised.

    Args:
        text: Its lines.
        project: The project of the run whose folder it lies in.
        run_id: That run.
    """

    def refused(trouble: str, header: Header | None = None, *, is_foreign: bool = False) -> Journal:
        return Journal(text.where, text.written_at, header, None, trouble, is_foreign)

    if text.trouble:
        return refused(text.trouble)
    try:
        header = header_of(parse_json(text.first))
    except NewerSchema as error:
        return refused(str(error), is_foreign=True)
    except RecordError as error:
        return refused(str(error))
    try:
        check_names(header, project, run_id, rank=text.rank)
    except RecordError as error:
        return refused(str(error), is_foreign=True)
    trouble = ""
    for line in reversed(text.last):
        try:
            part = with_beat(header, parse_json(line))
        except RecordError as error:
            trouble = trouble or str(error)
            continue
        if trouble:
            trouble = f"its last line cannot be read, and one before it counts: {trouble}"
        return Journal(text.where, text.written_at, header, part, trouble)
    return refused(trouble or "there is no whole beat in it: what this rank used is not known", header)


def check_names(header: Header, project: str, run_id: str, *, rank: int) -> None:
    """Refuse a journal of another run or another rank than its place says.

    Raises:
        RecordError: It is of another run or rank.
    """
    if (header.project, header.run_id, header.rank) != (project, run_id, rank):
        whose = f"rank {header.rank} of run {header.run_id} of project {header.project}"
        message = f"it is the journal of {whose}, and does not belong here"
        raise RecordError(message)


def parts_of(texts: Iterable[JournalText], project: str, run_id: str) -> list[RankPart]:
    """The parts of a run's ranks that can be read."""
    journals = (read_journal(text, project, run_id) for text in texts)
    return [journal.part for journal in journals if journal.part is not None]


def journal_name(rank: int) -> str:
    """The file name of a rank's journal."""
    return f"rank-{rank:05d}.jsonl"


def rank_of(name: str) -> int | None:
    """The rank whose journal has a file name; ``None`` where no journal has such a name."""
    found = re.fullmatch(_NAME, name)
    return None if found is None else int(found[1])


def journals_of(folder: Path) -> list[tuple[int, Path]]:
    """The journals in the folder of a run, each with its rank, in order; none where the folder cannot be read."""
    try:
        with os.scandir(folder) as entries:
            ranks = [(rank_of(entry.name), folder / entry.name) for entry in entries]
    except OSError:
        return []
    return sorted((rank, path) for rank, path in ranks if rank is not None)


def read_texts(folder: Path, disk: Disk = DISK, rank: int | None = None) -> list[JournalText]:
    """The ends of all journals in the folder of a run, or of a rank's, in the order of ranks."""
    if rank is not None:
        path = folder / journal_name(rank)
        return [read_text(rank, path, disk)] if path.exists() else []
    return [read_text(number, path, disk) for number, path in journals_of(folder)]


def read_text(rank: int, path: Path, disk: Disk = DISK) -> JournalText:
    """The first line of a journal and its last whole lines, however long it is; never raises.

    A torn line, without a line end, does not count.
    """
    written_at = 0.0
    try:
        with open_to_read(path, disk) as file:
            written_at = os.fstat(file.fileno()).st_mtime
            size = check_size(file, MOST_FILE_BYTES)
            first = file.readline(MOST_LINE_BYTES)
            if not first.endswith(b"\n"):
                trouble = "it is empty, or its first line is torn"
                return JournalText(rank, str(path), written_at, trouble=trouble)
            reach, whole = _TAIL_BYTES, list[bytes]()
            while not whole:
                start = max(len(first), size - reach)
                file.seek(start)
                lines = file.read(size - start).split(b"\n")
                whole = lines[:-1] if start == len(first) else lines[1:-1]
                if start == len(first) or reach > MOST_LINE_BYTES:
                    break
                reach *= 8
    except OSError as error:
        return JournalText(rank, str(path), written_at, trouble=f"it cannot be read: {error.strerror or error}")
    last = tuple(line.decode("utf-8", "replace") for line in whole[-_MOST_LAST:])
    return JournalText(rank, str(path), written_at, first.decode("utf-8", "replace"), last)
