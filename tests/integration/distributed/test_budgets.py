"""Trainings of several processes whose budget is used up: all of them end at the same step, with a checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.integration.distributed.support import done, environment, read_json, run_all, torchrun
from tests.integration.distributed.train_budget import MOST_STEPS

SCRIPT = str(Path(__file__).with_name("train_budget.py"))
SAVED = {"loop": "saved-0.txt", "lightning": "budget-reached.ckpt", "huggingface": "checkpoint-{steps}"}


def test_ranks_stop_at_the_same_step(tmp_path: Path) -> None:
    """In a loop of a user and in either trainer, side by side; nobody waits for another rank."""
    folders = {kind: tmp_path / kind for kind in SAVED}
    for folder in folders.values():
        folder.mkdir()
    commands = [
        ([*([sys.executable] if kind == "lightning" else torchrun(2)), SCRIPT, kind, str(folder)], environment())
        for kind, folder in folders.items()
    ]
    ended = run_all(tmp_path, *commands)
    assert ended.returncode == 0, ended.output

    for kind, folder in folders.items():
        first, second = (read_json(folder / f"rank-{rank}.json") for rank in range(2))
        record = done(folder, 0, output=ended.output).record
        budget, steps = record["budget"], first["steps"]

        assert steps == second["steps"] < MOST_STEPS
        assert [SAVED[kind].format(steps=steps)] == first["saved"]
        assert ("completed", "6000 J", True) == (record["status"], budget["limit"], budget["stopped"])
        assert [(0, steps), (1, steps)] == [(rank["rank"], rank["steps"]) for rank in record["ranks"]]
