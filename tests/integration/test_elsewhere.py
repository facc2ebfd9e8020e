"""The package where Linux's modules, calls and folders are missing, and a file that is open cannot be moved.

Linux plays such a system; on macOS and Windows the same tests try the real one.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon.cli.run.handled import HandledSignals
from lightning_carbon.cli.run.program import ProgramEnding, find
from lightning_carbon.systems import system
from tests.documents import ROOT

PLAYED = sys.platform == "linux"
COMMANDS = ("runs", "runs show --project huggingface", "runs total", "doctor", "run -- {python} -c 'print(6 * 7)'")


def python(module: str, *words: str) -> str:
    """Run a program on the system that is played."""
    ledger = str(Path(words[0]) / "ledger")
    # As a console of Windows in western Europe: a character that it lacks is an error.
    console = {"PYTHONIOENCODING": "cp1252:strict", "COLUMNS": "100"}
    environ = {**os.environ, **console, "LIGHTNING_CARBON_LEDGER": ledger, "COMPUTERNAME": "WORKSTATION"}
    command = [sys.executable, "-X", "warn_default_encoding", "-m", f"tests.elsewhere.{module}", *words]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False, timeout=500)
    said = done.stdout.decode("cp1252")

    assert 0 == done.returncode, said + done.stderr.decode("cp1252", "replace")
    return said + done.stderr.decode("cp1252", "replace")


def made() -> list[str]:
    """The commands."""
    return [command.format(python=shlex.quote(sys.executable)) for command in COMMANDS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything is trained and written."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict[str, Any]:
    """What came out of a training with each trainer, of a plain loop, and of a run that nobody ended."""
    lines = python("train", str(folder)).splitlines()
    told: dict[str, Any] = json.loads(next(line for line in lines if line.startswith('{"records"')))
    return told


@pytest.fixture(scope="module")
def said(folder: Path, trained: dict[str, Any]) -> str:
    """What the commands print."""
    assert trained
    return python("cli", str(folder), *made())


@pytest.mark.parametrize(("name", "steps"), [("lightning", 4), ("huggingface", 4), ("loop", 3)])
def test_a_training_is_metered(trained: dict[str, Any], name: str, steps: int) -> None:
    """By the model of the host, and its record lies in the ledger."""
    record = trained["records"][name]

    assert ("completed", steps) == (record["status"], record["steps"])
    assert [["package", "modelled"], ["dram", "modelled"]] == record["domains"]
    assert Path(record["location"]).is_file()
    assert ("WORKSTATION" if PLAYED else system().node) == record["host"]["name"]


@pytest.mark.linux
def test_linux_was_asked_for_in_vain(trained: dict[str, Any]) -> None:
    """The folders that were refused are those from which the meter learns of a Linux machine."""
    assert {"/proc/cpuinfo", "/sys/class/hwmon", "/sys/class/powercap"} <= set(trained["refused"])


def test_the_command_line_reads_what_was_written(said: str) -> None:
    """Every command ends well, in the characters of a console in western Europe."""
    assert [f"[{command}: 0]" for command in made()] == [
        line for line in said.splitlines() if line.startswith("[") and line.endswith(": 0]")
    ]
    assert all(name in said for name in ("lightni", "hugging", "loop", "killed"))
    assert "42" in said.splitlines()


def test_a_run_that_nobody_ended_is_recovered(said: str, folder: Path) -> None:
    """Its process is gone, which the list of runs finds without Linux's folders."""
    [record] = (folder / "ledger" / "killed").glob("*/record.json")

    assert "interrupted" == json.loads(record.read_text("utf-8"))["status"]
    assert "interrupted" in said


def test_what_is_written_lies_in_names_that_every_system_has(folder: Path, said: str) -> None:
    """Neither colons nor other signs that Windows refuses in names, and every file of text ends its lines alike."""
    assert said
    files = [path for path in (folder / "ledger").rglob("*") if path.is_file()]

    assert files
    assert [] == [path for path in files if set(path.name) & set('<>:"|?*\\')]
    assert [] == [path for path in files if path.suffix in {".json", ".jsonl", ".csv"} and b"\r" in path.read_bytes()]


@pytest.mark.linux
def test_a_program_ends_by_the_signals_that_are_passed_on() -> None:
    """Where no signal can be fetched with its sender: Ctrl-C is the terminal's to deliver, the others come from us."""
    before = signal.getsignal(signal.SIGTERM)
    with HandledSignals.held() as signals:
        asked = signals.run(find("sleep"), ["sleep", "60"], shall_end=lambda: True)
    with HandledSignals.held() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        early = signals.run(find("sleep"), ["sleep", "60"])

    assert (ProgramEnding(143, signalled=True), ProgramEnding(130, signalled=True)) == (asked, early)
    assert before is signal.getsignal(signal.SIGTERM)
