"""Measuring as the study does: real processes that meter themselves on a simulated GPU, so that the truth is known."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from lightning_carbon.errors import ConfigError, StudyError
from lightning_carbon.measuring import Progress, measure
from lightning_carbon.measuring.child import Child
from lightning_carbon.study.measurement import from_mapping

ROOT = Path(__file__).parents[2]

TRAIN = """
import sys, time
from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU, Square

# For three seconds 100 W, then 300 W for a thousand.
power = Square(100.0, 300.0, period_seconds=1000.0, high_ratio=0.997) if "warm" in sys.argv else 250.0
until = time.monotonic() + float(sys.argv[1])
with Meter(sources=[SimulatedGPU(watts=power)], project="measured") as meter:
    time.sleep(0.5)
    with meter.phase("train"):
        while time.monotonic() < until:
            time.sleep(0.02)
            meter.step_done(samples=4, tokens=100)
print("done")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a training, its configuration, and room for a ledger."""
    (tmp_path / "train.py").write_text(TRAIN, encoding="utf-8")
    (tmp_path / "train.yaml").write_text(
        "lr: 0.1\nstudy:\n  name: Toy\n  command: [train.py, '60', '{config}']\n  published: transformer_base\n"
    )
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    """What a training of these tests runs in."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def program(folder: Path, text: str) -> Path:
    """A configuration whose program is this text."""
    (folder / "program.py").write_text(text, encoding="utf-8")
    config = folder / "program.yaml"
    config.write_text("study: {command: [program.py]}")
    return config


def test_a_training_is_ended_and_its_row_is_the_truth(folder: Path) -> None:
    """Power, speed and names are those of the program; it is ended in good order, and the record says so."""
    told: list[Progress] = []
    found = measure(
        folder / "train.yaml",
        minutes=0.08,
        warmup_seconds=1.0,
        ledger=folder / "ledger",
        on_progress=told.append,
        environ=environment(),
    )
    one = found.measurement
    record = json.loads((found.location.parent / "record.json").read_text())

    assert pytest.approx(250.0, rel=0.01) == one.domains[0].watts
    assert pytest.approx(250.0, rel=0.02) == one.settling.watts
    assert 4.8 <= one.training_seconds < 8
    assert one.speed.steps_per_second is not None
    assert 10 < one.speed.steps_per_second < 50
    assert pytest.approx(one.speed.steps_per_second * 100) == one.speed.tokens_per_second
    assert ("Toy", "transformer_base", "measured") == (one.name, one.published, one.project)
    assert one == from_mapping(json.loads(found.location.read_text()))
    assert (one.run_id, "interrupted") == (record["run_id"], record["status"])
    assert told[-1].training_seconds >= 4.8
    assert told[-1].watts == pytest.approx(250.0, rel=0.05)


def test_a_warm_up_is_found_in_a_training_that_ends_by_itself(folder: Path) -> None:
    """Three seconds of low power are left out, and the record is completed."""
    command = (sys.executable, str(folder / "train.py"), "14", "warm")
    found = measure(None, command=command, minutes=5, ledger=folder / "ledger", environ=environment())
    one = found.measurement
    record = json.loads((found.location.parent / "record.json").read_text())

    assert pytest.approx(300.0, rel=0.01) == one.domains[0].watts
    assert 2.0 <= one.settling.warmup_seconds <= 4.0
    assert (True, "found", "train") == (one.settling.settled, one.settling.rule, one.name)
    assert "completed" == record["status"]


def test_a_run_of_somebody_else_is_not_taken(folder: Path) -> None:
    """Another training into the same ledger at the same time is left alone."""
    ledger = str(folder / "ledger")
    other = (sys.executable, str(folder / "train.py"), "60", "warm")
    with Child(other, environment(LIGHTNING_CARBON_LEDGER=ledger)):
        found = measure(
            folder / "train.yaml", minutes=0.05, warmup_seconds=0.5, ledger=ledger, environ=environment()
        ).measurement

    assert pytest.approx(250.0, rel=0.02) == found.settling.watts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "import sys; print('loading'); sys.exit('CUDA out of memory')",
            "failed with exit code 1; its last words:\nCUDA",
        ),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9, without a word"),
        ("print('all done')", "has ended and metered nothing; see to it that it meters itself: add callbacks="),
        (TRAIN.replace("sys.argv[1]", "3"), "metered for [23].. s, too short to tell"),
    ],
)
def test_a_program_that_cannot_be_measured_leaves_nothing(folder: Path, text: str, said: str) -> None:
    """The error says why, and there is no measurement."""
    with pytest.raises(StudyError, match=said):
        measure(program(folder, text), ledger=folder / "ledger", environ=environment())

    assert [] == list(folder.rglob("measurement.json"))


def test_a_program_that_never_trains_is_ended(folder: Path) -> None:
    """With what it started, after a while, and with how to add the meter."""
    pids = folder / "pids"
    text = (
        "import os, pathlib, subprocess, time\n"
        "worker = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        f"pathlib.Path({str(pids)!r}).write_text(f'{{os.getpid()}} {{worker.pid}}')\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(StudyError, match=r"metered no training; see to it that it meters itself"):
        measure(program(folder, text), ledger=folder / "ledger", setup_minutes=0.02, environ=environment())

    assert [False, False] == [runs(int(pid)) for pid in pids.read_text().split()]


def test_a_program_that_ignores_signals_is_killed(folder: Path) -> None:
    """After a grace, with its whole family."""
    text = (
        "import signal, time\nfor one in (2, 15): signal.signal(one, signal.SIG_IGN)\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    path = folder / "stubborn.py"
    path.write_text(text)
    with Child([sys.executable, str(path)], environment(), grace_seconds=0.2) as child:
        while "ready" not in child.last_words():
            time.sleep(0.02)
        child.end()

        assert -signal.SIGKILL == child.exit_code


def test_an_exception_ends_the_program(folder: Path) -> None:
    """Such as Ctrl-C, while it is followed; nothing is written."""

    def interrupt(progress: Progress) -> None:
        if progress.training_seconds > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(folder / "train.yaml", ledger=folder / "ledger", on_progress=interrupt, environ=environment())

    (journal,) = folder.rglob("rank-00000.jsonl")

    assert not runs(json.loads(journal.read_text().splitlines()[0])["pid"])
    assert [] == list(folder.rglob("measurement.json"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no such file"),
        ("a: [", "it is no YAML: while parsing"),
        ("a: 1", "it has no `study:` block; add a block"),
        ("- 1", "it has no `study:` block"),
        ("study: 1", "its `study:` is no mapping"),
        ("study: {name: x}", "its `study:` has no command"),
        ("study: {comand: [x]}", "its `study:` has comand, and only name, command"),
        ("study: {command: train.py}", "is no list of words"),
        ("study: {command: [nowhere.py]}", "names .*nowhere.py, which is not there"),
        ("study: {command: [train.py], name: 3}", "its `study: name` is 3, and has to be a text"),
        ("study: {command: [train.py], steps_per_epoch: -1}", "has to be a number above 0"),
    ],
)
def test_a_configuration_that_cannot_be_used_starts_nothing(folder: Path, text: str | None, said: str) -> None:
    """The error names the file and what is wrong with it."""
    config = folder / "bad.yaml"
    if text is not None:
        config.write_text(text)
    with pytest.raises(ConfigError, match=said):
        measure(config, ledger=folder / "ledger")

    assert not (folder / "ledger").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"minutes": 0}, "minutes=0 cannot be used"),
        ({"minutes": float("nan")}, "minutes=nan cannot be used"),
        ({"minutes": 1, "warmup_seconds": 60}, "warmup_seconds=60 cannot be used"),
        ({"setup_minutes": -1}, "setup_minutes=-1 cannot be used"),
        ({"command": ("no-such-program-here",)}, "command='no-such-program-here' cannot be used"),
    ],
)
def test_an_argument_that_cannot_be_used_starts_nothing(folder: Path, settings: dict[str, object], said: str) -> None:
    """The error names the argument, the value and the fix."""
    with pytest.raises(ConfigError, match=said):
        measure(folder / "train.yaml", ledger=folder / "ledger", **settings)  # type: ignore[arg-type]

    assert not (folder / "ledger").exists()


def runs(pid: int) -> bool:
    """Whether a process is there, soon after it was killed."""
    try:
        process = psutil.Process(pid)
        psutil.wait_procs([process], timeout=5)
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
