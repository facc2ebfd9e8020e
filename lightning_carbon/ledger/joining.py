"""The run that a process joins: found in the ledger by its id or its name, and never waited for.

A process may begin before the run that it joins, as servers of rollouts do. Until the run is there, what the process
uses is kept; where the run never comes, it becomes a run of its own.
"""

from __future__ import annotations

import time
from contextlib import suppress
from heapq import nlargest
from typing import TYPE_CHECKING, Final

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.journals import journals_of, parts_of
from lightning_carbon.records.run import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LOOK_SECONDS: Final = 2.0
"""How far looks for a run are apart that is not there yet."""
_MOST_NAMED: Final = 64
"""The most runs of a project, the newest, that are asked for their names."""


class JoinedRun:
    """The identity of a run that began elsewhere, as the ways to agree on a name are.

    Args:
        root: The folder of all runs.
        project: The project where a run is looked for that is not there yet.
        text: The id or the name of the run.
        now_seconds: A monotonic clock.
    """

    patience_seconds = float("inf")

    def __init__(
        self, root: Path, project: str, text: str, *, now_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._root = root
        self._store = DirectoryRunStore(root)
        self._text = text
        self._now_seconds = now_seconds
        self._again = float("-inf")
        self._run_id: str | None = None
        self.project = project
        for candidate in (project, *self._projects()):
            self._again = float("-inf")
            self.project = candidate
            if self.agree("") is not None:
                return
        self.project = project

    def agree(self, proposal: str) -> str | None:
        """The id of the run; ``None`` as long as it is not there."""
        del proposal
        now = self._now_seconds()
        if self._run_id is None and now >= self._again:
            self._again = now + _LOOK_SECONDS
            with suppress(OSError, ValueError, TypeError):
                self._run_id = next(self._looked_up(), None)
        return self._run_id

    def pids_on(self, host_id: str) -> set[int]:
        """The processes of the run on a host, as far as they have written."""
        if self._run_id is None:
            return set()
        parts = parts_of(self._store.read_journals(self.project, self._run_id), self.project, self._run_id)
        return {part.header.pid for part in parts if part.header.host_id == host_id}

    def _projects(self) -> list[str]:
        try:
            return sorted(path.name for path in self._root.iterdir() if path.is_dir() and path.name[0] != ".")
        except OSError:
            return []

    def _looked_up(self) -> Iterator[str]:
        folder = self._root / self.project
        if journals_of(folder / self._text):
            yield self._text
        for path in nlargest(_MOST_NAMED, [path for path in folder.iterdir() if path.name[0] != "."]):
            record = self._store.load(self.project, path.name)
            if record is not None and record.get("run_name") == self._text and record.get("status") == Status.RUNNING:
                yield path.name
