"""Runs as they lie in a ledger, and a reader of it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.query import Ledger
from lightning_carbon.ledger.recovery import Observer, file_system_time
from lightning_carbon.records.journal import RankPart, beat_mapping, header_mapping
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.merging import record_of

HERE = "node-0:boot"
GONE, THERE = 1_000, 2_000
"""Numbers of processes that a reader of these tests finds gone, and there."""


class Reader:
    """A ledger, and what was said of what cannot be read.

    Args:
        root: Its folder.
        host: Where it is read.
        namespace: What the numbers of processes are of there.
    """

    def __init__(self, root: Path, host: str = HERE, namespace: int | None = None) -> None:
        self.said: list[str] = []
        observer = Observer(host, lambda pid, _started: pid == THERE, file_system_time, namespace)
        self.ledger = Ledger(root, observer, self.said.append)


def folder_of(root: Path, part: RankPart) -> Path:
    """The folder of a run."""
    return root / part.header.project / part.header.run_id


def write(root: Path, *parts: RankPart, silent: float = 1_000, with_record: bool = True) -> Path:
    """Leave the journals of some ranks as they are when nobody closes a run.

    Args:
        root: The ledger.
        parts: What the ranks have written.
        silent: For how many seconds their files have not been written.
        with_record: Whether there is the record that a run begins with.

    Returns:
        The folder of the run.
    """
    store = DirectoryRunStore(root)
    if with_record:
        store.save(to_mapping(record_of(parts)))
    for part in parts:
        header = part.header
        journal = store.open_journal(
            header.project, header.run_id, header.rank, header=json.dumps(header_mapping(header))
        )
        journal.write_lines([json.dumps(beat_mapping(part.beat))])
        journal.close()
    folder = folder_of(root, parts[0])
    for path in folder.iterdir():
        age(path, silent)
    return folder


def age(path: Path, seconds: float) -> None:
    """Set the time of a file so many seconds back."""
    then = time.time() - seconds
    os.utime(path, (then, then))
