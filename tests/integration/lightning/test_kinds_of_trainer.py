"""One class for the trainers of both packages, however it gets into them."""

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import lightning_carbon
from lightning_carbon import CarbonCallback
from lightning_carbon.integrations.shared.trainer_settings import LIGHTNING_SETTINGS
from tests.integration.lightning.support import (
    BATCH_SIZE,
    BUSY,
    PACKAGES,
    WATTS,
    csv_column,
    loader,
    make_callback,
    make_module,
    make_trainer,
    records_in,
)

command_line = pytest.mark.filterwarnings(
    # It says that the words of pytest's own command line are not those given here.
    "ignore:LightningCLI's args parameter",
    # Lightning's own use of jsonargparse.
    "ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning",
)


def bare(callback: CarbonCallback) -> object:
    """As it is."""
    return callback


def in_list(callback: CarbonCallback) -> object:
    """In a list."""
    return [callback]


def pickled(callback: CarbonCallback) -> object:
    """Sent through a pickle."""
    return [pickle.loads(pickle.dumps(callback))]  # noqa: S301 - made in this very line


def deep_copied(callback: CarbonCallback) -> object:
    """Copied."""
    return [copy.deepcopy(callback)]


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("given", [bare, in_list, pickled, deep_copied])
def test_it_works_in_both_packages(tmp_path: Path, package: str, given: Callable[[CarbonCallback], object]) -> None:
    """Trainers of both packages take it, alone or in a list, itself or a copy."""
    trainer = make_trainer(package, tmp_path, given(make_callback(tmp_path)))
    trainer.fit(make_module(package), loader(3), loader(1))
    [record] = records_in(tmp_path)

    assert ("completed", 3) == (json.loads(record.read_text())["status"], trainer.callbacks[0].record.steps)


@pytest.mark.parametrize("package", PACKAGES)
def test_it_is_a_callback_of_both_packages(tmp_path: Path, package: str) -> None:
    """Whoever asks by isinstance is told yes, and it is found under its public name."""
    callback = make_callback(tmp_path)

    assert isinstance(callback, import_module(package).Callback)
    assert ("lightning_carbon.integrations.lightning.callback", "CarbonCallback") == (
        CarbonCallback.__module__,
        CarbonCallback.__qualname__,
    )
    assert CarbonCallback is lightning_carbon.CarbonCallback


@pytest.mark.parametrize("package", PACKAGES)
def test_it_can_be_sent_and_copied_after_a_training(tmp_path: Path, package: str) -> None:
    """A copy holds the settings and the record, but neither the model, the trainer, threads nor devices."""
    callback = make_callback(tmp_path)
    make_trainer(package, tmp_path, callback).fit(make_module(package), loader(3), loader(1))
    # Not one of these can be pickled: a class made in a function, a lock, a thread.
    sent = pickle.loads(pickle.dumps(callback))  # noqa: S301 - made in this very line

    assert sent.record == callback.record == copy.deepcopy(callback).record
    assert sent.meter is None
    assert not {"log", "log_dict"} & set(vars(sent))


def write_configuration(folder: Path) -> Path:
    """What a user of LightningCLI writes."""
    path = folder / "config.yaml"
    settings = {
        "project": "cli",
        "region": "SE",
        "ledger": str(folder / "ledger"),
        "interval_seconds": 0.01,
        "devices": [0],
        "per_step": True,
        "count_batch": "tests.integration.lightning.counting.two_of_each",
        "sources": [{"class_path": "lightning_carbon.sources.simulated.SimulatedGPU", "init_args": {"watts": 250}}],
    }
    trainer = {
        "accelerator": "cpu",
        "max_epochs": 1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "default_root_dir": str(folder),
        "callbacks": [{"class_path": "lightning_carbon.CarbonCallback", "init_args": settings}],
    }
    path.write_text(yaml.safe_dump({"trainer": trainer}))
    return path


@command_line
@pytest.mark.parametrize("package", PACKAGES)
def test_it_is_configured_by_yaml(tmp_path: Path, package: str) -> None:
    """LightningCLI builds it from a file, its sources and its counting function included."""
    path = write_configuration(tmp_path)
    module = type(make_module(package))
    train = loader(3)

    class Data(import_module(package).LightningDataModule):  # type: ignore[misc]
        """Vectors."""

        def train_dataloader(self) -> object:
            """Three batches."""
            return train

        val_dataloader = train_dataloader

    cli = import_module(f"{package}.cli").LightningCLI(
        module, Data, args=["fit", f"--config={path}"], save_config_callback=None, seed_everything_default=False
    )
    [callback] = [callback for callback in cli.trainer.callbacks if isinstance(callback, CarbonCallback)]
    record = callback.record
    assert record is not None

    assert ("cli", "SWE", 3) == (record.project, record.carbon.intensity.region, record.steps)
    assert (6, 12) == (record.samples, record.tokens)
    assert ["Simulated GPU 0"] == [domain.name for domain in record.energy.domains]


@command_line
@pytest.mark.parametrize("package", PACKAGES)
def test_it_is_configured_by_flags(tmp_path: Path, package: str) -> None:
    """Without a file: the class by its public name, its arguments after it."""
    train = loader(3)

    class Data(import_module(package).LightningDataModule):  # type: ignore[misc]
        """Vectors."""

        def train_dataloader(self) -> object:
            """Three batches."""
            return train

        val_dataloader = train_dataloader

    trainer = {"accelerator": "cpu", "max_epochs": 1, "logger": False, "enable_checkpointing": False}
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "default_root_dir": tmp_path}
    flags = ["callbacks=lightning_carbon.CarbonCallback", "callbacks.region=FR", "callbacks.pue=1.25"]
    flags += ["callbacks.project=flags", f"callbacks.ledger={tmp_path / 'ledger'}", "callbacks.devices=all"]
    cli = import_module(f"{package}.cli").LightningCLI(
        type(make_module(package)),
        Data,
        args=["fit", *(f"--trainer.{flag}" for flag in flags)],
        trainer_defaults={**trainer, **quiet},
        save_config_callback=None,
        seed_everything_default=False,
    )
    [callback] = [callback for callback in cli.trainer.callbacks if isinstance(callback, CarbonCallback)]
    record = callback.record
    assert record is not None

    assert ("flags", "FRA", 1.25, 3) == (
        record.project,
        record.carbon.intensity.region,
        record.carbon.pue.value,
        record.steps,
    )


@command_line
def test_a_wrong_flag_names_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """It comes before any training, with what may have been meant."""
    cli = import_module(f"{PACKAGES[0]}.cli")
    flags = ["--trainer.callbacks=lightning_carbon.CarbonCallback", "--trainer.callbacks.region=Swedn"]
    with pytest.raises((SystemExit, ValueError)) as caught:  # the latter up to 2.3
        cli.LightningCLI(type(make_module(PACKAGES[0])), args=["fit", *flags], seed_everything_default=False)

    assert "region='Swedn' cannot be used: did you mean SE (Sweden)?" in capsys.readouterr().err + str(caught.value)


@command_line
def test_the_command_line_explains_every_argument(capsys: pytest.CaptureFixture[str]) -> None:
    """The help of LightningCLI has the words of the docstring."""
    cli = import_module(f"{PACKAGES[0]}.cli")
    with pytest.raises(SystemExit):
        cli.LightningCLI(
            type(make_module(PACKAGES[0])), args=["fit", "--trainer.callbacks.help=lightning_carbon.CarbonCallback"]
        )
    text = " ".join(capsys.readouterr().out.replace("init_args.", "").split())

    assert [] == [setting.name for setting in LIGHTNING_SETTINGS if f"--trainer.callbacks.{setting.name}" not in text]
    whole = text.replace("- ", "-")  # lines also break at hyphens
    assert [] == [setting.name for setting in LIGHTNING_SETTINGS if setting.text.replace("- ", "-") not in whole]
    assert "default: 0.1" in text


@command_line
def test_a_value_of_the_wrong_type_names_its_argument(capsys: pytest.CaptureFixture[str]) -> None:
    """The types of the table are checked by the command line before anything is made."""
    cli = import_module(f"{PACKAGES[0]}.cli")
    flags = ["--trainer.callbacks=lightning_carbon.CarbonCallback", "--trainer.callbacks.interval_seconds=often"]
    with pytest.raises((SystemExit, ValueError)) as caught:  # the latter up to 2.3
        cli.LightningCLI(type(make_module(PACKAGES[0])), args=["fit", *flags], seed_everything_default=False)

    assert "interval_seconds" in capsys.readouterr().err + str(caught.value)


@command_line
def test_a_wrong_argument_in_yaml_names_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error in the file comes before any training and says which argument it is."""
    path = write_configuration(tmp_path)
    path.write_text(path.read_text().replace("region: SE", "region: Swedden"))
    cli = import_module(f"{PACKAGES[0]}.cli")
    with pytest.raises((SystemExit, ValueError)) as caught:  # the latter up to 2.3
        cli.LightningCLI(
            type(make_module(PACKAGES[0])), args=["fit", f"--config={path}"], seed_everything_default=False
        )
    text = capsys.readouterr().err + str(caught.value)

    assert "region='Swedden'" in text


DDP = """
import sys, warnings
from pathlib import Path

warnings.simplefilter("ignore")
from tests.integration.lightning import support

Tiny = type(support.make_module(sys.argv[2]))
Tiny.__qualname__, Tiny.__module__ = "Tiny", "__main__"  # where the other process finds it

if __name__ == "__main__":
    folder, package = Path(sys.argv[1]), sys.argv[2]
    callback = support.make_callback(folder)
    logger = support.loggers_of(package).CSVLogger(folder, "csv")
    trainer = support.make_trainer(package, folder, callback, logger=logger, devices=2, strategy="ddp_spawn")
    trainer.fit(Tiny(), support.loader(8), support.loader(2))
    print(float(trainer.callback_metrics["energy/run_kwh"]))
    print(callback.record.run_id, callback.record.steps, callback.record_path, callback.meter)
"""


def test_two_processes_write_one_record_and_one_log(tmp_path: Path) -> None:
    """With ddp_spawn the callback travels to both processes; each meters, the first one logs, the record has both."""
    script = tmp_path / "ddp.py"
    script.write_text(DDP)
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), PACKAGES[0]],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = records_in(tmp_path)
    record = json.loads(path.read_text())
    [logs] = (tmp_path / "csv").iterdir()
    [*_, (_, logged)] = csv_column(logs, "energy/run_joules")
    ranks = record["ranks"]

    assert ("completed", 4, 2 * 4 * BATCH_SIZE) == (record["status"], record["steps"], record["samples"])
    assert [(0, 4, "completed"), (1, 4, "completed")] == [
        (part["rank"], part["steps"], part["status"]) for part in ranks
    ]
    # Both meter the one simulated GPU of this host, which counts once.
    assert sorted(len(part["devices"]) for part in ranks) == [0, 1]
    covered_seconds = record["duration_seconds"] * record["energy"]["coverage_ratio"]
    assert record["energy"]["total_joules"] == pytest.approx(WATTS * covered_seconds, rel=BUSY)
    # The first one's logs have of the other what that one had written down by then: on a busy machine not its end.
    assert 0.0 < logged < 1.2 * record["energy"]["total_joules"]
    kwh, *told = done.stdout.split()[-5:]
    assert float(kwh) * 3.6e6 == pytest.approx(logged)
    # The program's own callback never ran, and knows what its children did.
    assert [record["run_id"], "4", str(path), "None"] == told
