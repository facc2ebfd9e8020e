"""Trainings that go on from a checkpoint of the Trainer's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lightning_carbon.integrations.huggingface.checkpoints import STATE_FILE
from tests.integration.huggingface.support import make_trainer, metered_trainer, records_in

if TYPE_CHECKING:
    from lightning_carbon import RunRecord

ROOT = Path(__file__).resolve().parents[3]
SETTINGS: dict[str, Any] = {"num_train_epochs": 2, "save_strategy": "steps", "save_steps": 3}


class Crash(Exception):
    """A training ends here."""


def fails_at(folder: Path, step: int) -> RunRecord:
    """A training of eight steps that saves after every third, and fails in one."""
    trainer, callback = metered_trainer(folder, **SETTINGS)
    wait, taken = trainer.on_step, iter(range(1000))

    def on_step() -> None:
        wait()
        if next(taken) == step:
            raise Crash

    trainer.on_step = on_step
    with pytest.raises(Crash):
        trainer.train()
    assert callback.record is not None
    return callback.record


def resumed(folder: Path, step: int, *, meters: bool = True, **settings: Any) -> RunRecord | None:  # noqa: ANN401
    """Go on from the checkpoint of a step, to the end."""
    checkpoint = str(folder / f"out/checkpoint-{step}")
    if not meters:
        make_trainer(folder, **SETTINGS, **settings).train(resume_from_checkpoint=checkpoint)
        return None
    trainer, callback = metered_trainer(folder, **SETTINGS, **settings)
    trainer.train(resume_from_checkpoint=checkpoint)
    return callback.record


def state_of(folder: Path, step: int) -> dict[str, Any]:
    """What a checkpoint says of the energy."""
    state: dict[str, Any] = json.loads((folder / f"out/checkpoint-{step}" / STATE_FILE).read_text())
    return state


@pytest.mark.parametrize("restores", [False, True])
def test_a_training_that_failed_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture, *, restores: bool) -> None:
    """Five steps of which three were saved, and five more: eight led to the model, ten were taken."""
    first = fails_at(tmp_path, 5)
    assert 3 == state_of(tmp_path, 3)["lineage"]["steps"]
    record = resumed(tmp_path, 3, restore_callback_states_from_checkpoint=restores)
    assert record is not None
    assert record.lineage is not None
    assert record.spent is not None
    joules = [run.energy.total_joules or 0 for run in (first, record)]

    assert (first.run_id, 5, 8, 10) == (record.origin, record.steps, record.lineage.steps, record.spent.steps)
    assert record.spent.joules == pytest.approx(sum(joules), rel=1e-9)
    assert joules[1] < (record.lineage.joules or 0) < sum(joules)
    assert ["failed", "completed"] == [attempt.status for attempt in record.attempts]
    assert 6 == state_of(tmp_path, 6)["lineage"]["steps"]
    assert "lightning_carbon" not in caplog.text
    assert "lightning_carbon" not in (tmp_path / "out/checkpoint-6/trainer_state.json").read_text()


@pytest.mark.parametrize("restores", [False, True])
def test_without_the_callback_and_with_it_again(tmp_path: Path, *, restores: bool) -> None:
    """An earlier checkpoint tells of what was before; what was not metered in between is in no total."""
    first = fails_at(tmp_path, 4)
    resumed(tmp_path, 3, meters=False, restore_callback_states_from_checkpoint=restores)
    record = resumed(tmp_path, 6, restore_callback_states_from_checkpoint=restores)
    assert record is not None
    assert record.lineage is not None
    assert record.spent is not None

    assert (first.run_id, 2, 3 + 2, 4 + 2) == (
        record.origin,
        record.steps,
        record.lineage.steps,
        record.spent.steps,
    )


@pytest.mark.parametrize(("content", "said"), [('{"schema": 99}', "schema 99"), ("[" * 10**5, "cannot be read")])
def test_a_checkpoint_with_a_state_of_somebody_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str, said: str
) -> None:
    """It is warned of, and the training goes on."""
    fails_at(tmp_path, 4)
    (tmp_path / "out/checkpoint-3" / STATE_FILE).write_text(content)
    record = resumed(tmp_path, 3)

    assert record is not None
    assert (5, None) == (record.steps, record.origin)
    assert 1 == caplog.text.count(said)


def test_training_again_is_no_resuming(tmp_path: Path) -> None:
    """A second `train()` of the same Trainer begins anew."""
    trainer, callback = metered_trainer(tmp_path, **SETTINGS)
    trainer.train()
    trainer.train()

    assert callback.record is not None
    assert (8, None) == (callback.record.steps, callback.record.origin)


RANKS = """
import sys
from pathlib import Path
from tests.integration.huggingface.test_resuming import SETTINGS
from tests.integration.huggingface.support import make_callback, make_trainer

folder, checkpoint, tries = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
settings = {**SETTINGS, "max_steps": tries, "save_steps": 1, "ddp_backend": "gloo"}
make_trainer(folder, [make_callback(folder)], samples=16, **settings).train(resume_from_checkpoint=checkpoint)
"""


def test_on_more_ranks_and_on_fewer(tmp_path: Path) -> None:
    """A training of one process goes on with two, and then with one again; every step is counted once."""
    first = fails_at(tmp_path, 4)
    script = tmp_path / "ranks.py"
    script.write_text(RANKS)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launcher, str(script), str(tmp_path), str(tmp_path / "out/checkpoint-3"), "5"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    records = [json.loads(path.read_text()) for path in records_in(tmp_path)]
    [two] = [record for record in records if record["origin"]]
    last = resumed(tmp_path, 5)
    assert last is not None
    assert last.lineage is not None
    assert last.spent is not None

    assert (first.run_id, 2, 3 + 2, 4 + 2) == (
        two["origin"],
        len(two["ranks"]),
        two["lineage"]["steps"],
        two["spent"]["steps"],
    )
    assert two["spent"]["joules"] >= two["lineage"]["joules"] > two["energy"]["total_joules"]
    assert (first.run_id, 3 + 2 + 3, 4 + 2 + 3) == (last.origin, last.lineage.steps, last.spent.steps)
    assert [first.run_id, two["run_id"], last.run_id] == [attempt.run_id for attempt in last.attempts]
