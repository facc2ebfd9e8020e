"""Trainers that start their ranks, or are started as ranks: one record, one log, and the rows' sum near its total."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.board import Show
from tests.integration.distributed.support import Done, environment, run_all, torchrun
from tests.integration.huggingface.support import scalars as huggingface_scalars
from tests.integration.lightning.support import BUSY, scalars

WATTS = 300.0
HERE = Path(__file__).parent


def check(done: Done, rows: list[tuple[int, float]]) -> None:
    """Two ranks, each with a GPU of constant power."""
    record = done.record
    ranks: list[dict[str, Any]] = record["ranks"]
    total = record["energy"]["total_joules"]

    assert ("completed", 2, 20) == (record["status"], record["world_size"], record["steps"])
    assert [(0, 20, 1), (1, 20, 1)] == [(rank["rank"], rank["steps"], len(rank["devices"])) for rank in ranks]
    covered_ratio = record["energy"]["coverage_ratio"]
    assert total == pytest.approx(WATTS * covered_ratio * sum(rank["duration_seconds"] for rank in ranks), rel=BUSY)
    assert [rank["mean_watts"] for rank in ranks] == pytest.approx([WATTS * covered_ratio] * 2, rel=BUSY)
    assert ranks[0]["joules"] * 0.99 <= rows[-1][1] <= 1.01 * total


def test_lightning_starts_its_ranks(tmp_path: Path) -> None:
    """A script that Lightning itself runs once more for the second rank."""
    # Its "fsdp" takes GPUs alone: "the strategy `fsdp` requires a GPU accelerator".
    command = [sys.executable, str(HERE / "train_lightning.py"), str(tmp_path), "ddp", "2"]
    done = run_all(tmp_path, (command, environment()))
    assert done.returncode == 0, done.output
    [logs] = (tmp_path / "logs").iterdir()

    check(done, scalars(logs, "energy/run_joules"))
    assert 1 == len(Show.of(logs).texts)


def test_hugging_face_is_started_by_torchrun(tmp_path: Path) -> None:
    """As a script that knows nothing of ranks."""
    done = run_all(tmp_path, ([*torchrun(2), str(HERE / "train_huggingface.py"), str(tmp_path)], environment()))
    assert done.returncode == 0, done.output

    check(done, run_joules(tmp_path))


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A training of the Trainer and a loop on Accelerate, one after the other, started by ``accelerate launch``."""
    folder = tmp_path_factory.mktemp("launched")
    trainer, loop = folder / "trainer", folder / "loop"
    trainer.mkdir()
    # Of several processes on processors it knows MPI's alone, so it is told of GPUs; the script computes without.
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes=2"]
    command += ["--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no", "--main_process_port=0"]
    script = [str(HERE / "train_huggingface.py"), str(trainer), str(loop)]
    ended = run_all(trainer, ([*command, *script], environment()))
    assert ended.returncode == 0, ended.output
    return folder, ended


def test_hugging_face_is_started_by_accelerate(launched: tuple[Path, Done]) -> None:
    """As by torchrun."""
    folder, ended = launched

    check(ended, run_joules(folder / "trainer"))


def test_the_main_process_of_accelerate_meters_for_all(launched: tuple[Path, Done]) -> None:
    """Accelerate calls its trackers there alone: one record with the GPUs of both processes, and one log."""
    folder, ended = launched
    record = record_in(folder / "loop" / "ledger")
    [logs] = (folder / "loop" / "logs").glob("**/events.out.tfevents.*")
    rows = scalars(logs.parent, "energy/run_joules")
    [rank] = record["ranks"]

    assert ("completed", 1, 10, 2) == (record["status"], record["world_size"], record["steps"], len(rank["devices"]))
    assert rows[-1][1] == pytest.approx(record["energy"]["total_joules"], rel=1e-6)
    assert "did not take" not in ended.output


def test_trackers_of_accelerate_are_told_of_a_meter_in_every_process(launched: tuple[Path, Done]) -> None:
    """By the main process alone, with the sum over both."""
    folder, _ = launched
    record = record_in(folder / "loop" / "ranks")
    [logs] = (folder / "loop" / "logs").glob("**/events.out.tfevents.*")
    told = [text for _, text in Show.of(logs.parent).texts["carbon/summary"]]

    assert [(0, 10, 1), (1, 10, 1)] == [(rank["rank"], rank["steps"], len(rank["devices"])) for rank in record["ranks"]]
    assert [True, False] == [record["run_id"] in text for text in told]


def record_in(ledger: Path) -> dict[str, Any]:
    """The only record in a ledger."""
    [path] = ledger.rglob("record.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def run_joules(folder: Path) -> list[tuple[int, float]]:
    """The rows of a training of the Trainer."""
    return [row for tag, rows in huggingface_scalars(folder).items() if "run_joules" in tag for row in rows]
