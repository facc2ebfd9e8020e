"""The search of the examples, run as a reader would, on networks that are trained in a second."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from architecture_search import parse

from tests.integration.endings import parts_in
from tests.programs import Programs

if TYPE_CHECKING:
    import psutil

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "architecture_search.py"
SMALL = (
    *("--epochs=2", "--batches=6", "--final-epochs=3", "--layers", "1", "--hidden", "2", "--vocabulary=400"),
    *("--validation-pairs=16", "--width", "48", "8", "--heads", "2", "3", "--trials=4", "--seed=4"),
)
"""Four trials: a good one, the same again, one that is too narrow, and one whose width has no third part."""
ENDLESS = (
    *("--epochs=1", "--batches=1000000", "--width", "16", "--heads", "2", "--layers", "1", "--hidden", "2"),
    *("--vocabulary=400", "--trials=1"),
)


@dataclass(frozen=True)
class Searched:
    """What a search left behind."""

    folder: Path
    output: str
    errors: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record of the project, by the name of the run."""
        found = [json.loads(file.read_text()) for file in (self.folder / "ledger" / "search").rglob("record.json")]
        return sorted(found, key=lambda record: str(record["run_name"]))

    @property
    def results(self) -> dict[str, Any]:
        """The results file."""
        results: dict[str, Any] = json.loads((self.folder / "runs" / "search" / "results.json").read_text())
        return results

    def printed_microjoules(self, line: str) -> int:
        """The energy in a line of the results, to the microjoule."""
        found = re.search(rf"^{line} +([\d,]+\.\d{{6}}) J", self.output, re.MULTILINE)
        assert found is not None, self.output
        return round(float(found[1].replace(",", "")) * 1e6)


class Searches:
    """Starts searches, each in a folder of its own and with a ledger of its own.

    Args:
        programs: What runs programs that import Lightning.
    """

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def start(self, folder: Path, *words: str) -> psutil.Process:
        """Start a search."""
        environment = {**os.environ, "LIGHTNING_CARBON_LEDGER": str(folder / "ledger")}
        return self._programs.start(SCRIPT, environment, *words, folder=folder)

    def end(self, folder: Path, code: int) -> Searched:
        """Wait for the end of the search."""
        done = self._programs.end()
        assert done.returncode == code, done.stdout + done.stderr
        return Searched(folder, done.stdout, done.stderr)

    def search(self, folder: Path, *words: str, code: int = 0) -> Searched:
        """Run a search to its end."""
        self.start(folder, *words)
        return self.end(folder, code)


def microjoules(records: list[dict[str, Any]]) -> int:
    """The energy of runs in the whole number that it was counted in."""
    return sum(round(record["energy"]["total_joules"] * 1e6) for record in records)


@pytest.fixture(scope="module")
def searches(programs: Callable[[str], Programs]) -> Searches:
    """Searches that start at once."""
    return Searches(programs("pytorch_lightning"))


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory, searches: Searches) -> Searched:
    """Four trials and the training of the best."""
    return searches.search(tmp_path_factory.mktemp("search"), *SMALL)


def test_every_trial_is_a_run_pruned_and_failed_ones_included(searched: Searched) -> None:
    """The ledger has each by its name and with how it ended; a pruned one ended early, of its own accord."""
    statuses = {record["run_name"]: record["status"] for record in searched.records}
    steps = {record["run_name"]: record["steps"] for record in searched.records}

    assert {
        "final-trial-000": "completed",
        "trial-000": "completed",
        "trial-001": "completed",
        "trial-002": "completed",
        "trial-003": "failed",
    } == statuses
    assert (12, 6, 0, 18) == tuple(steps[name] for name in ("trial-000", "trial-002", "trial-003", "final-trial-000"))
    assert ["complete", "complete", "pruned", "fail"] == [trial["state"] for trial in searched.results["trials"]]


def test_the_totals_are_those_of_the_ledger_to_the_microjoule(searched: Searched) -> None:
    """What is printed and what is written is the sum of the records, and the multiple is that of the two."""
    trials = [record for record in searched.records if record["run_name"].startswith("trial")]
    final = [record for record in searched.records if record["run_name"].startswith("final")]

    assert microjoules(trials) == searched.printed_microjoules("Search") == searched.results["search_microjoules"]
    assert microjoules(final) == searched.printed_microjoules("Final") == searched.results["final_microjoules"]
    assert microjoules(searched.records) == searched.printed_microjoules("All runs")
    [times] = re.findall(r"the search took ([\d.,]+) times that", searched.output)
    assert float(times.replace(",", "")) == pytest.approx(microjoules(trials) / microjoules(final), rel=0.01)


def test_the_gain_is_told_trial_by_trial(searched: Searched) -> None:
    """Gains add up to the fall of the loss from guessing to the best, and energy to the search's."""
    steps = searched.results["trials"]
    losses = [step["loss"] for step in steps if step["loss"] is not None]

    assert steps[0]["best_so_far"] + steps[0]["gain"] - min(losses) == pytest.approx(
        sum(step["gain"] for step in steps)
    )
    assert [step["best_so_far"] for step in steps] == sorted((step["best_so_far"] for step in steps), reverse=True)
    assert steps[-1]["joules_so_far"] == pytest.approx(searched.results["search_microjoules"] / 1e6)
    assert steps[0]["gain_per_kwh"] == pytest.approx(steps[0]["gain"] / steps[0]["joules"] * 3.6e6)
    assert re.search(r"^trial-003 +w8 h3 l1 f16 .* failed ", searched.output, re.MULTILINE)
    assert "embed_dim must be divisible by num_heads" in searched.output
    assert (searched.folder / "runs" / "search" / "gain.png").read_bytes().startswith(b"\x89PNG")


def test_a_search_says_nothing_else(searched: Searched) -> None:
    """No warning of a framework, no progress bar, and nothing on the other stream."""
    assert "" == searched.errors
    assert not re.search("[Ww]arning|Traceback|GPU available", searched.output)


def test_a_killed_trial_counts_and_the_search_goes_on(tmp_path: Path, searches: Searches) -> None:
    """What a ``kill -9`` cost is in the total, and other settings are refused rather than mixed in."""
    process = searches.start(tmp_path, *ENDLESS)
    while not any(sum(part.beat.step_uj) for part in parts_in(tmp_path / "ledger")):
        assert process.is_running(), searches.end(tmp_path, 0)
        time.sleep(0.05)
    process.kill()
    searches.end(tmp_path, -signal.SIGKILL)
    for journal in tmp_path.rglob("rank-*.jsonl"):
        os.utime(journal, (time.time() - 60,) * 2)  # silent for as long as the ledger waits, and longer
    again = searches.search(tmp_path, *ENDLESS)
    other = searches.search(tmp_path, *ENDLESS, "--batches=2", code=2)

    [record] = again.records
    assert ("trial-000", "interrupted") == (record["run_name"], record["status"])
    assert 0 < microjoules([record]) == again.printed_microjoules("Search")
    assert re.search(r"^trial-000 .* interrupted ", again.output, re.MULTILINE)
    assert "Final" not in again.output
    assert other.errors.startswith("--batches 2 cannot be used: the search in ")


def test_what_cannot_be_used_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], searches: Searches
) -> None:
    """The option is named, and the folder is as it was."""
    with pytest.raises(SystemExit, match="2"):
        parse(["--trials=0"])
    refused = searches.search(tmp_path, "--project=a/b", code=2)

    assert "--trials 0 cannot be used: give a number above zero" in capsys.readouterr().err
    assert "--project a/b cannot be used: give a short text, such as 'lisa'" in refused.errors
    assert [] == list(tmp_path.iterdir())
