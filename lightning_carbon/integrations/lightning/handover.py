"""Handover of a run's record from the process that trains to the process that has started it.

The strategies ``ddp_spawn``, ``ddp_fork`` and ``ddp_notebook`` train in child processes, which have copies of the
callback; when they end, the callback of the program knows nothing of the run. So the first child leaves a note with the
path of the record, and the parent looks for the note when it is asked for the record.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import uuid4
from weakref import finalize

from lightning_carbon.errors import LightningCarbonError
from lightning_carbon.ledger.files import read_json, write_json
from lightning_carbon.records.mapping import from_mapping
from lightning_carbon.records.run import RunRecord

_MOST_BYTES = 65_536
_LOCATION = "location"


class Handover:
    """Passes a record from a child process to its parent; a copy in a child knows its parent.

    Args:
        ledger: The folder of all runs.
    """

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._parent = os.getpid()
        self._note = Path(tempfile.gettempdir()) / f"lightning-carbon-{uuid4().hex}.json"
        finalize(self, _forget, self._note, self._parent)

    def leave(self, record: RunRecord) -> None:
        """Leave a note with the path of a record, in a child; nothing happens elsewhere.

        Raises:
            LedgerError: It cannot be written.
        """
        if record.location is not None and os.getppid() == self._parent:
            write_json(self._note, {_LOCATION: record.location})

    def take(self) -> RunRecord | None:
        """The record of a child's note since the last call; ``None`` where there is none."""
        if os.getpid() != self._parent:
            return None
        try:
            note = read_json(self._note, _MOST_BYTES)
        except (OSError, LightningCarbonError):
            return None
        _forget(self._note, self._parent)
        location = Path(str(note.get(_LOCATION) if isinstance(note, dict) else ""))
        if not location.is_relative_to(self._ledger):
            return None
        try:
            mapping = read_json(location)
            return from_mapping(mapping, location=str(location)) if isinstance(mapping, dict) else None
        except (OSError, LightningCarbonError):
            return None


def _forget(note: Path, parent: int) -> None:
    """Delete the note, if it is for this process."""
    if os.getpid() == parent:
        with suppress(OSError):
            note.unlink()
