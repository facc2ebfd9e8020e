"""The comparison with other tools: its arithmetic, its driver before the stand-in GPUs, and its page."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.peers.arena import PEERS_PYTHON, Arena
from tests.benchmarks.peers.costs import read_trace
from tests.benchmarks.peers.room import Room, Zone, why_not
from tests.benchmarks.peers.rows import BENCHES, OURS, TOOLS, Cell, Row, figure, read_rows, write_rows
from tests.benchmarks.peers.truth import Errors, truth_of
from tests.benchmarks.world import World
from tests.documents import ROOT
from tests.nvml_standin import Gpu, Scenario, compiler

SCRIPT = ROOT / "tools" / "update_peers.py"
TRACE = """\
100 clone3({flags=CLONE_VM|CLONE_THREAD|CLONE_SYSVSEM, child_tid=0x1}, 88) = 101
100 vfork( <unfinished ...>
101 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 7
102 execve("/usr/bin/lscpu", ["lscpu"], 0x1 /* 9 vars */) = 0
100 <... vfork resumed>)              = 102
102 socket(AF_UNIX, SOCK_STREAM, 0) = -1 EACCES (Permission denied)
100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 103
"""


def row(*values: float | None, **more: Any) -> Row:  # noqa: ANN401 - whatever a row takes
    """A row of figures, ours first, then those of the first tools that we are compared with."""
    measured = TOOLS[: len(values)]
    cells = {
        tool: Cell(value, "" if value is not None else "tells none")
        for tool, value in zip(measured, values, strict=True)
    }
    return Row("peers-x", "x", "something", "%", cells, **more)


def results(*rows: Row, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever results hold
    """What a whole run would have written."""
    return {
        "date": "2026-01-02",
        "seconds": 600,
        "quick": False,
        "benches": list(BENCHES),
        "versions": {"lightning-carbon": "1.0", "codecarbon": "2.0", "carbontracker": "3.0", "zeus": "4.0"},
        "machine": {"processors": 2, "python": "3.11.7", "torch": "2.13.0"},
        "rows": list(rows),
        **changes,
    }


def written(path: Path, found: dict[str, Any]) -> Path:
    """Such a file."""
    about = {key: value for key, value in found.items() if key != "rows"}
    write_rows(path, found["rows"], **about)
    return path


@pytest.mark.parametrize(
    ("values", "more", "best"),
    [
        ((1.0, 2.0, 3.0, None), {}, ["ours"]),
        ((1.0, 0.5, 3.0, None), {}, ["codecarbon"]),
        ((1.0, 0.95, 3.0, None), {"resolution": 0.1}, ["ours", "codecarbon"]),
        ((0.99, 0.9, 1.0, 0.98), {"more_is_better": True}, ["carbontracker"]),
        ((None, None, None, None), {}, []),
    ],
)
def test_whoever_cannot_be_told_from_the_best_is_best(
    values: tuple[float | None, ...], more: dict[str, Any], best: list[str]
) -> None:
    """Nobody is ahead by less than the row can tell apart, and who has no figure is not judged."""
    assert best == row(*values, **more).best


@pytest.mark.parametrize(
    ("values", "more", "ahead"),
    [
        ((1.0, 0.5, 0.7, None), {}, ["codecarbon", "carbontracker"]),
        ((1.0, 0.95, 3.0, 1.0), {"resolution": 0.1}, []),
        ((0.9, 0.8, 1.0, 0.95), {"more_is_better": True}, ["carbontracker", "zeus"]),
        ((None, 1.0, 1.0, 1.0), {}, []),
    ],
)
def test_all_who_are_ahead_of_us_are_named(
    values: tuple[float | None, ...], more: dict[str, Any], ahead: list[str]
) -> None:
    """Not only the best one, but nobody who cannot be told from us."""
    assert ahead == row(*values, **more).ahead


@pytest.mark.parametrize(("ours", "ok"), [(3.0, True), (3.4, False)])
def test_a_step_may_cost_a_third_of_the_next(ours: float, ok: bool) -> None:  # noqa: FBT001 - a parameter
    """The target is the best of the others times the share that the row asks for."""
    [check] = row(ours, 90.0, None, 10.0, share=1 / 3).checks()

    assert ok == check.ok


def test_rows_survive_their_file(tmp_path: Path) -> None:
    """What is read from the file is what was written to it."""
    rows = [row(1.0, None, 2.5, 0.0, resolution=0.1, notes=("so",)), row(0.5, 1.0, 1.0, 1.0, more_is_better=True)]
    path = written(tmp_path / "peers.json", results(*rows))

    assert rows == read_rows(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0"), (13.0, "13"), (0.01234, "0.012"), (1.234, "1.23"), (71.26, "71.3"), (456.7, "457")]
)
def test_a_figure_has_about_three_digits(value: float, words: str) -> None:
    """Neither noise nor zeros without meaning are shown."""
    assert words == figure(value)


def test_a_trace_tells_processes_from_threads(tmp_path: Path) -> None:
    """Threads and sockets that were refused do not count; calls that were interrupted by others do."""
    trace = tmp_path / "trace.txt"
    trace.write_text(TRACE, encoding="utf-8")

    assert {"processes": 2, "sockets": 1, "families": ["AF_INET"]} == read_trace(trace)


def test_errors_leave_the_first_step_out_and_count_what_is_not_told() -> None:
    """Steps are compared in their order, beginning with the second one."""
    errors = Errors()
    edges = [(0, 10**9), (10**9, 2 * 10**9), (2 * 10**9, 3 * 10**9), (3 * 10**9, 4 * 10**9)]
    errors.add(
        {"edges": edges, "steps": [999.0, 110.0, 0.0], "joules": None, "start_ns": 0, "end_ns": 4 * 10**9},
        lambda start_ns, end_ns: 100.0 * (end_ns - start_ns) / 1e9,
    )

    assert ([10.0, 100.0], 1, 1) == ([round(step, 6) for step in errors.steps], errors.zeros, errors.untold)


@pytest.mark.skipif(compiler() is None, reason="the stand-in NVML needs a C compiler")
def test_the_driver_drives_us_before_the_same_gpus(tmp_path: Path) -> None:
    """A run of ours that the driver drives ends within a few percent of the truth, steps and all."""
    arena = Arena(World(tmp_path, quick=True, random=random.Random(0)))
    scenario = Scenario.of(Gpu(watts=300), Gpu(watts=100))
    [answer] = arena.together([(OURS, {"kind": "run", "mark": True, "seconds": 1.0})], scenario)
    errors = Errors()
    errors.add(answer, truth_of(scenario))

    assert (0, 0, 0) == (errors.zeros, errors.untold, answer["lines"])
    assert pytest.approx(400 * (answer["end_ns"] - answer["start_ns"]) / 1e9, rel=0.2) == answer["joules"]


@pytest.mark.skipif(compiler() is None, reason="the stand-in NVML needs a C compiler")
@pytest.mark.skipif(not PEERS_PYTHON.exists(), reason="`make peers` installs the others")
def test_the_driver_drives_who_reads_the_counters_of_gpus(tmp_path: Path) -> None:
    """Tools that add up the counters of two GPUs end near the truth, and tell each of the steps."""
    arena = Arena(World(tmp_path, quick=True, random=random.Random(0)))
    scenario = Scenario.of(Gpu(watts=300), Gpu(watts=100))
    job = {"kind": "run", "mark": True, "seconds": 1.0, "step_seconds": 0.1}
    answers = arena.together([(tool, job) for tool in ("zeus", "landauer", "trackio")], scenario)
    seconds = [(answer["end_ns"] - answer["start_ns"]) / 1e9 for answer in answers]

    assert [answer["count"] for answer in answers] == [len(answer["steps"]) for answer in answers]
    assert [pytest.approx(400 * run, rel=0.2) for run in seconds] == [answer["joules"] for answer in answers]


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_a_room_shows_counters_that_rise_as_they_should(tmp_path: Path) -> None:
    """Who comes into the room sees the tree rise by the closed form, and nobody outside sees it."""
    arena = Arena(World(tmp_path, random=random.Random(0)))
    zone = Zone("intel-rapl:0", "package-0", Gpu(watts=50))
    with Room(tmp_path / "room", [zone], arena.environment(None)) as room:
        job = {"kind": "run", "part": "cpu", "seconds": 1.0}
        answer = arena.alone(OURS, job, before=room.inside)

    assert pytest.approx(room.true_joules(answer["start_ns"], answer["end_ns"]), rel=0.2) == answer["joules"]


def test_a_tool_that_fails_does_not_take_the_others_along(tmp_path: Path) -> None:
    """Its last words are kept instead of its figure."""
    arena = Arena(World(tmp_path, random=random.Random(0)), peers_python=Path(sys.executable))
    none, zeus = arena.together([(tool, {"kind": "run", "seconds": 0.05}) for tool in ("none", "zeus")])

    assert "failed" not in none
    assert "No module named 'zeus'" in zeus["failed"]


def update(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Call the script."""
    return subprocess.run([sys.executable, SCRIPT, *map(str, words)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("changes", [{"quick": True}, {"benches": ["peers-start"]}])
def test_only_a_whole_run_is_taken(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A quick run, or one of some benchmarks only, is refused with what to do instead."""
    done = update(written(tmp_path / "peers.json", results(row(1.0, 2.0, 3.0, 4.0), **changes)), "--check")

    assert done.returncode == 1
    assert "say `make bench`" in done.stderr


def test_other_results_are_noticed(tmp_path: Path) -> None:
    """Results that docs/accuracy.md and the committed file do not have are told, and nothing is written."""
    before = (ROOT / "docs/accuracy.md").read_text(encoding="utf-8")
    done = update(written(tmp_path / "peers.json", results(row(1.0, 2.0, 3.0, 4.0))), "--check")

    assert (1, before) == (done.returncode, (ROOT / "docs/accuracy.md").read_text(encoding="utf-8"))
    assert "docs/accuracy.md: out of date" in done.stdout


def test_the_page_has_what_the_script_makes_of_the_committed_results() -> None:
    """The table is the one of the committed results, to the letter."""
    done = update("--check")

    assert (0, "") == (done.returncode, done.stdout + done.stderr)


def test_every_tool_has_a_figure_or_a_reason() -> None:
    """Nothing in the committed results is left empty without saying why."""
    found = json.loads((ROOT / "tests" / "benchmarks" / "results" / "peers.json").read_text(encoding="utf-8"))
    unsaid = [
        (row.key, tool)
        for row in read_rows(found)
        for tool, cell in row.cells.items()
        if (cell.value is None) != bool(cell.why)
    ]

    assert not unsaid
