"""``lightning-carbon study measure`` and ``study table``, as processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.integration.test_measuring import TRAIN, TRAIN_ON_OWN_CLOCK, runs

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "lightning_carbon", "study"]
PATIENCE = 300.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a training, its configuration, and a ledger of its own."""
    for name, value in {
        "LIGHTNING_CARBON_LEDGER": str(tmp_path / "ledger"),
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "COLUMNS": "160",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "train.py").write_text(TRAIN, encoding="utf-8")
    (tmp_path / "train.yaml").write_text(
        "study: {name: Toy, command: [train.py, '60'], published: transformer_base, steps_per_epoch: 100}\n"
    )
    return tmp_path


def study(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the study."""
    return subprocess.run([*COMMAND, *words], check=False, capture_output=True, text=True, timeout=PATIENCE)


def test_a_model_is_measured_and_collected(folder: Path) -> None:
    """The row, its JSON and its place in the table; the table is priced again with the study's constants."""
    config = folder / "train.yaml"
    config.write_text(config.read_text().replace("'60'", "'250.0', '0'"))
    (folder / "train.py").write_text(TRAIN_ON_OWN_CLOCK, encoding="utf-8")
    told = study("measure", str(config), "--minutes", "0.05", "--warmup-seconds", "1", "--region", "SE", "--json")
    row = json.loads(told.stdout)
    table = study("table", "--method", "strubell2019", "--json")
    [mine] = [row for row in json.loads(table.stdout) if row["name"] == "Toy"]
    longer = study("table", "--hours", "100", "--markdown").stdout
    kilowatt_hours = 0.25 * 12 * 1.58

    assert (0, 0) == (told.returncode, table.returncode), told.stderr + table.stderr
    assert (12, "Simulated GPU 0 x1", "counter") == (row["hours"], row["hardware"], row["provenance"])
    assert pytest.approx(250) == row["power_watts"]
    assert row["measurement"]["speed"]["steps_per_epoch"] == 100
    assert pytest.approx(kilowatt_hours) == mine["computed"]["kwh_pue"]
    assert pytest.approx(kilowatt_hours * 0.954, rel=0.001) == mine["computed"]["co2e_lbs"]
    assert "| Toy | Simulated GPU 0 x1 | counter |" in longer
    assert "| 100 |" in longer
    assert "measurement.json" in told.stderr


def test_the_table_of_a_measurement_fits_words(folder: Path) -> None:
    """For people: components, the row beside the published one, and what was assumed."""
    words = ["measure", "--minutes", "0.04", "--warmup-seconds", "0.3", "--steps", "1e6", "--name", "Mine", "--"]
    told = study(*words, sys.executable, str(folder / "train.py"), "60")

    assert 0 == told.returncode, told.stderr
    assert "Mine: mean power after warm-up" in told.stdout
    assert "1,000,000 steps at the measured" in told.stdout
    assert "after a warm-up of 0.3 s (given)" in told.stdout


def test_an_empty_ledger_has_the_published_rows(folder: Path) -> None:
    """And says how to measure; a folder that is not there is refused where it was named."""
    told = study("table", "--json")
    lost = study("table", "--ledger", str(folder / "nowhere"))

    assert (0, 8) == (told.returncode, len(json.loads(told.stdout)))
    assert "has been measured yet: `lightning-carbon study measure CONFIG`" in told.stderr
    assert (2, 1) == (lost.returncode, lost.stderr.count("\n"))


def test_a_measurement_that_cannot_be_read_is_told_and_passed_over(folder: Path) -> None:
    """The others are shown."""
    path = folder / "ledger" / "lisa" / "20261122T080000Z-0001" / "measurement.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"schema": 99}')
    told = study("table", "--json")

    assert 0 == told.returncode
    assert f"{path}: the measurement has schema 99" in told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.yaml"], "there is no such file"),
        (["FOLDER/broken.yaml"], "it is no YAML"),
        (["FOLDER/plain.yaml"], "it has no `study:` block"),
        (["FOLDER"], "it is a folder"),
        (["no-such-program-here"], "there is no such program"),
        (["--", "FOLDER/garbled"], "garbled' cannot be used: it cannot be started: Exec format error"),
        (["FOLDER/train.yaml", "--hours", "0.01"], "--hours 0.01 cannot be used: 10 minutes are measured"),
        (["FOLDER/train.yaml", "--epochs", "0"], "--epochs 0.0 cannot be used: give a number above 0"),
        (["FOLDER/train.yaml", "--hours", "9", "--steps", "3"], "--hours 9.0 cannot be used: steps is given too"),
        (["FOLDER/train.yaml", "--minutes", "0"], "--minutes 0.0 cannot be used"),
        (["FOLDER/train.yaml", "--warmup-seconds", "601"], "--warmup-seconds 601.0 cannot be used"),
        (["FOLDER/train.yaml", "--published", "bert"], "--published bert cannot be used: the study has transformer_b"),
        (["FOLDER/train.yaml", "--method", "2019"], "--method 2019 cannot be used: give one of current, strubell2019"),
        (["FOLDER/train.yaml", "--method", "strubell2019", "--pue", "1.2"], "--pue 1.2 cannot be used: the study's"),
        (["FOLDER/train.yaml", "--usd-per-kwh", "-1"], "--usd-per-kwh -1.0 cannot be used"),
        (["FOLDER/train.yaml", "--json", "--latex"], "and one form is printed"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_starts_nothing(folder: Path, words: list[str], said: str) -> None:
    """On stderr, with exit code 2."""
    (folder / "broken.yaml").write_text("a: [")
    (folder / "plain.yaml").write_text("lr: 0.1")
    (folder / "garbled").write_bytes(b"\0\1\2")
    (folder / "garbled").chmod(0o755)
    told = study("measure", *(word.replace("FOLDER", str(folder)) for word in words))

    assert (2, "", 1) == (told.returncode, told.stdout, told.stderr.count("\n")), told.stderr
    assert said in told.stderr
    assert not (folder / "ledger").exists()


def test_a_program_that_fails_is_told_with_its_last_words(folder: Path) -> None:
    """Such as a model that does not fit into memory."""
    (folder / "train.py").write_text("raise MemoryError('model needs 90 GiB, 80 GiB are there')")
    told = study("measure", str(folder / "train.yaml"))

    assert (2, "") == (told.returncode, told.stdout)
    assert "the program failed with exit code 1; its last words:\n" in told.stderr
    assert told.stderr.endswith("MemoryError: model needs 90 GiB, 80 GiB are there\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_program_and_leaves_no_measurement(folder: Path, number: signal.Signals, code: int) -> None:
    """Ctrl-C, as a scheduler's signal or a closed terminal, ends everything that was started."""
    words = [*COMMAND, "measure", str(folder / "train.yaml")]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (journal := "".join(path.read_text() for path in folder.rglob("rank-00000.jsonl"))).count("\n"):
        time.sleep(0.05)
    child = json.loads(journal.splitlines()[0])["pid"]
    assert psutil.pid_exists(child)
    process.send_signal(number)

    assert code == process.wait(PATIENCE)
    assert not runs(child)
    assert [] == list(folder.rglob("measurement.json"))
    assert os.getpid() != child
