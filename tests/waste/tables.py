"""How often waste was named right, as a table for people."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.records.waste import WORDS, WasteKind
from tests.waste.trials import FAULTS, trials

if TYPE_CHECKING:
    from tests.nvml_standin import Standin

PAGE: Final = Path(__file__).parents[2] / "METHODOLOGY.md"
BEGIN: Final = "<!-- waste: written by python -m tests.waste --write -->\n"
END: Final = "<!-- end of waste -->\n"
EACH: Final = 26
"""How many trainings have each fault: with eight faults, 208."""
WITHOUT: Final = 208
SEED: Final = 20_261_128


class Found(NamedTuple):
    """How trainings of one sort turned out.

    Args:
        kind: The fault; ``None`` for none.
        trainings: How many there were.
        right: Of how many the fault, and nothing else, was named; of clean trainings, nothing.
        also: Of how many the fault was named, and something else, too.
    """

    kind: WasteKind | None
    trainings: int
    right: int
    also: int


def found_by(seed: int, standin: Standin, *, count: int = EACH, without: int = WITHOUT) -> list[Found]:
    """Train, and count what was named.

    Args:
        seed: Of what is drawn.
        standin: The driver.
        count: How many trainings have each fault.
        without: How many have none.
    """
    every, right, also = Counter[WasteKind | None](), Counter[WasteKind | None](), Counter[WasteKind | None]()
    for kind, names in trials(count, without, rng=random.Random(seed), standin=standin):
        every[kind] += 1
        right[kind] += names == (set() if kind is None else {kind})
        also[kind] += kind in names and len(names) > 1
    return [Found(kind, every[kind], right[kind], also[kind]) for kind in (*FAULTS, None)]


def table(results: list[Found]) -> str:
    """A table in Markdown: a line for each fault, and one for clean trainings."""
    lines = [
        "| fault, of trainings of 50 steps | trainings | named, alone | named, beside others |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {'none' if found.kind is None else WORDS[found.kind]} | {found.trainings} | "
        f"{found.right if found.kind is not None else f'{found.trainings - found.right} falsely'} | "
        f"{'' if found.kind is None else found.also} |"
        for found in results
    ]
    return "\n".join(lines)
