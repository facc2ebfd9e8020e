"""``lightning-carbon compare`` on real runs of a ledger, and on programs that it runs in turn."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lightning_carbon.cli.app import app
from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.ledger.query import Ledger
from lightning_carbon.sources.simulated import SimulatedCounter
from lightning_carbon.wiring import open_ledger
from tests.stepped_time import SteppedClock, engine_on

GPU = Domain(Kind.GPU, "gpu:0", "Simulated GPU 0")
RUNS = 5
STEPS = 15
BURN = "import time; end = time.process_time() + 0.1\nwhile time.process_time() < end: pass"
NOTHING = "compare-nothing-that-is-there"


def compare(*words: str, ledger: Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["compare", "--ledger", str(ledger), *words], env=dict(os.environ))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five runs at about 100 W and five at about 1,000 W, of the same work in the same time, on clocks of their own."""
    folder = tmp_path_factory.mktemp("ledger")
    for number in range(RUNS):
        for name, watts in (("eager", 100.0), ("wasteful", 1_000.0)):
            clock = SteppedClock()
            source = SimulatedCounter(clock, watts=watts * (1 + number / 100), domain=GPU)
            engine = engine_on(clock, sources=[source], ledger=folder, project="lisa", run_name=name).start("train")
            for step in range(1, STEPS + 1):
                clock.sleep(0.1)
                engine.step_done(samples=8, tokens=512)
                engine.row()
                engine.tell_metrics({"train_loss": 1 / step}, step)
            engine.stop()
    return folder


def test_runs_of_two_names_are_compared(ledger: Path) -> None:
    """Ten times the power is found, in each form."""
    found: dict[str, Any] = json.loads(compare("eager", "wasteful", "--json", ledger=ledger).stdout)
    text = compare("eager", "wasteful", "--per", "step", "--loss", "val_loss", ledger=ledger).stdout

    assert (["eager", "wasteful"], "token", [RUNS, RUNS], True) == (
        found["names"],
        found["unit"],
        found["trials"],
        found["is_clear"],
    )
    assert text.startswith("wasteful takes ")
    assert "more energy a step than eager (95 % interval" in text
    assert compare("eager", "wasteful", "--markdown", ledger=ledger).stdout.startswith("**wasteful takes ")
    assert "Energy to the same loss is not compared: not every run has logged val_loss." in " ".join(text.split())
    assert ("train_loss", True) == (found["equal_loss"]["metric"], found["equal_loss"]["change"]["low"] > 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["eager"], "give two: compare A B"),
        (["eager", NOTHING], NOTHING),
        (["eager", "wasteful", "--per", "epoch"], "--per epoch cannot be used: give one of token, sample, step, run"),
        (["--runs", "2", "--", "a", "b"], "--runs 2 cannot be used: give 5 or more"),
        (["--runs", "5", "--", "a"], "give two after --"),
        (["--runs", "5", "--", "a", "'"], "it cannot be split into words"),
        (["--runs", "5", "--", "a", ""], "give a program and its arguments"),
        (["--power", "2"], "--power 2.0 cannot be used"),
    ],
)
def test_what_cannot_be_compared_is_said(ledger: Path, words: list[str], said: str) -> None:
    """In a line, with exit code 2, before anything is run."""
    result = compare(*words, ledger=ledger)

    assert (2, 1) == (result.exit_code, len(result.stderr.splitlines()))
    assert said in result.stderr


def test_a_single_run_of_each_is_too_short_here(ledger: Path) -> None:
    """Blocks of its steps need journals of some length."""
    runs = [record.run_id for record in of(ledger).runs()]
    result = compare(*runs[:2], ledger=ledger)

    assert result.exit_code == 2
    assert "its journals show too little of its steps" in result.stderr


def test_the_number_of_runs_is_told(ledger: Path) -> None:
    """For a change and a noise, without any run."""
    few, many = (int(compare("--power", share, ledger=ledger).stdout) for share in ("0.1", "0.05"))

    assert 5 <= few < many


def test_the_page_has_the_number_that_the_command_prints(ledger: Path) -> None:
    """The example of the documentation is run."""
    words = "--power 0.02 --noise 0.05"
    page = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")

    assert f"$ lightning-carbon compare {words}\n{compare(*words.split(), ledger=ledger).stdout}" in page


def test_programs_are_run_in_turn(tmp_path: Path) -> None:
    """Each once without counting, then so many times; the program that computes ten times as long takes more."""
    short, long = (f'{shlex.quote(sys.executable)} -c "{BURN.replace("0.1", seconds)}"' for seconds in ("0.05", "0.5"))
    result = compare("--runs", "5", "--project", "turns", "--", short, long, ledger=tmp_path)

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("B takes ")
    assert "more energy a run than A (95 % interval" in result.stdout
    said = [line.split(": ")[1] for line in result.stderr.splitlines()]
    assert ["A", "B", "A 1/5", "B 1/5", "B 2/5", "A 2/5", "A 3/5", "B 3/5", "B 4/5", "A 4/5", "A 5/5", "B 5/5"] == said
    assert 2 * RUNS == len([*of(tmp_path).runs("turns")])


def test_a_program_that_fails_ends_the_comparison(tmp_path: Path) -> None:
    """With its last words, and exit code 1."""
    result = compare(
        "--runs",
        "5",
        "--",
        f"{shlex.quote(sys.executable)} -c 'import sys; sys.exit(\"no data\")'",
        "x",
        ledger=tmp_path,
    )

    assert result.exit_code == 1
    assert "failed with exit code 1; its last words:" in result.stderr
    assert "no data" in result.stderr


def of(folder: Path) -> Ledger:
    """The ledger in a folder."""
    return open_ledger(folder, print)
