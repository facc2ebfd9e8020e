"""Trainers that nobody gave a callback to, after ``autolog()``."""

import json
import logging
import pickle
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import lightning_carbon
from lightning_carbon import CarbonCallback, ConfigError
from lightning_carbon.integrations.autolog.automatic import GROUPS, Automatic, of_this_process
from lightning_carbon.integrations.autolog.entry import callbacks
from tests.integration.lightning.support import (
    PACKAGES,
    CountedReads,
    csv_column,
    loader,
    loggers_of,
    make_callback,
    make_module,
    make_trainer,
    records_in,
    saving_of,
)
from tests.threads import lasting_samplers

Autolog = Callable[..., None]


@pytest.fixture
def autolog(tmp_path: Path) -> Iterator[Autolog]:
    """The function, with a ledger of its own and one source, and off again after the test."""

    def on(**settings: Any) -> None:  # noqa: ANN401 - of several types
        settings = {"project": "automatic", "sources": [CountedReads()], "interval_seconds": 0.01, **settings}
        lightning_carbon.autolog(intensity=1000.0, pue=1.0, ledger=tmp_path / "ledger", **settings)

    yield on
    lightning_carbon.autolog(disable=True)


def ours(trainer: Any) -> list[CarbonCallback]:  # noqa: ANN401 - a trainer of either package
    """The metering callbacks of a trainer."""
    return [callback for callback in trainer.callbacks if isinstance(callback, CarbonCallback)]


def records(folder: Path) -> list[dict[str, Any]]:
    """The records in the ledger."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in records_in(folder)]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_trainer_without_a_callback_meters_itself(tmp_path: Path, package: str, autolog: Autolog) -> None:
    """Rows go to its loggers and a record to the ledger alone, for nobody asked for a file beside the logs."""
    source = CountedReads()
    autolog(sources=[source], run_name="first")
    logger = loggers_of(package).CSVLogger(tmp_path, "csv")
    trainer = make_trainer(package, tmp_path, None, logger=logger)
    trainer.fit(make_module(package, lambda _module: source.wait()), loader(4), loader(1))
    [record] = records(tmp_path)
    so_far = csv_column(logger.log_dir, "energy/run_joules")

    assert ("completed", "automatic", "first", 4) == tuple(
        record[key] for key in ("status", "project", "run_name", "steps")
    )
    assert so_far[-1][1] == pytest.approx(record["energy"]["total_joules"])
    assert ["metrics.csv"] == [file.name for file in Path(logger.log_dir).iterdir()]
    assert not [name for name in trainer.callback_metrics if name.startswith(("energy/", "carbon/"))]
    assert not lasting_samplers()


def test_what_is_monitored_is_there_to_be_monitored(tmp_path: Path, autolog: Autolog) -> None:
    """An automatic callback adds metrics for callbacks only where one of them asks for it."""
    source = CountedReads()
    autolog(sources=[source])
    saving = import_module(f"{PACKAGES[0]}.callbacks").ModelCheckpoint(
        tmp_path / "kept", monitor="carbon/run_grams_co2e", every_n_epochs=1
    )
    trainer = make_trainer(PACKAGES[0], tmp_path, [saving], enable_checkpointing=True)
    trainer.fit(make_module(PACKAGES[0], lambda _module: source.wait()), loader(4), loader(1))

    assert saving.best_model_score is not None
    assert 0 < float(trainer.callback_metrics["carbon/run_grams_co2e"])


def test_a_source_tree_is_found_where_lightning_looks(tmp_path: Path) -> None:
    """Where nobody installed the package, Python's own lookup of entry points finds it, and only while it is on."""
    tree = Automatic({}, declared=lambda _: False)

    def found() -> dict[str, object]:
        entries = [entry for group in GROUPS for entry in entry_points(group=group)]
        return {
            entry.group: entry.load()
            for entry in entries
            if entry.dist and entry.dist.name == "lightning-carbon-autolog"
        }

    before = found()
    tree.switch_on({"ledger": tmp_path})
    on = found()
    tree.switch_off()

    assert ({}, {}) == (before, found())
    assert dict.fromkeys(GROUPS, callbacks) == on


@pytest.mark.parametrize("package", PACKAGES)
def test_said_twice_it_meters_once_as_said_last(tmp_path: Path, package: str, autolog: Autolog) -> None:
    """Every trainer gets one callback of its own."""
    autolog(project="first")
    autolog(project="second")
    trainers = [make_trainer(package, tmp_path, None) for _ in range(2)]
    for trainer in trainers:
        trainer.fit(make_module(package), loader(2), loader(1))

    assert [1, 1] == [len(ours(trainer)) for trainer in trainers]
    assert ours(trainers[0])[0] is not ours(trainers[1])[0]
    assert ["second", "second"] == [record["project"] for record in records(tmp_path)]


@pytest.mark.parametrize("package", PACKAGES)
def test_switched_off_no_trainer_meters_itself(tmp_path: Path, package: str, autolog: Autolog) -> None:
    """Trainers that were there keep their callback, later ones get none."""
    autolog()
    before = make_trainer(package, tmp_path, None)
    lightning_carbon.autolog(disable=True)
    after = make_trainer(package, tmp_path, None)

    assert (1, 0) == (len(ours(before)), len(ours(after)))


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("order", [list, lambda callbacks: callbacks[::-1]], ids=["as made", "turned round"])
def test_a_callback_given_by_hand_is_the_one(
    tmp_path: Path, package: str, order: Callable[[list[Any]], list[Any]], autolog: Autolog
) -> None:
    """With an automatic one beside it, before or behind, there is one run, one log and one record: its own."""
    source = CountedReads()
    autolog()
    callback = make_callback(tmp_path, project="by hand", sources=[source])
    logger = loggers_of(package).CSVLogger(tmp_path, "csv")
    trainer = make_trainer(package, tmp_path, callback, logger=logger)
    both = len(ours(trainer))
    trainer.callbacks = order(trainer.callbacks)
    trainer.fit(make_module(package, lambda _module: source.wait()), loader(4), loader(1))
    trainer.test(make_module(package), loader(1), verbose=False)
    fit, test = records(tmp_path)

    assert (2, [callback]) == (both, ours(trainer))
    assert ("by hand", "by hand", 4) == (fit["project"], test["project"], fit["steps"])
    assert [1, 3] == [step for step, _ in csv_column(logger.log_dir, "energy/row_joules")]
    assert csv_column(logger.log_dir, "energy/run_joules")[-1][1] == pytest.approx(fit["energy"]["total_joules"])


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_that_brings_its_own_callback_is_metered_by_it(tmp_path: Path, package: str, autolog: Autolog) -> None:
    """What ``configure_callbacks`` returns was written by hand, too."""
    autolog()
    callback = make_callback(tmp_path, project="module")
    module = make_module(package)
    module.configure_callbacks = lambda: callback
    trainer = make_trainer(package, tmp_path, None)
    trainer.fit(module, loader(2), loader(1))
    [record] = records(tmp_path)

    assert ("module", [callback]) == (record["project"], ours(trainer))


def test_one_that_gave_way_leaves_nothing_in_checkpoints(tmp_path: Path, autolog: Autolog) -> None:
    """A training that is resumed goes on with the run of the callback that metered it."""
    package = PACKAGES[0]
    autolog()
    first = make_callback(tmp_path, project="by hand")
    given = [first, saving_of(package, tmp_path / "saved")]
    make_trainer(package, tmp_path, given, enable_checkpointing=True).fit(make_module(package), loader(4), loader(1))
    checkpoint = tmp_path / "saved" / "epoch=0-step=4.ckpt"
    checkpoint = checkpoint.rename(tmp_path / checkpoint.name)
    shutil.rmtree(tmp_path / "saved")
    second = make_callback(tmp_path, project="by hand")
    given = [second, saving_of(package, tmp_path / "saved")]
    make_trainer(package, tmp_path, given, enable_checkpointing=True, max_epochs=2).fit(
        make_module(package), loader(4), loader(1), ckpt_path=str(checkpoint)
    )
    assert first.record is not None
    assert second.record is not None

    assert [first.record.run_id, second.record.run_id] == [attempt.run_id for attempt in second.record.attempts]
    assert 2 == len(records_in(tmp_path))


class Unforeseen(list[CountedReads]):
    """Sources with a defect that comes later."""

    broken = False

    def __iter__(self) -> Iterator[CountedReads]:
        """Be in order as long as it is not broken."""
        if self.broken:
            raise ZeroDivisionError
        return super().__iter__()


def test_a_defect_costs_the_metering_and_not_the_trainer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, autolog: Autolog
) -> None:
    """What nobody has foreseen is warned of, and the trainer is made without a callback."""
    sources = Unforeseen([CountedReads()])
    autolog(sources=sources)
    sources.broken = True
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        trainer = make_trainer(PACKAGES[0], tmp_path, None)

    assert [] == ours(trainer)
    assert ["please report this"] == [said.message[-18:] for said in caplog.records if said.name == "lightning_carbon"]


def test_two_given_by_hand_are_refused_all_the_same(tmp_path: Path, autolog: Autolog) -> None:
    """That there is an automatic one, too, is none of their business."""
    autolog()
    trainer = make_trainer(PACKAGES[0], tmp_path, [make_callback(tmp_path), make_callback(tmp_path)])
    with pytest.raises(ConfigError, match=r"callbacks=\['CarbonCallback', 'CarbonCallback'\].*remove the others"):
        trainer.fit(make_module(PACKAGES[0]), loader(2), loader(1))

    assert [] == records_in(tmp_path)


def test_of_two_automatic_ones_the_first_meters(tmp_path: Path, autolog: Autolog) -> None:
    """A copy that travelled through a pickle is still automatic, and two meter once."""
    autolog()
    trainer = make_trainer(PACKAGES[0], tmp_path, None)
    [first] = ours(trainer)
    trainer.callbacks.append(pickle.loads(pickle.dumps(first)))  # noqa: S301 - made in this very line
    trainer.fit(make_module(PACKAGES[0]), loader(2), loader(1))

    assert [first] == ours(trainer)
    assert 1 == len(records_in(tmp_path))


def test_lightning_s_own_arguments_are_taken(tmp_path: Path, autolog: Autolog) -> None:
    """Counting and the progress bar are Lightning's alone; Hugging Face's callback is made without them."""
    autolog(count_batch=lambda _batch: (7, None), progress_bar=False)
    trainer = make_trainer(PACKAGES[0], tmp_path, None)
    trainer.fit(make_module(PACKAGES[0]), loader(2), loader(1))
    [record] = records(tmp_path)

    assert (14, None) == (record["samples"], record["tokens"])
    assert "W" not in trainer.progress_bar_metrics
    assert "AutomaticCallback" == type(of_this_process.huggingface_callback()).__name__


@pytest.mark.parametrize("package", PACKAGES)
def test_a_callback_deriving_from_ours_is_by_hand(tmp_path: Path, package: str, autolog: Autolog) -> None:
    """Whoever extends the class and gives an instance of it has asked for just that."""

    class Own(CarbonCallback):
        """Of the user."""

    autolog()
    callback = Own(intensity=1.0, ledger=tmp_path / "ledger", sources=[CountedReads()], project="own")
    trainer = make_trainer(package, tmp_path, callback)
    trainer.fit(make_module(package), loader(2), loader(1))

    assert [callback] == ours(trainer)
    assert isinstance(callback, import_module(package).Callback)
    assert ["own"] == [record["project"] for record in records(tmp_path)]
