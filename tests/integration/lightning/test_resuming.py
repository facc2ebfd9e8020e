"""Trainings that go on from a checkpoint of Lightning's."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from lightning_carbon import RunRecord
from lightning_carbon.energy.readings import Sensor
from lightning_carbon.integrations.lightning.hooks import CHECKPOINT_KEY
from tests.integration.lightning.support import (
    PACKAGES,
    CountedReads,
    loader,
    make_callback,
    make_module,
    make_trainer,
    records_in,
    saving_of,
)

# All attempts save into one folder, in mid-epoch, and testing needs nobody who saves. Of ours nothing is amiss.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{message}")
    for message in (
        "Checkpoint directory",
        "You're resuming from a checkpoint that ended before the epoch ended",
        "The dirpath has changed",
        r'Be aware that when using .ckpt_path.*callbacks. \["ModelCheckpoint[^"]*"\]',
    )
]

PACKAGE = PACKAGES[0]
ROOT = Path(__file__).resolve().parents[3]


class Crash(Exception):
    """A training ends here."""


class Breaking(CountedReads):
    """A source with a defect that shows when a meter starts."""

    broken = False

    @property
    def sensor(self) -> Sensor:
        """Have a defect."""
        if self.broken:
            raise Crash
        return super().sensor


def train(
    folder: Path, package: str = PACKAGE, fails_at: int | None = None, checkpoint: object = None, *, meters: bool = True
) -> RunRecord | None:
    """Train ten steps, saving after every second.

    Args:
        folder: What it may write to.
        package: Whose trainer it is.
        fails_at: The step of this attempt that fails, if one does.
        checkpoint: What it goes on from.
        meters: Whether there is a callback.
    """
    taken = iter(range(1000))

    def on_step(_module: object) -> None:
        time.sleep(0.005)
        if next(taken) == fails_at:
            raise Crash

    saving = saving_of(package, folder / "saved")
    callback = make_callback(folder) if meters else None
    trainer = make_trainer(
        package, folder, [saving, callback] if callback else [saving], enable_checkpointing=True, max_steps=10
    )
    with suppress(Crash):
        trainer.fit(make_module(package, on_step), loader(20), loader(1), ckpt_path=checkpoint)
    return callback.record if callback else None


def saved(folder: Path, step: int) -> Path:
    """The checkpoint of a step."""
    [path] = (folder / "saved").glob(f"*step={step}*.ckpt")
    return path


def steps(record: RunRecord | None) -> tuple[str | None, int, int]:
    """Where a training began, the steps that led to its model, and those that were taken in all."""
    assert record is not None
    assert record.lineage is not None
    assert record.spent is not None
    return record.origin, record.lineage.steps, record.spent.steps


@pytest.mark.parametrize("package", PACKAGES)
def test_a_training_that_failed_goes_on(tmp_path: Path, package: str) -> None:
    """Five steps of which four were saved, and six more: ten led to the model, eleven were taken."""
    first = train(tmp_path, package, fails_at=5)
    record = train(tmp_path, package, checkpoint=saved(tmp_path, 4))
    assert first is not None
    assert record is not None
    assert record.spent is not None
    assert record.lineage is not None
    joules = [run.energy.total_joules or 0 for run in (first, record)]

    assert (first.run_id, 10, 11) == steps(record)
    assert 6 == record.steps
    assert record.spent.joules == pytest.approx(sum(joules), rel=1e-9)
    assert joules[1] < (record.lineage.joules or 0) < sum(joules)
    assert ["failed", "completed"] == [attempt.status for attempt in record.attempts]


def test_a_checkpoint_holds_plain_values(tmp_path: Path) -> None:
    """It loads where only weights are allowed, and tells the steps that led to it."""
    train(tmp_path)
    loaded = torch.load(saved(tmp_path, 8), weights_only=True)[CHECKPOINT_KEY]

    assert 8 == loaded["lineage"]["steps"]
    assert loaded == json.loads(json.dumps(loaded))


def test_testing_a_checkpoint_is_no_resuming(tmp_path: Path) -> None:
    """What is tested, validated or predicted from a checkpoint is a run of its own, and no part of a training."""
    train(tmp_path)
    callback = make_callback(tmp_path)
    trainer = make_trainer(PACKAGE, tmp_path, callback)
    module = make_module(PACKAGE)
    trainer.fit(module, loader(2), loader(1))
    trained = callback.record
    for entry in (trainer.test, trainer.validate, trainer.predict):
        entry(
            module, loader(1), ckpt_path=saved(tmp_path, 4), **({} if entry == trainer.predict else {"verbose": False})
        )
        assert callback.record is not None
        assert callback.record.origin is None
    trainer.save_checkpoint(tmp_path / "later.ckpt")
    later = torch.load(tmp_path / "later.ckpt", weights_only=True)[CHECKPOINT_KEY]

    assert trained is not None
    assert (trained.run_id, 2) == (later["run_id"], later["lineage"]["steps"])


def test_without_the_callback_and_with_it_again(tmp_path: Path) -> None:
    """A checkpoint that was written without the callback says nothing; the run that goes on from it begins anew."""
    train(tmp_path, fails_at=5)
    (first,) = records_in(tmp_path)
    train(tmp_path, checkpoint=saved(tmp_path, 4), meters=False)
    record = train(tmp_path, checkpoint=saved(tmp_path, 8))

    assert record is not None
    assert (2, None, None) == (record.steps, record.origin, record.lineage)
    assert first in records_in(tmp_path)


def test_a_checkpoint_with_a_state_of_somebody_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is warned of, and the training goes on."""
    train(tmp_path, fails_at=5)
    path = saved(tmp_path, 4)
    checkpoint: dict[str, Any] = torch.load(path, weights_only=True)
    checkpoint[CHECKPOINT_KEY] = {"schema": 99}
    torch.save(checkpoint, path)
    record = train(tmp_path, checkpoint=path)

    assert record is not None
    assert (6, None) == (record.steps, record.origin)
    assert 1 == caplog.text.count("schema 99")


def test_a_meter_that_could_not_start_hands_the_state_on(tmp_path: Path) -> None:
    """An attempt whose metering failed leaves the lineage in its checkpoints, for the next one."""
    first = train(tmp_path, fails_at=5)
    callback = make_callback(tmp_path, sources=[source := Breaking()])
    source.broken = True
    saving = saving_of(PACKAGE, tmp_path / "saved")
    trainer = make_trainer(PACKAGE, tmp_path, [saving, callback], enable_checkpointing=True, max_steps=7)
    trainer.fit(make_module(PACKAGE), loader(20), loader(1), ckpt_path=saved(tmp_path, 4))
    record = train(tmp_path, checkpoint=saved(tmp_path, 6))

    assert callback.record is None
    assert first is not None
    assert (first.run_id, 4 + 4, 5 + 4) == steps(record)


DDP = """
import sys, warnings
from pathlib import Path

warnings.simplefilter("ignore")
from tests.integration.lightning import support

Tiny = type(support.make_module(sys.argv[2]))
Tiny.__qualname__, Tiny.__module__ = "Tiny", "__main__"  # where the other process finds it

if __name__ == "__main__":
    folder, package = Path(sys.argv[1]), sys.argv[2]
    saving = support.saving_of(package, folder / "two")
    trainer = support.make_trainer(
        package,
        folder,
        [saving, support.make_callback(folder)],
        enable_checkpointing=True,
        max_steps=6,
        devices=2,
        strategy="ddp_spawn",
    )
    trainer.fit(Tiny(), support.loader(40), support.loader(1), ckpt_path=sys.argv[3])
"""


def test_on_more_ranks_and_on_fewer(tmp_path: Path) -> None:
    """A training of one process goes on with two, and then with one again; every step is counted once."""
    first = train(tmp_path, fails_at=4)
    assert first is not None
    origin = first.run_id
    script = tmp_path / "ddp.py"
    script.write_text(DDP)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), PACKAGE, str(saved(tmp_path, 4))],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [two] = [
        record for record in map(json.loads, (path.read_text() for path in records_in(tmp_path))) if record["origin"]
    ]
    ranks = [part["rank"] for part in two["ranks"]]
    [checkpoint] = (tmp_path / "two").glob("*step=6.ckpt")
    again = train(tmp_path, checkpoint=checkpoint)

    assert (origin, [0, 1], 6, 6) == (two["origin"], ranks, two["lineage"]["steps"], two["spent"]["steps"])
    assert two["spent"]["joules"] >= two["lineage"]["joules"] > two["energy"]["total_joules"]
    assert (origin, 10, 10) == steps(again)
