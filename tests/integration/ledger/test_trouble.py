"""A ledger that goes wrong in the middle of a run: nothing is raised, one warning, and no more is lost than must be."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lightning_carbon import Meter
from lightning_carbon.errors import LedgerError
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.lines import MOST_JOURNAL_BYTES, FileLines, JournalFile
from lightning_carbon.sources.simulated import SimulatedCounter
from tests.covered import covered_seconds

BEAT = '{"at":' + "1" * 80 + "}"


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait for the housekeeping of a meter, which comes about once a second."""
    until = time.monotonic() + 300
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def running(folder: Path) -> Meter:
    """A meter that has begun, and lists its steps."""
    meter = Meter(sources=[SimulatedCounter(watts=50.0)], ledger=folder, project="lisa", per_step=True).start()
    meter.step_done()
    return meter


def lines_of(path: Path) -> list[str]:
    """The lines of a file; none where it is not there."""
    return path.read_text().splitlines() if path.exists() else []


def test_a_removed_ledger_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The training goes on with one warning; journal, steps and the final record are there, with all the energy."""
    ledger = tmp_path / "ledger"
    meter = running(ledger)
    folder = ledger / "lisa" / meter.run_id
    wait_for(lambda: len(lines_of(folder / "steps.csv")) > 1)
    shutil.rmtree(ledger)
    meter.step_done()
    wait_for(lambda: len(lines_of(folder / "rank-00000.jsonl")) > 1)
    during = lines_of(folder / "rank-00000.jsonl")
    meter.step_done()
    record = meter.stop()

    assert ["was removed while the run went on" in entry.message for entry in caplog.records] == [True]
    assert ["schema", "at"] == [next(iter(json.loads(line))) for line in during[:2]]
    assert "completed" == record.status == json.loads((folder / "record.json").read_text())["status"]
    assert "completed" == json.loads(lines_of(folder / "rank-00000.jsonl")[-1])["status"]
    assert lines_of(folder / "steps.csv")[0].startswith("step,phase,")
    assert ["1", "2"] == [line.split(",")[0] for line in lines_of(folder / "steps.csv")[-2:]]
    assert record.energy.total_joules == pytest.approx(50 * covered_seconds(record), rel=0.25)


def test_a_ledger_that_cannot_be_made_again_costs_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The record is handed back all the same, and says that it lies nowhere."""
    ledger = tmp_path / "ledger"
    meter = running(ledger)
    shutil.rmtree(ledger)
    ledger.write_text("a file in its place")
    wait_for(lambda: bool(caplog.records))
    meter.step_done()
    record = meter.stop()

    assert ["could not be written" in entry.message for entry in caplog.records] == [True]
    assert (2, None, None) == (record.steps, record.location, meter.record_path)
    assert (record.energy.total_joules or 0) > 0


_UNDER_A_LIMIT = """
import json, resource, sys
from pathlib import Path
from lightning_carbon.errors import LedgerError
from lightning_carbon.ledger.lines import FileLines, JournalFile

folder, beat = Path(sys.argv[1]), sys.argv[2]
journal, steps = JournalFile(folder / "rank-00000.jsonl", "header"), FileLines(folder / "steps.csv")
steps.write_lines(["step"])
journal.write_lines([beat])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
# The next line does not fit whole.
resource.setrlimit(resource.RLIMIT_FSIZE, (len(beat) + 40, hard))
failed = 0
for _ in range(3):
    for sink, line in ((journal, beat), (steps, "9" * 200)):
        try:
            sink.write_lines([line])
        except LedgerError:
            failed += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
journal.write_lines([beat.replace("1", "2")])
steps.write_lines(["8"])
print(failed)
"""


def test_what_did_not_fit_is_taken_back_and_the_next_line_is_whole(tmp_path: Path) -> None:
    """A disk that is full takes the half of a line; the file is as it was before, and goes on when there is room."""
    told = subprocess.run(
        [sys.executable, "-c", _UNDER_A_LIMIT, str(tmp_path), BEAT], check=True, capture_output=True, text=True
    )

    assert "6\n" == told.stdout
    assert ["header", BEAT, BEAT.replace("1", "2")] == lines_of(tmp_path / "rank-00000.jsonl")
    assert ["step", "8"] == lines_of(tmp_path / "steps.csv")


_ON_A_FULL_DISK = """
import json, os, sys, time
from pathlib import Path
from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedCounter

root = Path(sys.argv[1])
meter = Meter(sources=[SimulatedCounter(watts=50.0)], ledger=root / "ledger", project="lisa", per_step=True).start()
(journal,) = root.glob("ledger/lisa/*/rank-00000.jsonl")
ballast = root / "ballast"
with ballast.open("wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(512))
    except OSError:
        pass
full = journal.read_text()
began = time.monotonic()
steps = 0
# Until what is left of the journal's last block is full, too.
while time.monotonic() < began + 3.5 or steps < 300:
    time.sleep(0.01)
    meter.step_done()
    steps += 1
stuck = journal.read_text()
ballast.unlink()
while journal.read_text() == stuck:
    time.sleep(0.05)
record = meter.stop()
lines = journal.read_text().splitlines()
for line in lines:
    json.loads(line)
listed = (journal.parent / "steps.csv").read_text().splitlines()
print(json.dumps({
    "steps": steps,
    "listed": [line.split(",")[0] for line in listed[1:]] == [str(number) for number in range(steps)],
    "status": json.loads((journal.parent / "record.json").read_text())["status"],
    "last": json.loads(lines[-1])["status"],
    "joules": record.energy.total_joules,
    "expected": 50 * record.duration_seconds * record.energy.coverage_ratio,
    "whole": stuck.endswith("\\n"),
    "left": sorted(path.name for path in journal.parent.iterdir()),
}))
"""


def test_a_full_disk_delays_and_loses_nothing(tmp_path: Path) -> None:
    """On a file system of 64 kB that is full for a while, every step is listed and the record is whole in the end."""
    mount = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=64k none "$0" && exec "$@"', str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run([*mount, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here: needs root, or user namespaces")
    told = subprocess.run(
        [*mount, sys.executable, "-c", _ON_A_FULL_DISK, str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)

    assert 1 == told.stderr.count("could not be written")
    assert (True, True) == (found["listed"], found["whole"])
    assert found["steps"] > 0
    assert ("completed", "completed") == (found["status"], found["last"])
    assert ["course.json", "rank-00000.jsonl", "record.json", "steps.csv"] == found["left"]
    assert found["joules"] == pytest.approx(found["expected"], rel=0.25)


def test_a_journal_that_is_large_begins_anew(tmp_path: Path) -> None:
    """With its last line, which says all that the others did."""
    path = tmp_path / "rank-00000.jsonl"
    journal = JournalFile(path, "header")
    journal.write_lines([BEAT] * (1 + MOST_JOURNAL_BYTES // len(BEAT)))
    journal.write_lines(["last"])
    journal.close()

    assert ["header", "last"] == lines_of(path)
    assert [path] == list(tmp_path.iterdir())


def test_a_journal_whose_folder_is_removed_begins_anew_with_what_it_was_given(tmp_path: Path) -> None:
    """The error says so; what came before is in the last line, too."""
    path = tmp_path / "run" / "rank-00000.jsonl"
    journal = JournalFile(path, "header")
    journal.write_lines(["one"])
    shutil.rmtree(path.parent)
    with pytest.raises(LedgerError, match="was removed"):
        journal.write_lines(["two"])
    journal.write_lines(["three"])
    journal.close()

    assert ["header", "two", "three"] == lines_of(path)


def test_a_file_that_is_replaced_by_another_is_not_written_to(tmp_path: Path) -> None:
    """Somebody else's file under that name is noticed; ours begins anew with its first line."""
    path = tmp_path / "steps.csv"
    sink = FileLines(path)
    sink.write_lines(["step", "0"])
    _other(tmp_path).replace(path)
    with pytest.raises(LedgerError, match="was removed"):
        sink.write_lines(["1"])
    sink.write_lines(["1"])
    sink.close()

    assert ["step", "1"] == lines_of(path)


def _other(folder: Path) -> Path:
    path = folder / "other"
    path.write_text("other\n")
    return path


def test_trouble_with_a_device_is_a_ledger_error(tmp_path: Path) -> None:
    """A record that does not fit leaves nothing behind."""
    (tmp_path / "lisa").symlink_to("/proc")

    with pytest.raises(LedgerError, match="cannot be written"):
        DirectoryRunStore(tmp_path).save({"project": "lisa", "run_id": "a"})
