"""However a training ends, and whatever was turned off, there is one closed and correct record."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon import CarbonCallback, RunRecord
from lightning_carbon.integrations.shared.trainer_settings import CopyRecord
from lightning_carbon.records.anonymous import anonymous
from lightning_carbon.records.mapping import to_mapping
from tests.integration.lightning.support import (
    BATCH_SIZE,
    PACKAGES,
    CountedReads,
    csv_column,
    loader,
    loggers_of,
    make_callback,
    make_module,
    make_trainer,
    records_in,
    scalars,
)
from tests.threads import lasting_samplers, samplers

PACKAGE = PACKAGES[0]
JOULES = "energy/row_joules"


def closed(callback: CarbonCallback, folder: Path) -> RunRecord:
    """The record, once it is sure that it is closed, whole, in the ledger, and the only one there."""
    record = callback.record
    assert record is not None
    [path] = records_in(folder)
    stored = json.loads(path.read_text())
    assert callback.record_path == str(path)
    assert stored["run_id"] == record.run_id
    assert stored["status"] == record.status
    assert stored["ended_at"] is not None
    assert stored["energy"]["total_joules"] == record.energy.total_joules == sum(record.energy.phases.values())
    assert not lasting_samplers()
    return record


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """After Ctrl-C, Lightning leaves SIGINT ignored."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def fail(_module: object) -> None:
    """Have a defect."""
    raise ValueError("a defect of the module")


def interrupt(_module: object) -> None:
    """Press Ctrl-C."""
    raise KeyboardInterrupt


def terminate(_module: object) -> None:
    """Be told to end, as by a scheduler."""
    os.kill(os.getpid(), signal.SIGTERM)


def leave(_module: object) -> None:
    """Leave in the midst of it."""
    raise SystemExit(3)


def at_step(number: int, action: Callable[[Any], object]) -> Callable[[Any], object]:
    """Do something in one step, and wait a little in the others."""
    steps = iter(range(1000))

    def on_step(module: Any) -> None:  # noqa: ANN401
        time.sleep(0.005)
        if next(steps) == number:
            action(module)

    return on_step


@pytest.mark.parametrize(
    ("action", "status", "steps"),
    [(fail, "failed", 3), (interrupt, "interrupted", 3), (leave, "interrupted", 3), (terminate, "interrupted", 4)],
)
@pytest.mark.filterwarnings("ignore:.*Detected KeyboardInterrupt")
def test_a_training_that_is_cut_short(tmp_path: Path, action: Callable[[Any], object], status: str, steps: int) -> None:
    """An error, Ctrl-C, an exit and SIGTERM each leave a closed record, and its total as the last value in the logs."""
    callback = make_callback(tmp_path)
    logger = loggers_of(PACKAGE).TensorBoardLogger(tmp_path, "tb")
    trainer = make_trainer(PACKAGE, tmp_path, callback, logger=logger)
    with suppress(ValueError, SystemExit, KeyboardInterrupt):
        trainer.fit(make_module(PACKAGE, at_step(3, action)), loader(8), loader(1))
    record = closed(callback, tmp_path)
    so_far = scalars(logger.log_dir, "energy/run_joules")

    assert (status, steps, steps * BATCH_SIZE) == (record.status, record.steps, record.samples)
    assert record.energy.total_joules == pytest.approx(so_far[-1][1], rel=1e-6)
    assert steps - 1 == so_far[-1][0]


def test_an_error_while_setting_up(tmp_path: Path) -> None:
    """A module that fails before any step leaves a record without steps."""

    class Broken(import_module(PACKAGE).LightningModule):  # type: ignore[misc]
        """Cannot be set up."""

        def training_step(self, batch: object, _: int) -> None:
            """Never reached."""

        def configure_optimizers(self) -> None:
            """Fail."""
            raise ValueError("no optimizer today")

    callback = make_callback(tmp_path)
    with pytest.raises(ValueError, match="no optimizer today"):
        make_trainer(PACKAGE, tmp_path, callback).fit(Broken(), loader(2))
    record = closed(callback, tmp_path)

    assert ("failed", 0, None) == (record.status, record.steps, record.samples)


def test_a_training_that_is_told_to_stop(tmp_path: Path) -> None:
    """`should_stop` ends it as it ends of itself, the validation that follows included."""

    def stop(module: Any) -> None:  # noqa: ANN401
        module.trainer.should_stop = True

    callback = make_callback(tmp_path)
    trainer = make_trainer(PACKAGE, tmp_path, callback)
    trainer.fit(make_module(PACKAGE, at_step(2, stop)), loader(8), loader(1))
    record = closed(callback, tmp_path)

    assert ("completed", 3) == (record.status, record.steps)
    assert record.energy.phases["validate"] > 0


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"limit_train_batches": 0}, 0),
        ({"limit_val_batches": 0}, 8),
        ({"num_sanity_val_steps": 0}, 8),
        ({"fast_dev_run": True}, 1),
        ({"fast_dev_run": 3}, 3),
        ({"logger": True}, 8),
        ({"max_epochs": 0}, 0),
        ({"max_time": "00:00:00:10"}, 8),
        ({"overfit_batches": 2}, 2),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:You requested to overfit")
def test_a_training_with_something_turned_off(tmp_path: Path, settings: dict[str, Any], steps: int) -> None:
    """Whatever of the trainer is turned off or cut short, the record tells what was done."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(PACKAGE, tmp_path, callback, **settings)
    trainer.fit(make_module(PACKAGE), loader(8), loader(1))
    record = closed(callback, tmp_path)

    assert ("completed", steps) == (record.status, record.steps)
    assert [] == [path for path in tmp_path.iterdir() if path.name not in {"ledger", "lightning_logs"}]


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
def test_a_bare_trainer_is_metered(tmp_path: Path, package: str) -> None:
    """A trainer with `barebones=True` has nothing to log to, and a record all the same."""
    callback = make_callback(tmp_path)
    trainer = import_module(package).Trainer(
        barebones=True, callbacks=callback, max_epochs=1, accelerator="cpu", default_root_dir=tmp_path
    )
    trainer.fit(make_module(package), loader(8), loader(1))

    assert ("completed", 8) == (closed(callback, tmp_path).status, closed(callback, tmp_path).steps)


def test_a_training_without_steps_is_logged(tmp_path: Path) -> None:
    """A training without a single step still has its energy in the logs, at step 0."""
    callback = make_callback(tmp_path)
    logger = loggers_of(PACKAGE).CSVLogger(tmp_path, "csv")
    trainer = make_trainer(PACKAGE, tmp_path, callback, logger=logger, limit_train_batches=0)
    trainer.fit(make_module(PACKAGE), loader(8), loader(1))

    [(step, joules)] = csv_column(logger.log_dir, JOULES)

    assert 0 == step
    assert closed(callback, tmp_path).energy.total_joules == pytest.approx(joules)


@pytest.mark.parametrize("entry", ["validate", "test", "predict"])
def test_an_entry_without_training_is_a_run(tmp_path: Path, entry: str) -> None:
    """Validating, testing and predicting have a record, a phase, and a row with their name before its names."""
    source = CountedReads()
    callback = make_callback(tmp_path, sources=[source])
    logger = loggers_of(PACKAGE).CSVLogger(tmp_path, "csv")
    trainer = make_trainer(PACKAGE, tmp_path, callback, logger=logger)
    getattr(trainer, entry)(make_module(PACKAGE), loader(3))
    record = closed(callback, tmp_path)

    assert ("completed", 0) == (record.status, record.steps)
    assert record.energy.phases[entry] > 0
    assert {"setup", "other", entry} == set(record.energy.phases)
    [(step, joules)] = csv_column(logger.log_dir, f"{entry}/{JOULES}")
    assert 0 == step
    assert record.energy.total_joules == pytest.approx(joules)
    assert (Path(logger.log_dir) / f"lightning_carbon_{entry}_record.json").exists()


def test_every_entry_has_a_record_of_its_own(tmp_path: Path) -> None:
    """Training twice and testing makes three records, and the training's copy stays beside the logs."""
    callback = make_callback(tmp_path)
    logger = loggers_of(PACKAGE).TensorBoardLogger(tmp_path, "tb")
    module = make_module(PACKAGE)
    trainer = make_trainer(PACKAGE, tmp_path, callback, logger=logger)
    runs = []
    trainer.fit(module, loader(3), loader(1))
    runs.append(callback.record)
    trainer.test(module, loader(3))
    runs.append(callback.record)
    make_trainer(PACKAGE, tmp_path, callback).fit(module, loader(2), loader(1))
    runs.append(callback.record)
    stored = [json.loads(path.read_text()) for path in records_in(tmp_path)]
    copied = json.loads((Path(logger.log_dir) / "lightning_carbon_record.json").read_text())

    assert [run.run_id for run in runs if run] == [record["run_id"] for record in stored]
    assert [3, 0, 2] == [record["steps"] for record in stored]
    assert stored[0]["run_id"] == copied["run_id"]


@pytest.mark.parametrize("copy_record", [None, True, False, "whole"])
def test_the_record_lies_beside_the_logs(tmp_path: Path, copy_record: CopyRecord | None) -> None:
    """Each logger that keeps a folder has a copy in it, which names the machine where that is asked for alone."""
    callback = make_callback(tmp_path, copy_record=copy_record)
    loggers = loggers_of(PACKAGE)
    both = [loggers.TensorBoardLogger(tmp_path, "tb"), loggers.CSVLogger(tmp_path, "csv")]
    make_trainer(PACKAGE, tmp_path, callback, logger=both).fit(make_module(PACKAGE), loader(3), loader(1))
    files = [Path(logger.log_dir) / "lightning_carbon_record.json" for logger in both]
    copies = [json.loads(file.read_text()) for file in files if file.exists()]
    assert callback.record is not None
    kept = callback.record if copy_record == "whole" else anonymous(callback.record)

    assert [to_mapping(kept)] * (0 if copy_record is False else 2) == copies
    assert (copy_record == "whole") == (os.uname().nodename in json.dumps([copy["host"] for copy in copies]))


def test_saving_is_a_phase(tmp_path: Path) -> None:
    """What happens until a checkpoint is written is attributed to saving, the wait for the next batch is not."""
    pl = import_module(PACKAGE)

    class SlowDisk(import_module(f"{PACKAGE}.plugins.io").TorchCheckpointIO):  # type: ignore[misc]
        """A disk that takes its time."""

        def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            """Write, slowly."""
            time.sleep(0.1)
            super().save_checkpoint(*args, **kwargs)

    callback = make_callback(tmp_path)
    saving = pl.callbacks.ModelCheckpoint(tmp_path / "kept", every_n_train_steps=2, save_top_k=-1)
    trainer = make_trainer(
        PACKAGE, tmp_path, [callback, saving], enable_checkpointing=True, plugins=[SlowDisk()], max_steps=4
    )
    trainer.fit(make_module(PACKAGE), loader(8, seconds=0.02), loader(1))
    seconds = closed(callback, tmp_path).phase_seconds

    assert seconds["checkpoint"] >= 2 * 0.1
    assert seconds["train"] >= 4 * BATCH_SIZE * 0.02
    assert "save_checkpoint" not in vars(trainer.strategy)


def test_a_disk_that_fails_is_told_by_the_trainer_alone(tmp_path: Path) -> None:
    """An error while saving reaches the user as it is, and the record is closed as failed."""
    pl = import_module(PACKAGE)

    class FullDisk(import_module(f"{PACKAGE}.plugins.io").TorchCheckpointIO):  # type: ignore[misc]
        """A disk without room."""

        def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            """Fail."""
            raise OSError("no space left on device")

    callback = make_callback(tmp_path)
    saving = pl.callbacks.ModelCheckpoint(tmp_path / "kept", every_n_train_steps=2)
    trainer = make_trainer(PACKAGE, tmp_path, [callback, saving], enable_checkpointing=True, plugins=[FullDisk()])
    with pytest.raises(OSError, match="no space left"):
        trainer.fit(make_module(PACKAGE), loader(8), loader(1))

    assert "failed" == closed(callback, tmp_path).status


def test_the_meter_runs_while_it_trains(tmp_path: Path) -> None:
    """There are the sampling thread and the one that keeps house during a training, and none before it or after."""
    seen: list[int] = []
    callback = make_callback(tmp_path)
    before = (callback.meter, callback.record, callback.record_path, len(samplers()))
    trainer = make_trainer(PACKAGE, tmp_path, callback)
    trainer.fit(make_module(PACKAGE, lambda _module: seen.append(len(samplers()))), loader(2), loader(1))
    meter = callback.meter
    assert meter is not None

    assert (None, None, None, 0) == before
    assert [2, 2] == seen
    assert (False, 0) == (meter.is_running, len(lasting_samplers()))
