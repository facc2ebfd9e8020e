"""What a tool costs and what it does unasked: starting, telling a step, processor time, lines, sockets, processes."""

from __future__ import annotations

import re
import shutil
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from tests.benchmarks.peers.rows import TITLES, TOOLS, Cell, Row
from tests.benchmarks.world import TICK_SECONDS
from tests.nvml_standin import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.peers.arena import Arena

DEFAULTS = {"part": "all"}
"""Each tool meters whatever it meters if nothing is said."""
_SYSCALLS = "trace=%process,socket"
_FORKED = re.compile(r"(?:clone|clone3|fork|vfork)\((?!.*CLONE_THREAD).*= \d+$")
_SOCKET = re.compile(r"socket\((AF_\w+).*= \d+$")


def start(arena: Arena) -> Iterator[Row]:
    """Import, construct, start; in processes that have done none of it before, one tool after the other in turn."""
    job = {**DEFAULTS, "kind": "run", "seconds": 0.1}
    found: dict[str, list[float]] = {tool: [] for tool in TOOLS}
    for turn in range(1 + (3 if arena.quick else 7)):
        for tool in TOOLS:
            answer = arena.alone(tool, job, _gpus(arena, 8))
            if turn:  # the first one writes .pyc files and warms the disk
                found[tool].append(answer["import_seconds"] + answer["start_seconds"])
    cells = {tool: Cell(median(times)) for tool, times in found.items()}
    yield Row("peers-start", "start_seconds", "import and start, 8 GPUs", "s", cells, resolution=0.005)


def step(arena: Arena) -> Iterator[Row]:
    """Telling it that a step began and ended, on the training's own thread."""
    job = {**DEFAULTS, "kind": "cost", "mark": True, "seconds": 2 if arena.quick else 4}
    for count in (1, 8):
        found: dict[str, list[dict[str, Any]]] = {tool: [] for tool in TOOLS}
        for _ in range(1 if arena.quick else 2):
            for tool in TOOLS:
                found[tool].append(arena.alone(tool, job, _gpus(arena, count)))
        cells = {tool: Cell(median(answer["median_us"] for answer in answers)) for tool, answers in found.items()}
        means = "; ".join(f"{TITLES[tool]} {mean(turn['mean_us'] for turn in found[tool]):.3g}" for tool in TOOLS)
        what = f"telling a step's beginning and end, {count} GPU{'s' if count > 1 else ''}"
        notes = (f"medians; means in µs: {means}",)
        yield Row("peers-step", f"step_us_{count}", what, "µs", cells, share=1 / 3, notes=notes)


def sampler(arena: Arena) -> Iterator[Row]:
    """Processor time of the whole process tree over a second of sleeping steps, less that of no tool at all."""
    for mark in (False, True):
        job = {**DEFAULTS, "kind": "cpu", "mark": mark, "seconds": 6 if arena.quick else 12}
        turns = []
        for _ in range(1 if arena.quick else 3):
            answers = arena.together([(tool, job) for tool in ("none", *TOOLS)], _gpus(arena, 8))
            turns.append({answer["tool"]: answer["cpu_ms_per_second"] for answer in answers})
        cells = {tool: Cell(max(0.0, median(turn[tool] - turn["none"] for turn in turns))) for tool in TOOLS}
        apart = [abs(turn["none"] - median(turn["none"] for turn in turns)) for turn in turns]
        what = "steps of 20 ms told to it" if mark else "no step told to it"
        yield Row(
            "peers-sampler",
            f"cpu_ms_{'marked' if mark else 'unmarked'}",
            f"processor time a second, 8 GPUs, {what}",
            "ms",
            cells,
            resolution=max(0.2, *apart),
        )


def traces(arena: Arena) -> Iterator[Row]:
    """What it prints, and which processes and sockets it makes, from the first import to the last word."""
    tools = ("none", *TOOLS)
    job = {**DEFAULTS, "kind": "run", "mark": False, "seconds": 3}
    plain = {tool: arena.alone(tool, job, _gpus(arena, 8)) for tool in tools}
    told = {tool: arena.alone(tool, {**job, "mark": True}, _gpus(arena, 8)) for tool in tools}
    for key, what, answers in (
        ("lines", "lines printed, run of 3 s", plain),
        ("lines_marked", f"lines printed, run of 3 s, {told['ours']['count']} steps told to it", told),
    ):
        cells = {tool: Cell(answers[tool]["lines"] - answers["none"]["lines"]) for tool in TOOLS}
        yield Row("peers-traces", key, what, "", cells)
    calls = {tool: _system_calls(arena, tool, job) for tool in tools}
    for key, what in (("processes", "processes started"), ("sockets", "sockets opened")):
        cells = {}
        for tool in TOOLS:
            metered, none = calls[tool], calls["none"]
            if metered is None or none is None:
                cells[tool] = Cell(None, "needs strace")
            else:
                kinds = ", ".join(sorted(set(metered["families"]))) if key == "sockets" else ""
                cells[tool] = Cell(metered[key] - none[key], note=kinds)
        yield Row("peers-traces", key, f"{what}, seen by strace", "", cells)


def _system_calls(arena: Arena, tool: str, job: dict[str, Any]) -> dict[str, Any] | None:
    if shutil.which("strace") is None:
        return None
    trace = arena.world.folder / f"strace-{tool}.txt"
    before = ["strace", "-f", "-qq", "-s", "64", "-e", _SYSCALLS, "-e", "signal=none", "-o", str(trace)]
    arena.alone(tool, job, _gpus(arena, 8), before=before)
    return read_trace(trace)


def read_trace(trace: Path) -> dict[str, Any]:
    """Count what strace wrote.

    Returns:
        ``processes`` and ``sockets`` that were made, and the ``families`` of the latter.
    """
    whole: dict[str, str] = {}
    processes = 0
    families: list[str] = []
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        pid, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            whole[pid] = call.removesuffix("<unfinished ...>").strip()
            continue
        if call.startswith("<... "):
            call = f"{whole.pop(pid, '')} {call.partition('resumed>')[2].strip()}"
        if _FORKED.match(call):
            processes += 1
        elif socket := _SOCKET.match(call):
            families.append(socket[1])
    return {"processes": processes, "sockets": len(families), "families": families}


def _gpus(arena: Arena, count: int) -> Scenario:
    return Scenario.of(*(arena.world.gpu(tick_ns=round(TICK_SECONDS * 1e9)) for _ in range(count)))
