"""Trainings that were killed and go on from a checkpoint: plain loops and Accelerate, with real processes and files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lightning_carbon import Meter, RunRecord
from lightning_carbon.ledger.attempts import ATTEMPTS_FILE
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.records.lineage import Resumed
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.totals import Totals
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.simulated import SimulatedCounter
from tests.integration.ledger.support import Reader, write
from tests.unit.records.parts import STARTED, domain, part

WATTS = 250.0
ROOT = Path(__file__).resolve().parents[2]

# Trains, saves, goes on until the journal has two more beats, tells its times, and waits to be killed.
CHILD = """
import json, sys, time
from pathlib import Path
from tests.integration.test_resuming import metered

folder = Path(sys.argv[1])
meter = metered(folder)
before = time.monotonic()
meter.start("train")
begun = time.monotonic()
for _ in range(20):
    time.sleep(0.02)
    meter.step_done(samples=8)
saved = time.monotonic()
(folder / "checkpoint.json").write_text(json.dumps(meter.state_dict()))
written = time.monotonic()
[journal] = (folder / "ledger").rglob("rank-*.jsonl")
beats = len(journal.read_text().splitlines())
while len(journal.read_text().splitlines()) < beats + 2:
    time.sleep(0.02)
    meter.step_done(samples=8)
print(json.dumps([meter.run_id, before, begun, saved, written]), flush=True)
time.sleep(60)
"""


def metered(folder: Path, **arguments: Any) -> Meter:  # noqa: ANN401 - the meter's
    """A meter of one GPU of constant power, with a ledger in that folder."""
    source = SimulatedCounter(SystemClock(), WATTS)
    settings = {"ledger": folder / "ledger", "sources": [source], "interval_seconds": 0.01, **arguments}
    return Meter(intensity=1000.0, pue=1.0, **settings)


def steps(meter: Meter, count: int) -> None:
    """Take some steps."""
    for _ in range(count):
        time.sleep(0.005)
        meter.step_done(samples=8)


def known(record: RunRecord) -> tuple[float, int, float, int]:
    """Energy and steps of what led here, and of what was spent."""
    lineage, spent = record.lineage, record.spent
    assert lineage is not None
    assert spent is not None
    assert lineage.joules is not None
    assert spent.joules is not None
    assert spent.joules >= lineage.joules
    return lineage.joules, lineage.steps, spent.joules, spent.steps


def test_what_a_killed_training_lost_is_spent(tmp_path: Path) -> None:
    """Train, save, go on, SIGKILL, resume: the lineage ends at the checkpoint, and what came after it is spent."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    with child:
        origin, before, begun, saved, written = json.loads(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
    died = time.monotonic()  # which counts from the same moment in all processes of a machine
    state = json.loads((tmp_path / "checkpoint.json").read_text())
    with metered(tmp_path) as meter:
        meter.load_state_dict(state)
        steps(meter, 10)
    record = meter.record
    own = record.energy.total_joules
    lineage, lineage_steps, spent, spent_steps = known(record)
    [first, last] = record.attempts

    assert origin == record.origin == first.run_id
    assert ("interrupted", record.run_id, own) == (first.status, last.run_id, last.joules)
    assert own is not None
    # To the checkpoint, as far as it was settled; and to the last beat, which is later than the checkpoint.
    assert 0 < lineage - own <= WATTS * (written - before)
    assert WATTS * (saved - begun) < spent - own <= WATTS * (died - before)
    assert 20 + 10 == lineage_steps < spent_steps
    assert record.spent is not None
    assert record.spent.samples == 8 * spent_steps
    assert record.spent.grams_co2e == pytest.approx(spent / 3600, rel=1e-9)


def test_a_resumed_training_that_is_found_dead(tmp_path: Path) -> None:
    """Reading the ledger recovers it with its origin, its lineage and all attempts, and keeps them."""
    gpu = domain("gpu:0")
    first = part(uj={gpu: 160_000_000}, steps=16, run_id="20260101T000000Z-a", at=STARTED)
    second = part(uj={gpu: 40_000_000}, steps=4, run_id="20260102T000000Z-b", at=STARTED + 10)
    origin = first.header.run_id
    resumed = Resumed(origin, Totals(100_000_000, 1.0, 10))
    write(tmp_path, first)
    folder = write(tmp_path, replace(second, beat=replace(second.beat, resumed=resumed)))
    lines = [
        json.dumps({"run_id": record.header.run_id, "project": record.header.project}) for record in (first, second)
    ]
    DirectoryRunStore(tmp_path).append_lines(first.header.project, origin, ATTEMPTS_FILE, lines=lines)
    record = Reader(tmp_path).ledger.find(second.header.run_id)

    assert ("interrupted", origin, (140.0, 14, 200.0, 20)) == (record.status, record.origin, known(record))
    assert ["interrupted", "interrupted"] == [attempt.status for attempt in record.attempts]
    assert to_mapping(record) == json.loads((folder / "record.json").read_text())


def test_a_list_of_attempts_is_no_run(tmp_path: Path) -> None:
    """Where the first run is on another machine, its folder is not listed among the runs."""
    with metered(tmp_path / "here") as first:
        steps(first, 1)
    with metered(tmp_path / "there") as second:
        second.load_state_dict(first.state_dict())
    reader = Reader(tmp_path / "there" / "ledger")

    assert [second.run_id] == [run.run_id for run in reader.ledger.runs()]
    assert [] == reader.said


def test_a_state_goes_through_torch(tmp_path: Path) -> None:
    """A checkpoint with the state of a meter loads where only weights are allowed."""
    with metered(tmp_path) as first:
        steps(first, 3)
    torch.save({"meter": first.state_dict()}, tmp_path / "checkpoint.pt")
    with metered(tmp_path) as second:
        second.load_state_dict(torch.load(tmp_path / "checkpoint.pt", weights_only=True)["meter"])
        steps(second, 2)

    assert (first.run_id, (5, 5)) == (second.record.origin, (known(second.record)[1], known(second.record)[3]))
    assert [attempt.joules for attempt in second.record.attempts] == [
        record.energy.total_joules for record in (first.record, second.record)
    ]


def test_a_ledger_on_another_host(tmp_path: Path) -> None:
    """Where the first run is not in the ledger, a folder of its name keeps the list, and what the checkpoint knew."""
    with metered(tmp_path / "here") as first:
        steps(first, 3)
        state = first.state_dict()
        steps(first, 3)
    with metered(tmp_path / "there") as second:
        second.load_state_dict(state)
        steps(second, 2)
    lineage, lineage_steps, spent, spent_steps = known(second.record)
    [folder] = (tmp_path / "there" / "ledger").rglob(first.run_id)

    assert [ATTEMPTS_FILE] == [path.name for path in folder.iterdir()]
    assert 2 == len((folder / ATTEMPTS_FILE).read_text().splitlines())
    assert (5, 5) == (lineage_steps, spent_steps)
    assert lineage == pytest.approx(spent)
    assert ["unknown", "completed"] == [attempt.status for attempt in second.record.attempts]


def test_a_record_of_another_schema_in_the_chain(tmp_path: Path) -> None:
    """An earlier attempt's record that lacks later keys is read; one of a newer version is not, and nothing breaks."""
    with metered(tmp_path) as first:
        steps(first, 3)
    state = first.state_dict()
    assert first.record.location is not None
    path = Path(first.record.location)
    stored = json.loads(path.read_text())
    for journal in path.parent.glob("rank-*"):
        journal.unlink()
    spent = []
    old = {key: value for key, value in stored.items() if key not in {"world_size", "ranks", "origin", "attempts"}}
    for record in ({**old, "status": "failed"}, {**stored, "schema": 99}):
        path.write_text(json.dumps(record))
        with metered(tmp_path, project=None) as later:
            later.load_state_dict(state)
            steps(later, 1)
        spent.append((later.record.attempts[0].status, later.record.attempts[0].joules))

    assert [("failed", first.record.energy.total_joules), ("unknown", first.record.energy.total_joules)] == spent


def test_accelerate_keeps_the_state(tmp_path: Path) -> None:
    """A meter that is registered for checkpointing is saved and loaded with everything else."""
    from accelerate import Accelerator

    def training(folder: Path | None, count: int) -> RunRecord:
        accelerator = Accelerator(cpu=True)
        model = accelerator.prepare(torch.nn.Linear(2, 1))
        with metered(tmp_path) as meter:
            accelerator.register_for_checkpointing(meter)
            if folder is not None:
                accelerator.load_state(str(folder))
            steps(meter, count)
            accelerator.save_state(str(tmp_path / f"after-{count}"))
            steps(meter, 1)
        del model
        return meter.record

    first = training(None, 4)
    second = training(tmp_path / "after-4", 3)

    assert first.run_id == second.origin
    assert (7 + 1, 5 + 4) == (known(second)[1], known(second)[3])
