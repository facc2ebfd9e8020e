"""How far processors and memory are from the truth, on a powercap tree whose counters rise by a closed form of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.peers.room import Room, Zone, why_not
from tests.benchmarks.peers.rows import TOOLS, Cell, Row
from tests.benchmarks.peers.truth import PERIOD_SECONDS, SETTLE_SECONDS, SHAPES, SLOW_PERIOD_SECONDS, Errors, errors_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.peers.arena import Arena

WATTS, SWING_WATTS, DRAM_WATTS = 120.0, 40.0, 20.0


def totals(arena: Arena) -> Iterator[Row]:
    """The energy of a whole run: one package, and two with memory of their own."""
    shapes = ("square", "saw") if arena.quick else SHAPES
    rooms = [[_package(arena, 0, shape)] for shape in shapes]
    yield _row(arena, "rapl_1", "the total, 1 package, all shapes", rooms)
    two = [zone for index in range(2) for zone in (_package(arena, index, SHAPES[index]), _memory(arena, index))]
    yield _row(arena, "rapl_2", "the total, 2 packages and their memory", [two])


def steps(arena: Arena) -> Iterator[Row]:
    """The energy of single steps of a package."""
    for seconds in (0.02, 0.5) if arena.quick else (0.02, 0.05, 0.15, 0.5):
        rooms = [[_package(arena, 0, "sine", SLOW_PERIOD_SECONDS)]]
        what = f"a step of {seconds * 1e3:.0f} ms, 1 package"
        yield _row(arena, f"rapl_step_{seconds * 1e3:.0f}", what, rooms, step_seconds=seconds)


def _row(arena: Arena, key: str, what: str, rooms: Sequence[Sequence[Zone]], step_seconds: float | None = None) -> Row:
    marked = step_seconds is not None
    if why_not():
        return Row("peers-rapl", key, f"error of {what}", "%", {tool: Cell(None, why_not()) for tool in TOOLS})
    found = {tool: Errors() for tool in TOOLS}
    job = {
        "kind": "run",
        "part": "cpu",
        "mark": marked,
        "seconds": 4.0 if arena.quick else 7.0,
        "step_seconds": step_seconds or 0.02,
        "settle_seconds": SETTLE_SECONDS,
    }
    for index, zones in enumerate(rooms):
        folder = arena.world.folder / f"room-{key}-{index}"
        with Room(folder, zones, arena.environment(None)) as room:
            for answer in arena.together([(tool, job) for tool in TOOLS], before=room.inside):
                found[answer["tool"]].add(answer, room.true_joules)
    return errors_row("peers-rapl", key, what, found, steps=marked)


def _package(arena: Arena, index: int, shape: str, period_seconds: float = PERIOD_SECONDS) -> Zone:
    swing = 0.0 if shape == "constant" else SWING_WATTS
    power = arena.world.gpu(shape=shape, watts=WATTS, amplitude_watts=swing, period_seconds=period_seconds)
    return Zone(f"intel-rapl:{index}", f"package-{index}", power)


def _memory(arena: Arena, index: int) -> Zone:
    return Zone(f"intel-rapl:{index}:0", "dram", arena.world.gpu(watts=DRAM_WATTS))
