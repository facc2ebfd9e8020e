"""The list of steps: complete, or with a word on what it lacks."""

from __future__ import annotations

from lightning_carbon.errors import LedgerError
from lightning_carbon.ledger.writer import STEPS_HEADER, RunWriter
from lightning_carbon.ranks import OwnIdentity
from lightning_carbon.testing import MemoryLines, MemoryRunStore
from tests.unit.records.parts import domain, part

PART = part(0, {domain("gpu:0"): 100})


class FullStore(MemoryRunStore):
    """A store on a disk that is full, as long as it is told to be."""

    is_full = False

    def open_lines(self, project: str, run_id: str, name: str) -> MemoryLines:
        """Open a file, if there is room."""
        if self.is_full:
            message = "No space left on device"
            raise LedgerError(message)
        return super().open_lines(project, run_id, name)


def written(store: FullStore, lines: list[str]) -> tuple[list[str], list[str]]:
    """The list of a run that has these lines for one beat, and the keys of what was warned of."""
    warned: list[str] = []
    writer = RunWriter(
        store, OwnIdentity(), PART.header, per_step=True, warn=lambda key, message: warned.append(f"{key}: {message}")
    )
    writer.write(PART.beat, lines)
    store.is_full = False
    writer.close(PART.beat, [])
    return store.files[writer.run_id, "steps.csv"].lines, [message.split(":")[0] for message in warned]


def test_a_burst_of_steps_is_listed_whole() -> None:
    """However many steps end between two beats, each has its line."""
    lines = [f"{step},train,0,0,0,0" for step in range(250_000)]

    assert ([STEPS_HEADER, *lines], []) == written(FullStore(), lines)


def test_steps_that_no_disk_takes_are_told() -> None:
    """The last ones wait for room; the file says how many went before them, and there is a warning."""
    store = FullStore()
    store.is_full = True
    lines = [f"{step},train,0,0,0,0" for step in range(150_000)]
    kept, warned = written(store, lines)

    assert [STEPS_HEADER, "# 50000 steps are missing here: they could not be written"] == kept[:2]
    assert lines[50_000:] == kept[2:]
    assert ["ledger", "steps"] == warned
