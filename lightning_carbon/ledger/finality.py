"""How final the record of a run is: whether it can be believed without its journals."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from lightning_carbon.ledger.journals import journals_of
from lightning_carbon.records.run import Status
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.records.run import RunRecord

Stamp = tuple[int, int, int]
"""An inode, its time in nanoseconds and its size."""
_LATER_NS: Final = NANOSECONDS_PER_SECOND
"""The seconds by which journals must be newer than the record of an interrupted run to show that it goes on."""


class Finality(IntEnum):
    """How final the record of a run is."""

    OPEN = 0
    """The run goes on, and is looked at every time."""
    CLOSED = 1
    """Nothing but its record says how the run ended."""
    UNLESS_JOURNALS = 2
    """The run was interrupted, and goes on if its journals are newer."""


def finality_of(record: RunRecord) -> Finality:
    """How final a record is."""
    statuses = {record.status, *(rank.status for rank in record.ranks)}
    if Status.RUNNING in statuses:
        return Finality.OPEN
    if Status.INTERRUPTED not in statuses and len(record.ranks) >= record.world_size:
        return Finality.CLOSED
    return Finality.UNLESS_JOURNALS


def is_settled(record: RunRecord, folder: Path, stamp: Stamp) -> bool:
    """Whether a record has the end of its run, and its journals need not be read."""
    how = finality_of(record)
    return how is Finality.CLOSED or (how is Finality.UNLESS_JOURNALS and has_no_news(folder, stamp, len(record.ranks)))


def has_no_news(folder: Path, stamp: Stamp, ranks: int) -> bool:
    """Whether the journals of a run are older than its record, and no more than its ranks."""
    journals = [path for _, path in journals_of(folder)]
    if len(journals) > max(1, ranks):
        return False
    try:
        return all(path.stat().st_mtime_ns <= stamp[1] + _LATER_NS for path in journals)
    except OSError:
        return True
