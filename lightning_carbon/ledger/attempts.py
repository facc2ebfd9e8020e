"""The attempts at a training, as the ledger knows them.

The folder of the first run has a list of all runs that continued it. A resumed run adds itself and the attempts that
its checkpoint knew: on another machine, with another ledger, nothing else is known, and the folder is made.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.files import parse_json, to_json
from lightning_carbon.ledger.journals import parts_of
from lightning_carbon.records.lineage import attempt_from, attempt_mapping, attempt_of, merged, with_attempts
from lightning_carbon.records.mapping import from_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.records.totals import Attempt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lightning_carbon.ports import RecordStore, RunStore
    from lightning_carbon.records.lineage import Checkpoint

ATTEMPTS_FILE = "attempts.jsonl"


class Attempts:
    """The attempts at the training of a run.

    Args:
        store: The ledger.
        project: The project of the run.
        since: When the run began, in seconds since 1970.
    """

    def __init__(self, store: RunStore, project: str, since: float) -> None:
        self._store = store
        self._project = project
        self._since = since
        self._checkpoint: Checkpoint | None = None
        self._listed: str | None = None
        self.known: tuple[Attempt, ...] = ()

    def resume(self, checkpoint: Checkpoint) -> None:
        """Continue from a checkpoint. Reads and writes nothing yet."""
        self._checkpoint = checkpoint
        self.known = merged(self.known, checkpoint.attempts)

    def enlist(self, run_id: str) -> None:
        """Add the run to the list of attempts, once, and read what the ledger knows of the others.

        Raises:
            LedgerError: The list cannot be written.
        """
        checkpoint = self._checkpoint
        if checkpoint is None or self._listed == checkpoint.origin:
            return
        origin = checkpoint.origin
        # The list of a run of another project stays where it is; its entries are known here from now on.
        elsewhere = self._read(checkpoint.project, origin) if checkpoint.project != self._project else ()
        news = merged(checkpoint.attempts, elsewhere, [Attempt(run_id, self._project)])
        listed = {attempt.run_id for attempt in self._read(self._project, origin)}
        lines = [to_json(attempt_mapping(attempt)) for attempt in news if attempt.run_id not in listed]
        if lines:
            self._store.append_lines(self._project, origin, ATTEMPTS_FILE, lines=lines)
        self._listed = origin
        self.look(origin)

    def look(self, origin: str | None = None) -> None:
        """Read what the ledger knows of the attempts by now. Never raises."""
        origin = origin or (None if self._checkpoint is None else self._checkpoint.origin)
        if origin is not None:
            # The ledger comes first: it may have learnt how an attempt ended.
            found = find_attempts(self._store, self._project, origin, since=self._since)
            self.known = merged(found, self.known)

    def told(self, record: RunRecord) -> RunRecord:
        """The record with all known attempts."""
        return with_attempts(record, self.known)

    def _read(self, project: str, origin: str) -> tuple[Attempt, ...]:
        return read_list(self._store.read_lines(project, origin, ATTEMPTS_FILE))


def tell_attempts(store: RunStore, record: RunRecord) -> RunRecord:
    """The record of a dead run, with all attempts at its training; for recovery.

    Args:
        store: The ledger.
        record: The record made from the run's journals.
    """
    if record.origin is None:
        return record
    since = datetime.fromisoformat(record.started_at).timestamp()
    return with_attempts(record, find_attempts(store, record.project, record.origin, since=since))


def find_attempts(store: RunStore, project: str, origin: str, *, since: float | None = None) -> tuple[Attempt, ...]:
    """The attempts listed in the first run's folder, as the ledger knows them. Never raises.

    Args:
        store: The ledger.
        project: The project whose folder the list lies in.
        origin: The first run.
        since: A moment, in seconds since 1970; an attempt that has written nothing since then was interrupted.
    """
    listed = read_list(store.read_lines(project, origin, ATTEMPTS_FILE))
    found = []
    for attempt in listed:
        # No fault in the files of other runs may end the run that reads them.
        with suppress(Exception):
            known = None if attempt.project is None else _find(store, attempt.project, attempt.run_id, since=since)
            if known is not None:
                found.append(known)
    return merged(listed, found)


def read_list(lines: Iterable[str]) -> tuple[Attempt, ...]:
    """The attempts in a list; lines that cannot be read are left out."""
    attempts = []
    for line in lines:
        try:
            attempts.append(attempt_from(parse_json(line)))
        except RecordError:
            continue
    return merged(attempts)


def _find(store: RunStore, project: str, run_id: str, *, since: float | None) -> Attempt | None:
    """The attempt that a run was, by its record, or by its journals where the record was never closed."""
    record = _load(store, project, run_id)
    if record is not None and record.status != Status.RUNNING:
        return attempt_of(record)
    parts = parts_of(store.read_journals(project, run_id), project, run_id)
    if not parts:
        return None if record is None else attempt_of(record)
    silent = since is not None and max(part.beat.at for part in parts) <= since
    journals = record_of(parts)
    return attempt_of(journals, Status.INTERRUPTED if silent and journals.status == Status.RUNNING else None)


def _load(store: RecordStore, project: str, run_id: str) -> RunRecord | None:
    """The record of a run, if it can be read and does not name another run."""
    stored = store.load(project, run_id)
    if stored is None:
        return None
    try:
        record = from_mapping(stored)
    except RecordError:
        return None
    return record if (record.project, record.run_id) == (project, run_id) else None
