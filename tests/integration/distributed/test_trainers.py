"""Trainers that start their ranks, or are started as ranks: one record, one log, and the rows' sum near its total."""

from __future__ import annotations

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


@pytest.mark.parametrize("launcher", ["torchrun", "accelerate launch"])
def test_hugging_face_is_started_by_a_launcher(tmp_path: Path, launcher: str) -> None:
    """As a script that knows nothing of ranks."""
    # Of several processes on processors it knows MPI's alone, so it is told of GPUs; the script computes without.
    accelerate = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes=2"]
    accelerate += ["--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no", "--main_process_port=0"]
    command = torchrun(2) if launcher == "torchrun" else accelerate
    script = [str(HERE / "train_huggingface.py"), str(tmp_path)]
    done = run_all(tmp_path, ([*command, *script], environment()))
    assert done.returncode == 0, done.output

    check(done, [row for tag, rows in huggingface_scalars(tmp_path).items() if "run_joules" in tag for row in rows])
