"""A ledger of very many runs: what its lists and sums take with the index, and without.

Also, what the index itself takes in SQLite and in DuckDB, where that is installed; nothing else needs it.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lightning_carbon.ledger.directory import RECORD_FILE
from lightning_carbon.records.mapping import to_mapping
from tests.benchmarks.report import Check
from tests.developments import drawn, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.world import World

_PROJECTS: Final = 20
_SECONDS_APART: Final = 15_000_000
_COMMAND: Final = """
import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run([sys.executable, "-m", "lightning_carbon", "runs", *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
_UNINDEXED: Final = """
import sys, time
from pathlib import Path
from lightning_carbon.ledger.facts import facts_of
from lightning_carbon.wiring import open_ledger
began = time.perf_counter()
print(sum(record.energy.total_joules for record in open_ledger(Path(sys.argv[1]), print).runs()))
print(time.perf_counter() - began)
"""


def write(root: Path, runs: int) -> None:
    """Leave a ledger of so many runs, over twenty projects and ten years, that have ended."""
    random_runs = drawn(random.Random(2_019))
    for number in range(runs):
        run = random_runs[number % len(random_runs)]
        record = record_of(
            replace(run, start_seconds=run.start_seconds + 15_000_000 * (number // len(random_runs))), number
        )
        record = replace(record, project=f"project-{number % _PROJECTS:02d}", host={"name": f"node-{number % 7}"})
        folder = root / record.project / record.run_id
        folder.mkdir(parents=True)
        (folder / RECORD_FILE).write_text(json.dumps(to_mapping(record), separators=(",", ":")), encoding="utf-8")


def many_runs(world: World) -> Iterator[Check]:
    """Lists and sums of 100,000 runs."""
    runs = 2_000 if world.quick else 100_000
    root = world.folder / "many-runs"
    write(root, runs)
    of = f"of {runs:,} runs"
    yield Check("many runs", f"a sum {of}, by reading every record", _unindexed(root), "s", note="as before the index")
    seconds, _ = command("total", "--ledger", str(root))
    yield Check("many runs", f"the first sum {of}, which makes the index", seconds, "s")
    for words, most in (
        (("--limit", "20"), 0.5),
        (("total",), 2.0),
        (("total", "--by", "gpu"), None),
        (("total", "--by", "month", "--status", "failed"), None),
        (("--status", "failed", "--sort", "energy", "--limit", "20"), None),
        (("--sweep", "final-*", "--project", "project-07", "--limit", "20"), None),
    ):
        told = " ".join(words)
        seconds, mebibytes = min(command("--ledger", str(root), *words) for _ in range(3))
        yield Check("many runs", f"`runs {told}` {of}", seconds, "s", most, note="the whole command")
        if words[0] == "total" and most:
            yield Check("many runs", f"the memory of `runs {told}`", mebibytes, "MiB", 300)


def command(*words: str) -> tuple[float, float]:
    """The seconds and the mebibytes that a command takes."""
    child = subprocess.run([sys.executable, "-c", _COMMAND, *words], check=True, capture_output=True, text=True)
    seconds, mebibytes = map(float, child.stdout.split())
    return seconds, mebibytes


def _unindexed(root: Path) -> float:
    child = subprocess.run([sys.executable, "-c", _UNINDEXED, str(root)], check=True, capture_output=True, text=True)
    return float(child.stdout.split()[-1])
