"""How often waste is named right, on trainings with a known fault on the stand-in driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.records.waste import WORDS
from tests.benchmarks.report import Check
from tests.waste.tables import EACH, WITHOUT, found_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import World


def waste(world: World) -> Iterator[Check]:
    """The share of faults that are named within 50 steps, and of clean trainings in which anything is."""
    count, without = (4, 28) if world.quick else (EACH, WITHOUT)
    found = found_by(world.random.randrange(2**32), world.standin, count=count, without=without)
    faults = [sort for sort in found if sort.kind is not None]
    named = sum(sort.right + sort.also for sort in faults)
    trainings = sum(sort.trainings for sort in faults)
    misses = [f"{WORDS[sort.kind]} {sort.trainings - sort.right - sort.also}" for sort in faults if sort.kind]
    note = f"{trainings} trainings; missed: {', '.join(misses)}"
    yield Check("waste", "faults named within 50 steps", 100 * named / trainings, "%", 95, at_least=True, note=note)
    alone = 100 * sum(sort.right for sort in faults) / trainings
    yield Check("waste", "the same, and nothing else named", alone, "%", 95, at_least=True)
    [clean] = [sort for sort in found if sort.kind is None]
    note = f"{clean.trainings} trainings"
    yield Check(
        "waste", "clean trainings with anything named", 100 * (1 - clean.right / clean.trainings), "%", 1, note=note
    )
