"""A ledger whose disk stops answering, and answers again."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.errors import LedgerError
from lightning_carbon.ledger.patience import PatientRunStore
from lightning_carbon.ledger.writer import STEPS_FILE
from lightning_carbon.records.mapping import from_mapping
from lightning_carbon.testing import MemoryLines, MemoryRunStore
from tests.unit.metering.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Disk:
    """A disk that hangs while it is told to."""

    def __init__(self) -> None:
        self._answers = threading.Event()
        self._answers.set()
        self.calls = 0

    def hang(self) -> None:
        """Answer nothing from now on."""
        self._answers.clear()

    def answer(self) -> None:
        """Do what was asked meanwhile, and go on."""
        self._answers.set()

    def call(self) -> None:
        """Wait for the disk."""
        self.calls += 1
        self._answers.wait()


class HangingLines(MemoryLines):
    """Lines on such a disk.

    Args:
        disk: The disk.
    """

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk

    def write_lines(self, lines: list[str]) -> None:
        """Keep the lines, in time or late."""
        self._disk.call()
        super().write_lines(lines)


class HangingStore(MemoryRunStore):
    """A store on such a disk.

    Args:
        disk: The disk.
    """

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk

    def save(self, record: Mapping[str, object]) -> str:
        """Keep a record, in time or late."""
        self._disk.call()
        return super().save(record)

    def open_lines(self, project: str, run_id: str, name: str) -> MemoryLines:
        """Open a list, in time or late."""
        del project
        self._disk.call()
        lines = self.files[run_id, name] = HangingLines(self._disk)
        return lines

    def read_lines(self, project: str, run_id: str, name: str) -> list[str]:
        """Read a list, in time or late."""
        self._disk.call()
        return super().read_lines(project, run_id, name)

    def load(self, project: str, run_id: str) -> dict[str, object] | None:
        """Read a record, in time or late."""
        self._disk.call()
        return super().load(project, run_id)


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk that answers in the end."""
    disk = Disk()
    yield disk
    disk.answer()


def patient(disk: Disk) -> tuple[HangingStore, PatientRunStore]:
    """A store on a disk, and the same one with little patience."""
    store = HangingStore(disk)
    return store, PatientRunStore(store, "/mnt/ledger", writing_seconds=0.1, reading_seconds=0.1, idle_seconds=0.01)


def ledger_threads() -> list[threading.Thread]:
    """The threads that wait for a disk."""
    return [thread for thread in threading.enumerate() if thread.name == "lightning-carbon-ledger"]


def test_a_disk_that_hangs_at_the_end_costs_the_record_and_no_more(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """The end comes, the record is in memory, and a warning says which folder does not answer and what to do."""
    store, patient_store = patient(disk)
    world = World(store=patient_store)
    meter = world.engine.start("train")
    world.steps(10)
    disk.hang()
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        record = meter.stop()

    assert ("completed", 10, None) == (record.status, record.steps, meter.record_path)
    assert 100.0 == pytest.approx(record.energy.total_joules)
    assert 1 == len(caplog.messages)
    assert "/mnt/ledger has not answered for 0.1 s" in caplog.messages[0]
    assert "LIGHTNING_CARBON_LEDGER" in caplog.messages[0]
    assert "running" == from_mapping(store.records[record.run_id]).status


_HANGS_FOR_EVER = """
from tests.unit.ledger.test_patience import Disk, patient
from tests.unit.metering.worlds import World

disk = Disk()
world = World(store=patient(disk)[1])
with world.engine:
    world.steps(2)
    disk.hang()
print(world.engine.record.steps)
"""


def test_a_disk_that_hangs_for_ever_does_not_keep_a_program_from_ending() -> None:
    """What waits for it is left behind with the process."""
    told = subprocess.run(
        [sys.executable, "-c", _HANGS_FOR_EVER], check=True, capture_output=True, text=True, timeout=500
    )

    assert "2\n" == told.stdout


def test_a_disk_that_hangs_is_asked_once(disk: Disk) -> None:
    """What comes after a call without an answer fails at once, on no other thread, and none keeps the program alive."""
    _, store = patient(disk)
    disk.hang()
    for _ in range(5):
        with pytest.raises(LedgerError, match=r"^/mnt/ledger has not answered for 0.1 s$"):
            store.save({"run_id": "a"})

    assert (None, []) == (store.load("lisa", "a"), store.read_lines("lisa", "a", "list"))
    assert 1 == disk.calls
    assert all(thread.daemon for thread in ledger_threads())
    assert 1 == len(ledger_threads())


def test_a_disk_that_answers_keeps_a_thread_for_the_next_call() -> None:
    """Starting a thread for each write would cost more than the write; it ends where no call comes any more."""
    _wait_for_threads()
    store = PatientRunStore(MemoryRunStore(), "/mnt/ledger", idle_seconds=0.2)
    threads: set[threading.Thread] = set()
    for number in range(5):
        store.save({"run_id": str(number)})
        threads.update(ledger_threads())
    count = len(threads)
    _wait_for_threads()

    assert count < 5
    assert [] == ledger_threads()


@pytest.mark.linux
def test_a_thread_that_a_fork_has_not_taken_along_is_replaced() -> None:
    """A child of the process has the list of idle threads, but none of the threads."""
    memory = MemoryRunStore()
    store = PatientRunStore(memory, "/mnt/ledger", writing_seconds=60.0)
    store.save({"run_id": "a"})
    child = os.fork()
    if not child:
        store.save({"run_id": "b"})
        os._exit(17 if memory.records.keys() == {"a", "b"} else 1)
    _, status = os.waitpid(child, 0)

    assert 17 == os.waitstatus_to_exitcode(status)


def test_a_disk_that_hangs_at_the_start_costs_a_warning(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """The training begins and goes on, and the record is written once the disk answers."""
    store, patient_store = patient(disk)
    world = World(store=patient_store)
    disk.hang()
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter = world.engine.start("train")
        world.steps(5)
        disk.answer()
        _wait_for_threads()
        world.steps(5)
        record = meter.stop()

    assert (10, f"memory:{record.run_id}") == (record.steps, record.location)
    assert ("completed", 10) == (from_mapping(store.records[record.run_id]).status, record.steps)
    assert 1 == len(caplog.messages)


def test_lines_that_come_late_are_there_once(disk: Disk) -> None:
    """Steps that were given up and reached the disk after all are not listed twice."""
    store, patient_store = patient(disk)
    world = World(store=patient_store, per_step=True)
    meter = world.engine.start("train")
    world.steps(4)
    disk.hang()
    world.steps(4)
    disk.answer()
    _wait_for_threads()
    world.steps(4)
    record = meter.stop()
    _, *listed = store.files[record.run_id, STEPS_FILE].lines

    assert [str(step) for step in range(12)] == [line.split(",")[0] for line in listed]


def test_a_file_that_opens_too_late_is_closed(disk: Disk) -> None:
    """Nobody waits for it any more."""
    store, patient_store = patient(disk)
    disk.hang()
    with pytest.raises(LedgerError):
        patient_store.open_lines("lisa", "a", "list")
    disk.answer()
    _wait_for_threads()

    assert store.files["a", "list"].closed


def test_trouble_on_a_disk_that_answers_is_raised_as_it_is(disk: Disk) -> None:
    """Patience changes no error."""
    _, store = patient(disk)
    with pytest.raises(KeyError):
        store.save({})


def _wait_for_threads() -> None:
    for thread in ledger_threads():
        thread.join(60)
