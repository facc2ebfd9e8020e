"""What is left of a run that was killed, and what a run of two ranks says its total is."""

from __future__ import annotations

import json
import signal
import time
from contextlib import ExitStack
from statistics import mean
from typing import TYPE_CHECKING, Any

from tests.benchmarks.peers.rows import PEERS, TITLES, TOOLS, Cell, Row
from tests.benchmarks.peers.truth import truth_of
from tests.benchmarks.world import TICK_SECONDS
from tests.nvml_standin import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.peers.arena import Arena

EPOCH_SECONDS = 2.0
WATTS = 300.0
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m")


def kills(arena: Arena) -> Iterator[Row]:
    """A training of epochs of 2 s is killed; each tool writes at an epoch's end what it has a way to write."""
    job = {"kind": "doomed", "seconds": 120, "epoch_seconds": EPOCH_SECONDS}
    for number in (signal.SIGKILL, signal.SIGTERM):
        lost: dict[str, list[float]] = {tool: [] for tool in TOOLS}
        nothing = dict.fromkeys(TOOLS, 0)
        for _ in range(1 if arena.quick else 3):
            scenario = Scenario.of(arena.world.gpu(tick_ns=round(TICK_SECONDS * 1e9), watts=WATTS))
            truth = truth_of(scenario)
            with ExitStack() as stack:
                drivers = [stack.enter_context(arena.driver(tool, job, scenario)) for tool in TOOLS]
                began = {driver.tool: int(driver.word()) for driver in drivers}
                time.sleep(3 * EPOCH_SECONDS + arena.world.random.random() * 2 * EPOCH_SECONDS)
                ended = {driver.tool: driver.kill(number) for driver in drivers}
            for driver in drivers:
                left = arena.alone(driver.tool, {"kind": "left", "folder": str(driver.folder / "out")}, scenario)
                true = truth(began[driver.tool], ended[driver.tool])
                nothing[driver.tool] += left["joules"] is None
                lost[driver.tool].append(abs(true - (left["joules"] or 0)) / WATTS)
        cells = {}
        for tool in TOOLS:
            remark = "nothing was left" if nothing[tool] == len(lost[tool]) else ""
            cells[tool] = Cell(mean(lost[tool]), remark=remark, note=f"worst {max(lost[tool]):.1f}")
        what = f"energy lost at a {number.name}, in seconds of the run; epochs of {EPOCH_SECONDS:g} s"
        yield Row("peers-kill", f"lost_{number.name.lower()}", what, "s", cells, resolution=0.1)


def ranks(arena: Arena) -> Iterator[Row]:
    """Two ranks under torchrun on two GPUs, each with the same lines of code."""
    plain = {tool: _two_ranks(arena, tool, own_gpu=False) for tool in TOOLS}
    cells = {tool: Cell(len(answers)) for tool, (answers, _) in plain.items()}
    yield Row("peers-ranks", "answers", "totals that a run of 2 ranks ends with", "", cells)
    cells = {tool: _sum_error(*found) for tool, found in plain.items()}
    what = "error of their sum, the same lines in each rank"
    yield Row("peers-ranks", "ranks_error", what, "%", cells, resolution=0.1)
    cells = {TOOLS[0]: cells[TOOLS[0]]}
    for tool in PEERS:
        if tool == "carbontracker":
            cells[tool] = Cell(None, "has no setting for it")
        else:
            cells[tool] = _sum_error(*_two_ranks(arena, tool, own_gpu=True))
    what = "error of their sum, each rank told its GPU where there is a setting for that"
    yield Row("peers-ranks", "ranks_own_error", what, "%", cells, resolution=0.1)


def _two_ranks(arena: Arena, tool: str, *, own_gpu: bool) -> tuple[list[float], float]:
    """What the ranks say, and what is true."""
    scenario = Scenario.of(*(arena.world.gpu(tick_ns=round(TICK_SECONDS * 1e9), watts=watts) for watts in (250, 350)))
    job: dict[str, Any] = {"kind": "rank", "seconds": 5 if arena.quick else 10, "own_gpu": own_gpu and tool in PEERS}
    with arena.driver(tool, job, scenario, launcher=TORCHRUN) as driver:
        driver.wait()
        answers = [json.loads(file.read_text()) for file in sorted(driver.folder.glob("answer-*.json"))]
        records = sorted((driver.folder / "out").rglob("record.json")) if tool == TOOLS[0] else []
    if len(answers) != 2:
        raise RuntimeError(f"{TITLES[tool]}: two ranks left {len(answers)} answers")
    # Rank r's GPU was in use while rank r was.
    true = sum(scenario.true_joules(rank, answer["start_ns"], answer["end_ns"]) for rank, answer in enumerate(answers))
    if records:
        return [_gpu_joules(json.loads(file.read_text())) for file in records], true
    return [answer["joules"] for answer in answers if answer["joules"] is not None], true


def _gpu_joules(record: dict[str, Any]) -> float:
    return float(sum(domain["joules"] for domain in record["energy"]["domains"] if domain["kind"] == "gpu"))


def _sum_error(answers: list[float], true: float) -> Cell:
    if not answers:
        return Cell(None, "tells no total")
    error = 100 * (sum(answers) / true - 1)
    return Cell(abs(error), note=f"{error:+.3g} %")
