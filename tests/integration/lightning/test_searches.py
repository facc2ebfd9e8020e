"""What a tuner searches for is metered as what it is, and ends as a training ends."""

import gc
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon import CarbonCallback
from tests.integration.lightning.support import (
    PACKAGES,
    CountedReads,
    Module,
    loader,
    make_callback,
    make_module,
    make_trainer,
    records_in,
)
from tests.threads import lasting_samplers, samplers


class Trouble(Exception):
    """Something that happens in a search."""


def tunable(package: str, on_step: Callable[[object], object] = lambda _module: None) -> Module:
    """A module with a learning rate, a size of batches and data of its own."""
    module = make_module(package, on_step)
    module.lr = 0.01
    module.batch_size = 2
    module.train_dataloader = module.val_dataloader = lambda: loader(4)
    return module


def tuner_of(package: str, folder: Path, callback: CarbonCallback) -> Any:  # noqa: ANN401 - of either package
    """A tuner of a trainer that has the callback."""
    return import_module(f"{package}.tuner").Tuner(make_trainer(package, folder, callback))


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("search", ["lr_find", "scale_batch_size"])
@pytest.mark.filterwarnings("ignore")
def test_a_search_is_a_phase_of_its_own(tmp_path: Path, package: str, search: str) -> None:
    """Its energy is neither that of setting up nor that of steps, and its own checkpoint resumes nothing."""
    source = CountedReads()
    callback = make_callback(tmp_path, sources=[source])
    tuner = tuner_of(package, tmp_path, callback)
    module = tunable(package, lambda _module: source.wait())
    limits = {"lr_find": {"num_training": 8}, "scale_batch_size": {"max_trials": 2, "steps_per_trial": 2}}
    getattr(tuner, search)(module, **limits[search])
    record = callback.record
    assert record is not None

    assert ("completed", 0, None) == (record.status, record.steps, record.origin)
    assert record.energy.phases["tune"] > record.energy.phases["setup"]
    assert "checkpoint" not in record.energy.phases
    assert not lasting_samplers()


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.filterwarnings("ignore")
def test_an_error_in_a_search_ends_the_run(tmp_path: Path, package: str) -> None:
    """The tuner has taken all callbacks off its trainer by then, and what the program does next is not the run's."""

    def fail(_module: object) -> None:
        raise Trouble

    callback = make_callback(tmp_path)
    with pytest.raises(Trouble):
        tuner_of(package, tmp_path, callback).lr_find(tunable(package, fail), num_training=8)
    record = callback.record
    assert record is not None

    assert ("failed", 1) == (record.status, len(records_in(tmp_path)))
    assert not lasting_samplers()


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.filterwarnings("ignore")
def test_a_search_before_a_training_is_part_of_its_run(tmp_path: Path, package: str) -> None:
    """As a callback, the finder searches where the training begins, whose steps count as ever."""
    callback = make_callback(tmp_path)
    finder = import_module(f"{package}.callbacks").LearningRateFinder(num_training_steps=3)
    trainer = make_trainer(package, tmp_path, [finder, callback])
    trainer.fit(tunable(package), loader(4), loader(1))
    record = callback.record
    assert record is not None

    assert ("completed", 4) == (record.status, record.steps)
    assert {"tune", "train"} <= set(record.energy.phases)
    assert "lr_find" not in vars(finder)
    assert "teardown" not in vars(trainer.strategy)


def test_a_run_ends_with_its_trainer(tmp_path: Path) -> None:
    """A trainer that is deleted in the midst of a run takes nothing of what follows with it."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(PACKAGES[0], tmp_path, callback)
    callback.setup(trainer, None, "fit")
    running = len(samplers())
    del trainer
    gc.collect()
    for thread in threading.enumerate():
        if thread.name == "lightning-carbon-ending":
            thread.join()
    meter = callback.meter
    assert meter is not None

    assert (2, False, "interrupted") == (running, meter.is_running, meter.record.status)
    assert not lasting_samplers()
