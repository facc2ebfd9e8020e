"""The other runs of this ledger that meter the same hardware at the same time, whose energy is in both records.

Runs learn of each other by their journals alone, so runs in another ledger are not known.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lightning_carbon.ledger.journals import parts_of
from lightning_carbon.records.beside import overlap_of
from lightning_carbon.records.overlaps import merged
from lightning_carbon.records.run import Status
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.ports import RunStore
    from lightning_carbon.records.journal import RankPart
    from lightning_carbon.records.overlaps import Overlap

_SPARE_SECONDS: Final = 60.0
"""How much a file system's clock may be behind this host's; ours."""
_FIRST_NS: Final = NANOSECONDS_PER_SECOND
"""The age of a run at its first look; ours. Others have written by then, too."""
_LEAST_SECONDS: Final = 10.0
"""The least time between two looks; ours."""
_SHARE: Final = 0.001
"""The largest share of time for looking, beside the training."""


class RunsBeside:
    """Looks now and then for runs that meter the same hardware as this run.

    Args:
        store: The ledger.
        warn: Called for the first such run, with a key and a message.
    """

    def __init__(self, store: RunStore, warn: Callable[[str, str], None]) -> None:
        self._store = store
        self._warn = warn
        self._done: set[tuple[str, str]] = set()
        self._found: dict[tuple[str, str], tuple[Overlap, ...]] = {}
        self._next = 0.0

    @property
    def found(self) -> tuple[Overlap, ...]:
        """The overlaps found so far."""
        return merged(overlap for overlaps in self._found.values() for overlap in overlaps)

    def look(self, own: RankPart, *, is_last: bool = False) -> None:
        """Look for other runs, if it is time. Never raises.

        Args:
            own: The part of this rank so far.
            is_last: Whether this run has ended, so this is the last look.
        """
        now = time.monotonic()
        # A single rank of each host looks, since the others have hardware of their own.
        if own.header.local_rank or not own.header.domains:
            return
        if not is_last and (now < self._next or own.beat.ns < _FIRST_NS):
            return
        with suppress(Exception):  # nothing that others have left there may end this run
            self._look(own)
        self._next = now + max(_LEAST_SECONDS, (time.monotonic() - now) / _SHARE)

    def _look(self, own: RankPart) -> None:
        header = own.header
        self._done.add((header.project, header.run_id))
        for run in self._store.list_runs(self._done):
            key = (run.project, run.run_id)
            if run.written_at < header.started_at - _SPARE_SECONDS:
                self._done.add(key)
                continue
            parts = parts_of(self._store.read_journals(*key), *key)
            overlaps = [overlap for part in parts if (overlap := overlap_of(own, part)) is not None]
            if overlaps:
                self._tell(overlaps[0])
                self._found[key] = merged(overlaps)
            is_whole = bool(parts) and len(parts) >= parts[0].header.world_size
            is_over = all(part.beat.status != Status.RUNNING for part in parts)
            is_here = any(part.header.host_id == header.host_id for part in parts)
            if is_whole and (is_over or not is_here):
                self._done.add(key)

    def _tell(self, overlap: Overlap) -> None:
        self._warn(
            "beside",
            f"run {overlap.run_id} of project {overlap.project} meters {', '.join(overlap.domains)} of this machine at "
            "the same time: that energy is counted in both runs, and both records say how much it is",
        )
