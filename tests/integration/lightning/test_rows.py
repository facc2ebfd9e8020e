"""What is logged, and where on the x-axis."""

import json
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon.ledger.courses import read_course
from lightning_carbon.records.rows import METRICS, Scope
from tests.covered import covered_seconds
from tests.integration.lightning.support import (
    BATCH_SIZE,
    BUSY,
    PACKAGES,
    WATTS,
    CountedReads,
    Trainer,
    csv_column,
    loader,
    loggers_of,
    make_callback,
    make_module,
    make_trainer,
    scalars,
    tags,
)

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "lightning_rows.json"
JOULES = "energy/row_joules"
SO_FAR = "energy/run_joules"


def trained(
    folder: Path,
    package: str = PACKAGES[0],
    optimizers: int = 1,
    batches: int = 8,
    **settings: Any,  # noqa: ANN401 - Lightning's
) -> Trainer:
    """Train with both kinds of logger, each step waiting until the one before is settled; the trainer that did it."""
    source = CountedReads()
    callback = make_callback(folder, sources=[source])
    loggers = loggers_of(package)
    trainer = make_trainer(
        package,
        folder,
        callback,
        logger=[loggers.TensorBoardLogger(folder, "tb"), loggers.CSVLogger(folder, "csv")],
        **settings,
    )
    module = make_module(package, lambda _module: source.wait(), optimizers)
    trainer.fit(module, loader(batches), loader(1))
    return trainer


@pytest.mark.parametrize("package", PACKAGES)
def test_rows_are_as_recorded(tmp_path: Path, package: str) -> None:
    """Tags, steps, and every value that does not depend on the machine's speed are as they always were."""
    trainer = trained(tmp_path, package, batches=4, max_epochs=2, log_every_n_steps=3)
    [course] = map(read_course, {path.parent for path in tmp_path.rglob("course.json")})
    assert course is not None
    assert "train/loss" in course.metrics
    logs = trainer.loggers[0].log_dir
    golden = json.loads(GOLDEN.read_text())
    carbon_tags = sorted(tags(logs) & {metric.name for metric in METRICS})
    steps = {tag: [step for step, _ in scalars(logs, tag)] for tag in [*carbon_tags, "train/loss"]}
    steady = {tag: [value for _, value in scalars(logs, tag)] for tag in golden["values"]}

    assert golden["steps"] == steps
    assert golden["values"] == {tag: pytest.approx(values, rel=BUSY) for tag, values in steady.items()}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_epochs": 2, "val_check_interval": 3},
        {"accumulate_grad_batches": 3},
        {"log_every_n_steps": 50},
        {"log_every_n_steps": 1},
        {"max_steps": 5},
    ],
    ids=str,
)
def test_the_rows_add_up_to_the_record(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Up to each row, the rows are the run so far, and the last run so far is the record's."""
    trainer = trained(tmp_path, **settings)
    record = trainer.callbacks[0].record
    for read, logger, rel in ((scalars, trainer.loggers[0], 1e-6), (csv_column, trainer.loggers[1], 1e-12)):
        rows, so_far = ([value for _, value in read(logger.log_dir, name)] for name in (JOULES, SO_FAR))

        assert list(accumulate(rows)) == pytest.approx(so_far[: len(rows)], rel=rel)
        assert record.energy.total_joules == pytest.approx(so_far[-1], rel=rel)
    kilowatt_hours = csv_column(trainer.loggers[1].log_dir, "energy/run_kwh")[-1][1]

    assert record.energy.total_joules == pytest.approx(kilowatt_hours * 3.6e6, rel=1e-12)
    assert record.energy.total_joules == sum(record.energy.phases.values())
    assert record.energy.total_joules == pytest.approx(WATTS * covered_seconds(record), rel=BUSY)


@pytest.mark.parametrize("logger_index", [0, 1])
def test_rows_stand_where_the_loss_stands(tmp_path: Path, logger_index: int) -> None:
    """With accumulation and several epochs, too, energy shares its steps with the loss; the last row ends the last."""
    trainer = trained(tmp_path, accumulate_grad_batches=3, max_epochs=3, log_every_n_steps=2)
    read = [scalars, csv_column][logger_index]
    logs = trainer.loggers[logger_index].log_dir
    loss = [step for step, _ in read(logs, "train/loss")]
    rows = [step for step, _ in read(logs, JOULES)]

    assert [1, 3, 5, 7] == loss
    assert [1, 3, 5, 7, 8] == rows


def test_every_row_has_the_same_names(tmp_path: Path) -> None:
    """What the first row has, the others have, save the rest at the end, of which only the run's totals are told."""
    trainer = trained(tmp_path)
    logs = trainer.loggers[0].log_dir
    found = {
        scope: {
            tuple(step for step, _ in scalars(logs, metric.name))
            for metric in METRICS
            if metric.scope is scope and metric.name in tags(logs) and "_per_" not in metric.name
        }
        for scope in Scope
    }

    once = {(1, 3, 5, 7)}

    assert {Scope.ROW: once, Scope.RATE: once, Scope.FORECAST: once, Scope.RUN: {(1, 3, 5, 7, 7)}} == found


def test_micro_batches_make_one_step(tmp_path: Path) -> None:
    """Accumulated batches count as the steps that they make together, with the samples of all."""
    record = trained(tmp_path, accumulate_grad_batches=3).callbacks[0].record

    assert (3, 8 * BATCH_SIZE) == (record.steps, record.samples)


def test_several_optimizers_make_one_step(tmp_path: Path) -> None:
    """A batch that two optimizers learn from by hand is one step on the x-axis of the loss."""
    trainer = trained(tmp_path, optimizers=2)
    logs = trainer.loggers[0].log_dir
    record = trainer.callbacks[0].record

    assert 16 == trainer.global_step
    assert (8, 8 * BATCH_SIZE) == (record.steps, record.samples)
    assert [1, 3, 5, 7] == [step for step, _ in scalars(logs, "train/loss")]
    assert [1, 3, 5, 7] == [step for step, _ in scalars(logs, JOULES)]


def test_a_resumed_training_goes_on_along_the_axis(tmp_path: Path) -> None:
    """After loading a checkpoint the rows go on where the loss goes on, and the run is one of its own."""
    first = trained(tmp_path / "first", batches=4)
    first.save_checkpoint(tmp_path / "one.ckpt")
    package = PACKAGES[0]
    source = CountedReads()
    callback = make_callback(tmp_path, sources=[source])
    logger = loggers_of(package).CSVLogger(tmp_path, "csv")
    trainer = make_trainer(package, tmp_path, callback, logger=logger, max_epochs=2)
    trainer.fit(
        make_module(package, lambda _module: source.wait()), loader(4), loader(1), ckpt_path=tmp_path / "one.ckpt"
    )

    assert [5, 7] == [step for step, _ in csv_column(logger.log_dir, "train/loss")]
    assert [5, 7] == [step for step, _ in csv_column(logger.log_dir, JOULES)]
    assert callback.record is not None
    assert 4 == callback.record.steps


def test_waiting_for_data_belongs_to_the_step(tmp_path: Path) -> None:
    """A slow loader shows in the energy of the steps."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(PACKAGES[0], tmp_path, callback)
    trainer.fit(make_module(PACKAGES[0]), loader(4, seconds=0.02), loader(1))
    record = callback.record

    assert record is not None
    assert record.step_joules is not None
    assert record.step_joules >= 4 * BATCH_SIZE * 0.02 * WATTS
    assert record.energy.phases["train"] >= record.step_joules


def test_energy_per_sample_divides_by_the_samples(tmp_path: Path) -> None:
    """A step of four samples takes four times the energy of a sample."""
    logs = trained(tmp_path).loggers[1].log_dir
    steps, samples = (csv_column(logs, f"energy/joules_per_{name}") for name in ("step", "sample"))

    assert [value for _, value in steps] == pytest.approx([value * BATCH_SIZE for _, value in samples])


def test_the_trial_of_the_validation_is_a_phase_and_logs_nothing(tmp_path: Path) -> None:
    """The sanity check has its energy in the record and no row."""
    trainer = trained(tmp_path, num_sanity_val_steps=1, max_steps=2)
    record = trainer.callbacks[0].record

    assert record.energy.phases["sanity"] > 0
    assert [1] == [step for step, _ in csv_column(trainer.loggers[1].log_dir, JOULES)]


def test_validation_in_mid_epoch_is_a_phase(tmp_path: Path) -> None:
    """What validation takes is not attributed to training."""
    record = trained(tmp_path, val_check_interval=2).callbacks[0].record

    assert {"setup", "sanity", "train", "validate", "other"} == set(record.energy.phases)
    assert record.energy.phases["validate"] > 0
