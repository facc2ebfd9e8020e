"""Two real processes that charge the whole of one package at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
import time
from pathlib import Path
from lightning_carbon import Meter
from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.sources.simulated import SimulatedCounter

package = SimulatedCounter(watts=50.0, domain=Domain(Kind.PACKAGE, "package:0", "package 0"))
with Meter(sources=[package], ledger=Path(sys.argv[1]), project=sys.argv[2]) as meter:
    print(meter.run_id, flush=True)
    time.sleep(0.3)
    sys.stdin.readline()
    meter.step_done()
"""


def start(ledger: Path, project: str) -> tuple[subprocess.Popen[str], str]:
    """Start a program that meters until it is told to end; the program and its run."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(ledger), project],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def command(*words: str) -> str:
    """The output of a command."""
    words = (sys.executable, "-m", "lightning_carbon", *words)
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_two_processes_on_one_package_know_of_each_other(tmp_path: Path) -> None:
    """Both say so and by how much, and so do the totals of the ledger and of a project that has both."""
    ledger = tmp_path / "ledger"
    long, first = start(ledger, "lisa")
    short, second = start(ledger, "lisa")
    said = [process.communicate("\n", timeout=120)[1] for process in (short, long)]
    records = json.loads(command("runs", "--json", "--ledger", str(ledger)))
    overlaps = {record["run_id"]: record["overlaps"] for record in records}
    joules = {record["run_id"]: record["energy"]["total_joules"] for record in records}
    development = json.loads(command("study", "development", "--project", "lisa", "--ledger", str(ledger), "--json"))

    assert {first: [second], second: [first]} == {
        run: [of["run_id"] for of in found] for run, found in overlaps.items()
    }
    assert [["package 0"]] * 2 == [of["domains"] for found in overlaps.values() for of in found]
    assert overlaps[second][0]["joules"] == pytest.approx(joules[second], rel=0.2)
    assert f"run {first} of project lisa meters package 0 of this machine at the same time" in said[0]
    assert "counted twice: runs metered the same hardware at the same time." in command("runs", "--ledger", str(ledger))
    assert development["counted_twice_kwh"] == pytest.approx(overlaps[second][0]["joules"] / 3.6e6, rel=0.2)
    assert any(note.startswith("Counted twice: about") for note in development["notes"])
