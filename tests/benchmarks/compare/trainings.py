"""The same real training without a meter, with an earlier tree's and with this tree's, a block of steps each in turn.

As in :mod:`tests.benchmarks.training`, whoever does not have its turn is stopped, threads and all.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tests.benchmarks.training import WARM_PAIRS, Training

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.world import World

BLOCK_STEPS = 50
"""From one row to the next."""

Blocks = list[tuple[float, float]]
"""Of every block of steps, the seconds by the clock and of processor time."""


def train(world: World, framework: str, paths: dict[str, Sequence[Path]], turns: int) -> dict[str, Blocks]:
    """Train once without a meter and once with that of every tree, in turn.

    Args:
        world: Where.
        framework: Of which framework the trainer is.
        paths: For every tree, by its name, what its programs import from.
        turns: How many blocks of steps count.

    Returns:
        For every tree, by its name, and for ``plain``, what the blocks took.
    """
    arms = {"plain": next(iter(paths.values())), **paths}
    count = turns + WARM_PAIRS
    with ExitStack() as stack:
        trainings = {
            arm: stack.enter_context(
                Training(
                    *world.prepare(
                        "training_child",
                        framework,
                        "plain" if arm == "plain" else "metered",
                        str(count),
                        str(BLOCK_STEPS),
                        scenario=world.eight_gpus(),
                        path=path,
                    )
                )
            )
            for arm, path in arms.items()
        }
        order = list(trainings.values())
        for turn in range(1, count):
            order = order[::-1] if turn % 2 else [*order[1:], order[0]]
            for training in order:
                training.go_on()
        found: dict[str, dict[str, Any]] = {arm: training.finish() for arm, training in trainings.items()}
    for arm in paths:
        if found[arm]["steps"] != [count * BLOCK_STEPS]:
            raise RuntimeError(f"the record of {arm} does not have {count * BLOCK_STEPS} steps: {found[arm]['steps']}")
    return {arm: [(block[0], block[1]) for block in answer["blocks"][WARM_PAIRS:]] for arm, answer in found.items()}
