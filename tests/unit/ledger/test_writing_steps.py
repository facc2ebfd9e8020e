"""The list of steps: complete, or with a word on what it lacks."""

from __future__ import annotations

from errno import ENOSPC

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
            message = "/home/ada/steps.csv: No space left on device"
            raise LedgerError(message) from OSError(ENOSPC, "No space left on device")
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

    gap = "# 50000 steps are missing here, as they could not be written: No space left on device"
    assert [STEPS_HEADER, gap] == kept[:2]
    assert lines[50_000:] == kept[2:]
    assert ["ledger", "steps"] == warned


def test_the_record_says_how_many_steps_are_not_in_the_list_and_why() -> None:
    """Those that went before others, and those that no disk has taken by the end; the summary says it, too."""
    records = []
    for mends in (True, False):
        store = FullStore()
        store.is_full = True
        writer = RunWriter(store, OwnIdentity(), PART.header, per_step=True, warn=lambda *_: None)
        writer.write(PART.beat, [f"{step},train,0,0,0,0" for step in range(150_000)])
        store.is_full = not mends
        records.append(writer.close(PART.beat, []))
    told = [(record.ranks[0].missing_steps, record.ranks[0].missing_steps_reason) for record in records]

    assert [(50_000, "No space left on device"), (150_000, "No space left on device")] == told
    assert "list of steps: 50,000 steps are missing in it: No space left on device" in records[0].summary()


def test_a_whole_list_of_steps_is_not_mentioned() -> None:
    """Nor is one that nobody asked for."""
    for per_step in (True, False):
        writer = RunWriter(FullStore(), OwnIdentity(), PART.header, per_step=per_step, warn=lambda *_: None)
        record = writer.close(PART.beat, ["0,train,0,0,0,0"] if per_step else [])

        assert record.ranks[0].missing_steps is None
        assert "list of steps" not in record.summary()
