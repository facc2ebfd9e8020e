"""The tables of the pages say what the files of results say, and nothing of a GPU that has none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lightning_carbon.study.measured.measurement import DomainPower
from tests.documents import ROOT
from tests.gpu.measuring.attribution import Attributed
from tests.gpu.measuring.curves import Ticks
from tests.gpu.measuring.loads import Compared
from tests.gpu.measuring.results import Results
from tests.gpu.measuring.throughput import Ratio

PAGES = ("docs/accuracy.md", "METHODOLOGY.md")
MACHINE = {
    "gpu": "NVIDIA Made-Up 9000",
    "driver": "999.1",
    "packages": {"torch": "2.13.0"},
    "system": "Linux-6.1",
}
POWER = DomainPower("gpu:GPU-1", "gpu", "NVIDIA Made-Up 9000", 512.3, "counter", 0.05, 1.0, "NVML", counted=True)


def everything() -> Results:
    """What all the tests together would leave of a GPU that does not exist."""
    results = Results(MACHINE)
    results.add("ticks", Ticks(98, 0.1002, 0.0991, 0.1034, 12.0, 0.002, 0.0013, 0.004))
    results.add("lag_seconds", {"counter": [0.05, 0.07, 0.06], "POWER_AVERAGE": [0.5]})
    results.add("shapes", [Compared("full", 8.0, 690.4, {"POWER_INSTANT": 1.0123}, {"POWER_INSTANT": 700})])
    results.add("attribution", Attributed(100, 3, 0.0002, 0.0004, 0.0123, 0.05, 0.4, 0.05))
    results.add("throughput/bert_base", Ratio(0.9981, 0.0007, 40, 0.03, 20, 110_000_000))
    results.add("study/bert_base", {"domains": [POWER], "speed": {"steps_per_second": 12.34}})
    return results


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A copy of the pages and of what writes their tables."""
    for name in (*PAGES, "tools/gpu_tables.py", "tests/gpu/measuring/results.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("tests", "tests/gpu", "tests/gpu/measuring"):
        (tmp_path / folder / "__init__.py").write_text('"""A package."""\n')
    (tmp_path / "tests" / "benchmarks" / "results").mkdir(parents=True)
    return tmp_path


def write(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script there."""
    script = place / "tools" / "gpu_tables.py"
    return subprocess.run(
        [sys.executable, script, *words], capture_output=True, text=True, check=False, timeout=500, cwd=place
    )


def test_the_written_tables_are_those_of_the_committed_results() -> None:
    """Running the script would change nothing."""
    done = write(ROOT, "--check")

    assert (0, "") == (done.returncode, done.stderr)


def test_without_results_nothing_is_said_of_any_gpu(place: Path) -> None:
    """But that nobody has measured one, and how to."""
    write(place)

    assert all("No GPU has been measured yet" in (place / page).read_text(encoding="utf-8") for page in PAGES)


def test_results_become_tables(place: Path) -> None:
    """Figures are those of the file, rounded; the check fails before they are written and passes afterwards."""
    write(place)
    everything().write(place / "tests" / "benchmarks" / "results", 500.0)
    stale, written, fresh = write(place, "--check"), write(place), write(place, "--check")
    readme, methodology = ((place / page).read_text(encoding="utf-8") for page in PAGES)

    assert (1, "docs/accuracy.md, METHODOLOGY.md: out of date; run python tools/gpu_tables.py\n") == (
        stale.returncode,
        stale.stderr,
    )
    assert (0, "wrote docs/accuracy.md\nwrote METHODOLOGY.md\n", 0) == (
        written.returncode,
        written.stdout,
        fresh.returncode,
    )
    assert "| NVIDIA Made-Up 9000 | 999.1, 2.13.0 | 100 ms | 1.2 % | – | 0.9981 ± 0.0007 | – |" in readme
    assert "| NVIDIA Made-Up 9000 | 100 ms (99.1 to 103) | 1.3 ms | +60 ms | – | +500 ms | – |" in methodology
    assert "| NVIDIA Made-Up 9000 | full | 690 W | 1.012 | – | – |" in methodology
    assert "| NVIDIA Made-Up 9000 | bert_base | 512 W | counter ±5 % | 12.3 |" in methodology
    assert "No GPU has been measured yet" not in readme + methodology


def test_the_tables_can_be_printed_from_another_folder(place: Path, tmp_path: Path) -> None:
    """For the summary of a job; no page changes."""
    everything().write(tmp_path / "elsewhere", 500.0)
    before = [(place / page).read_bytes() for page in PAGES]
    done = write(place, "--print", "--results", str(tmp_path / "elsewhere"))

    assert 0 == done.returncode, done.stderr
    assert "| 100 ms | 1.2 % |" in done.stdout
    assert "| NVIDIA Made-Up 9000 | full | 690 W | 1.012 | – | – |" in done.stdout
    assert before == [(place / page).read_bytes() for page in PAGES]


def test_what_a_file_does_not_have_is_a_dash(place: Path) -> None:
    """A GPU without a counter, whose power nobody could measure."""
    results = Results(MACHINE)
    results.add("study/gpt2", {"domains": [replace(POWER, watts=None)], "speed": {"steps_per_second": None}})
    results.write(place / "tests" / "benchmarks" / "results", 1.0)
    write(place)
    readme, methodology = ((place / page).read_text(encoding="utf-8") for page in PAGES)

    assert "| NVIDIA Made-Up 9000 | 999.1, 2.13.0 | – | – | – | – | – |" in readme
    assert "| NVIDIA Made-Up 9000 | gpt2 | – | – | – |" in methodology
    assert "Power, integrated, over" not in methodology


def test_a_page_without_the_marks_is_refused(place: Path) -> None:
    """It says what is missing, and writes nothing."""
    (place / "docs/accuracy.md").write_text("Nothing here.\n")
    done = write(place)

    assert 1 == done.returncode
    assert "docs/accuracy.md needs these two lines, once:" in done.stderr
    assert "Nothing here.\n" == (place / "docs/accuracy.md").read_text()


def test_a_file_that_is_no_result_is_refused(place: Path) -> None:
    """Rather than half a table."""
    path = place / "tests" / "benchmarks" / "results" / "gpu-x.json"
    path.write_text(json.dumps({"schema": 7}))
    done = write(place)

    assert 1 == done.returncode
    assert "has schema 7" in done.stderr
