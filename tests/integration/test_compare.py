"""What pairs of measurements of two trees say."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.benchmarks.compare.intervals import interval_of
from tests.benchmarks.compare.trees import HERE, importable

if TYPE_CHECKING:
    from pathlib import Path


def test_a_difference_that_is_larger_than_the_noise_lies_outside_the_interval() -> None:
    """Ratios around 1.1 that scatter by 0.05 have an interval around 1.1 that does not reach 1."""
    draw = random.Random(1)
    starts = [[draw.gauss(1.1, 0.05) for _ in range(10)] for _ in range(4)]

    interval = interval_of(starts)

    assert 1 < interval.low < interval.value < interval.high < 1.2


def test_starts_that_disagree_make_the_interval_wide() -> None:
    """Many pairs of two starts that contradict each other are no more than two observations."""
    interval = interval_of([[0.9] * 50, [1.1] * 50])

    assert (interval.low, interval.high) == (0.9, 1.1)


def test_a_tree_is_imported_with_its_own_entry_points(tmp_path: Path) -> None:
    """Trainers ask for entry points, which have to name modules of the tree that is measured."""
    metadata, tree = importable(HERE, tmp_path / "metadata")

    [entries] = metadata.glob("*.dist-info/entry_points.txt")
    assert HERE == tree
    assert "[pytorch_lightning.callbacks_factory]\nlightning_carbon = lightning_carbon." in entries.read_text("utf-8")
