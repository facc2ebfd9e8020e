"""What goes wrong: at once and clearly where the user is asked, never in the midst of a training."""

import logging
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon import CarbonCallback, CarbonTrainerCallback, ConfigError
from lightning_carbon.energy.readings import Sensor
from lightning_carbon.errors import LedgerError, SourceLost
from lightning_carbon.units import Energy
from tests.integration.lightning.support import (
    BATCH_SIZE,
    PACKAGES,
    CountedReads,
    loader,
    loggers_of,
    make_callback,
    make_module,
    make_trainer,
    records_in,
)
from tests.nvml_standin import Gpu, Scenario, Standin
from tests.threads import lasting_samplers

PACKAGE = PACKAGES[0]


class Mortal(CountedReads):
    """A GPU that falls off the bus when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.falls = False

    def read_energy(self) -> Energy:
        """Read, if it is still there."""
        if self.falls:
            self.reads += 1
            raise SourceLost("fell off the bus")
        return super().read_energy()


def unwell(_batch: object) -> tuple[int, int]:
    """Be a function with a defect."""
    raise KeyError("no such key")


def wrong(_batch: object) -> tuple[Any, Any]:
    """Return what is no number."""
    return "many", 2.5


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"region": "Swedden"}, "region"),
        ({"pue": 0.5}, "pue"),
        ({"intensity": -1.0}, "intensity"),
        ({"interval_seconds": 0.0}, "interval_seconds"),
        ({"devices": "cuda:x,"}, "devices"),
        ({"sources": ["gpu"]}, "sources"),
        ({"count_batch": "no_such_module.count"}, "count_batch"),
        ({"count_batch": "count"}, "count_batch"),
        ({"count_batch": 3}, "count_batch"),
    ],
)
def test_bad_arguments_fail_at_construction(tmp_path: Path, arguments: dict[str, Any], named: str) -> None:
    """Nothing that is wrong from the start waits for the training."""
    with pytest.raises(ConfigError, match=named):
        CarbonCallback(ledger=tmp_path, **arguments)


@pytest.mark.parametrize("package", PACKAGES)
def test_two_callbacks_in_one_trainer_are_refused(tmp_path: Path, package: str) -> None:
    """The energy would be there twice, so it is said before the training, and nothing is left behind."""
    trainer = make_trainer(package, tmp_path, [make_callback(tmp_path), make_callback(tmp_path)])
    with pytest.raises(ConfigError, match=r"callbacks=.*remove the others") as caught:
        trainer.fit(make_module(package), loader(2), loader(1))

    assert "callbacks" == caught.value.argument
    assert [] == records_in(tmp_path)
    assert not lasting_samplers()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_class_in_the_place_of_an_instance_is_refused(tmp_path: Path, package: str) -> None:
    """A pair of brackets is soon forgotten, and the error says where they go."""
    trainer = make_trainer(package, tmp_path, [CarbonCallback])
    with pytest.raises(ConfigError, match=r"it is a class; give an instance, CarbonCallback\(\)"):
        trainer.fit(make_module(package), loader(2), loader(1))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_callback_of_another_framework_is_refused(tmp_path: Path, package: str) -> None:
    """Hugging Face's callback in Lightning's trainer names the one that belongs there."""
    trainer = make_trainer(package, tmp_path, [CarbonTrainerCallback(ledger=tmp_path)])
    with pytest.raises(ConfigError, match=r"'CarbonTrainerCallback'.*give Lightning's a CarbonCallback"):
        trainer.fit(make_module(package), loader(2), loader(1))


def test_a_device_that_is_not_there_is_told_at_the_start(tmp_path: Path, nvml_standin: Standin) -> None:
    """Devices named by the user must exist."""
    callback = make_callback(tmp_path, sources=None, devices=["GPU-ffffffff-0000-0000-0000-000000000000"])
    with nvml_standin.showing(Scenario.of(Gpu())), pytest.raises(ConfigError, match="devices"):
        make_trainer(PACKAGE, tmp_path, callback).fit(make_module(PACKAGE), loader(2), loader(1))


def test_a_ledger_that_goes_away_costs_no_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is warned of once, and the record is in memory; only a strict training does not begin."""
    callback, strict = make_callback(tmp_path), make_callback(tmp_path, strict=True)
    (tmp_path / "ledger").write_text("a file where a folder was")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        make_trainer(PACKAGE, tmp_path, callback).fit(make_module(PACKAGE), loader(2), loader(1))
    record = callback.record

    assert record is not None
    assert ("completed", 2, None, None) == (record.status, record.steps, record.location, callback.record_path)
    assert [True] == ["LIGHTNING_CARBON_LEDGER" in entry.message for entry in caplog.records]
    with pytest.raises(LedgerError, match="cannot be written"):
        make_trainer(PACKAGE, tmp_path, strict).fit(make_module(PACKAGE), loader(2), loader(1))


@pytest.mark.parametrize("count_batch", [unwell, wrong])
def test_a_counting_function_with_a_defect(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    count_batch: Any,  # noqa: ANN401
) -> None:
    """The training goes on, the steps count, samples are absent, and one warning says why."""
    callback = make_callback(tmp_path, count_batch=count_batch)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        make_trainer(PACKAGE, tmp_path, callback).fit(make_module(PACKAGE), loader(4), loader(1))
    record = callback.record
    assert record is not None

    assert (4, None, None) == (record.steps, record.samples, record.tokens)
    assert 1 == sum("count_batch" in message for message in caplog.messages)


def test_a_logger_with_a_defect(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What our rows do to somebody's logger does not end the training."""

    class Picky(loggers_of(PACKAGE).CSVLogger):  # type: ignore[misc]
        """Does not take everything."""

        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            """Refuse energy."""
            if "energy/run_joules" in metrics:
                raise ValueError("what is a joule?")
            super().log_metrics(metrics, step)

    source = CountedReads()
    callback = make_callback(tmp_path, sources=[source])
    trainer = make_trainer(PACKAGE, tmp_path, callback, logger=Picky(tmp_path, "csv"))
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        trainer.fit(make_module(PACKAGE, lambda _module: source.wait()), loader(4), loader(1))
    record = callback.record
    assert record is not None

    assert ("completed", 4, 4 * BATCH_SIZE) == (record.status, record.steps, record.samples)
    [message] = [said.message for said in caplog.records if said.name == "lightning_carbon"]
    assert message.endswith("Picky did not take the energy that was logged, and the training goes on")


def test_loggers_are_called_as_lightning_calls_them(tmp_path: Path) -> None:
    """By keyword, for some loggers take nothing else; and the others get a row that one of them refuses."""
    got: list[int | None] = []

    class Strict(loggers_of(PACKAGE).CSVLogger):  # type: ignore[misc]
        """Takes keywords alone."""

        def log_metrics(self, *, metrics: dict[str, float], step: int | None = None) -> None:
            """Keep the steps of rows of energy."""
            got.extend([step] if "energy/run_joules" in metrics else [])

    source = CountedReads()
    callback = make_callback(tmp_path, sources=[source])
    trainer = make_trainer(PACKAGE, tmp_path, callback, logger=Strict(tmp_path, "csv"))
    trainer.fit(make_module(PACKAGE, lambda _module: source.wait()), loader(4), loader(1))

    assert [1, 3, 3] == got


@pytest.mark.parametrize("strict", [False, True])
def test_a_sensor_that_is_lost(tmp_path: Path, strict: bool) -> None:  # noqa: FBT001
    """The training goes on without it, unless the user is strict; the record says so either way."""
    source = Mortal()
    callback = make_callback(tmp_path, sources=[source], strict=strict)
    trainer = make_trainer(PACKAGE, tmp_path, callback)
    steps = 0

    def on_step(_module: object) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            source.falls = True
            source.wait(1)
        elif not source.falls:
            source.wait()

    module = make_module(PACKAGE, on_step)
    if strict:
        with pytest.raises(SourceLost):
            trainer.fit(module, loader(60), loader(1))
    else:
        trainer.fit(module, loader(60), loader(1))
    record = callback.record
    assert record is not None
    [domain] = record.energy.domains

    assert domain.lost is not None
    assert "fell off the bus" in domain.lost
    assert ("failed" if strict else "completed") == record.status
    assert (steps if strict else 60) >= record.steps


def test_nothing_that_can_be_metered(tmp_path: Path) -> None:
    """Without any source the training runs, and nothing is invented."""
    callback = make_callback(tmp_path, sources=[])
    logger = loggers_of(PACKAGE).CSVLogger(tmp_path, "csv")
    trainer = make_trainer(PACKAGE, tmp_path, callback, logger=logger)
    trainer.fit(make_module(PACKAGE), loader(4), loader(1))
    record = callback.record
    assert record is not None

    assert (4, None, None) == (record.steps, record.energy.total_joules, record.carbon.grams_co2e)
    assert "energy/run_kwh" not in trainer.callback_metrics
    assert "energy" not in (Path(logger.log_dir) / "metrics.csv").read_text()


def test_a_training_on_the_processor_meters_no_gpu(tmp_path: Path, nvml_standin: Standin) -> None:
    """Where the trainer computes on the processor, the GPUs beside it are not its energy; asked for, they are."""
    kinds = []
    for devices in (None, "all", [1]):
        callback = make_callback(tmp_path, sources=None, devices=devices)
        with nvml_standin.showing(Scenario.of(Gpu(), Gpu())):
            make_trainer(PACKAGE, tmp_path, callback).fit(make_module(PACKAGE), loader(2), loader(1))
        assert callback.record is not None
        kinds.append(sum(domain.kind == "gpu" for domain in callback.record.energy.domains))

    assert [0, 2, 1] == kinds


def test_a_meter_that_cannot_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody has foreseen at the start costs the record, not the training."""

    class Unforeseen(CountedReads):
        """A source with a defect where none is expected."""

        broken = False

        @property
        def sensor(self) -> Sensor:
            """Work as long as it is not broken."""
            if self.broken:
                raise ZeroDivisionError
            return super().sensor

    source = Unforeseen()
    callback = make_callback(tmp_path, sources=[source])
    source.broken = True
    trainer = make_trainer(PACKAGE, tmp_path, callback)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        trainer.fit(make_module(PACKAGE), loader(4), loader(1))

    assert 4 == trainer.global_step
    assert (None, None) == (callback.meter, callback.record)
    assert ["lightning_carbon"] == [message.name for message in caplog.records if message.levelno >= logging.WARNING]
