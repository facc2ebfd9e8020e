"""However the process of a training ends: a closed record, or a journal that one can be made from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lightning_carbon.records.mapping import from_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import RunRecord, Status
from tests.covered import covered_seconds
from tests.integration.endings import BUSY, ENDINGS_OF, WATTS, parts_in

ROOT = Path(__file__).parents[2]
EVERY = [(framework, ending) for framework, endings in ENDINGS_OF.items() for ending in endings]

STATUS = {
    "nothing": "completed",
    "exception": "failed",
    "sys.exit": "interrupted",
    "SIGINT": "interrupted",
    "SIGTERM": "interrupted",
    "requeue": "interrupted",
    "own handler": "interrupted",
}
DEAD = [
    *((framework, ending) for framework in ENDINGS_OF for ending in ("os._exit", "SIGKILL")),
    # Nobody handles the signal there, so the system ends the process as SIGKILL would.
    ("loop", "SIGTERM"),
    ("huggingface", "SIGTERM"),
]
SURE = {"os._exit": 4, "SIGKILL": -9}
"""Exit codes that nothing can come between; the others are those of the same training without the meter."""
CLOSED = [ending for ending in EVERY if ending not in DEAD]


class Ended(NamedTuple):
    """How a process ended, and another one without the meter."""

    metered: dict[str, Any]
    bare: dict[str, Any] | None
    folder: Path


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Ended]:
    """Every framework's processes, ended in every way, by framework and ending."""
    folder = tmp_path_factory.mktemp("endings")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("SLURM_")},
        "OMP_NUM_THREADS": "1",  # a fork of a process with threads in it may wait for ever
        "PYTHONPATH": str(ROOT),
    }
    running = {}
    for framework in ENDINGS_OF:
        (folder / framework).mkdir()
        command = [sys.executable, "-m", "tests.integration.endings", framework, str(folder / framework)]
        running[framework] = subprocess.Popen(
            command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    found = {}
    for framework, process in running.items():
        said, _ = process.communicate(timeout=500)
        assert process.returncode == 0, said
        results = json.loads((folder / framework / "results.json").read_text())
        by_case = {(result["ending"], result["metered"]): result for result in results}
        for ending in ENDINGS_OF[framework]:
            place = folder / framework / f"{ending}-True"
            metered = by_case[ending, True]
            found[framework, ending] = Ended(metered, by_case.get((ending, False)), place)
    return found


def closed(process: Ended) -> RunRecord:
    """The one record in the ledger of a process."""
    [path] = (process.folder / "ledger").glob("*/*/record.json")
    return from_mapping(json.loads(path.read_text()))


@pytest.mark.parametrize(("framework", "ending"), EVERY)
def test_the_meter_changes_nothing_about_an_end(
    ended: dict[tuple[str, str], Ended], framework: str, ending: str
) -> None:
    """The exit code is the same with the meter and without, and so is every signal handler: before, during, after."""
    metered, bare, _ = ended[framework, ending]
    seen = metered["seen"]

    assert (bare["code"] if bare else SURE[ending]) == metered["code"]
    assert seen["during"]["threads"]
    if bare:
        assert {when: what["handlers"] for when, what in bare["seen"].items()} == {
            when: what["handlers"] for when, what in seen.items()
        }


@pytest.mark.parametrize(("framework", "ending"), CLOSED)
def test_an_end_that_python_sees_closes_the_record(
    ended: dict[tuple[str, str], Ended], framework: str, ending: str
) -> None:
    """A return, an exception, an exit and a handled signal leave a closed record, and no thread."""
    process = ended[framework, ending]
    record = closed(process)

    assert (STATUS[ending], True) == (record.status, record.ended_at is not None)
    assert record.steps >= 3
    assert record.energy.total_joules == pytest.approx(WATTS * covered_seconds(record), rel=BUSY)
    assert process.metered["seen"]["at exit"]["threads"] == []


@pytest.mark.parametrize(("framework", "ending"), DEAD)
def test_an_end_that_nobody_sees_leaves_a_journal(
    ended: dict[tuple[str, str], Ended], framework: str, ending: str
) -> None:
    """A process that just stops leaves no closed record, and in its journal what it had used."""
    process = ended[framework, ending]
    [part] = parts_in(process.folder / "ledger")
    record = record_of([part], status=Status.INTERRUPTED)

    assert (None, "running") == (closed(process).ended_at, part.beat.status)
    assert record.steps >= 1
    assert record.energy.total_joules == pytest.approx(WATTS * covered_seconds(record), rel=BUSY)
    assert "at exit" not in process.metered["seen"]


def test_a_requeued_job_is_saved_first(ended: dict[tuple[str, str], Ended]) -> None:
    """Slurm's signal makes Lightning save and requeue as it does without the meter, and the energy of saving shows."""
    process = ended["lightning", "requeue"]

    assert "requeue 7\n" == (process.folder / "scontrol.txt").read_text()
    assert list(process.folder.glob("hpc_ckpt_*.ckpt"))
    assert closed(process).phase_seconds["checkpoint"] > 0
