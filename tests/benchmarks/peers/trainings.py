"""The same training without a tool and with each, by turns, in Lightning and in Hugging Face.

As in :mod:`tests.benchmarks.training`, whoever does not have its turn is stopped. There is a training without a tool in
each of the two environments, and a tool is held against that of its own. All of them are started several times, and the
error that is told is by what the starts differ.
"""

from __future__ import annotations

from contextlib import ExitStack
from math import sqrt
from statistics import median, stdev
from typing import TYPE_CHECKING

from tests.benchmarks.peers.rows import OURS, PEERS, TITLES, TOOLS, Cell, Row
from tests.benchmarks.training import Training

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.peers.arena import Arena

WARM_TURNS = 2
ROUNDS, QUICK_ROUNDS = 4, 2
"""So often each training is started anew: two processes that do the same differ for as long as they live, by where
their memory came to lie, and that is more than their turns differ among themselves."""
TURNS = 3


def lightning(arena: Arena) -> Iterator[Row]:
    """In a ``pytorch_lightning`` Trainer."""
    return _compare(arena, "lightning", "Lightning")


def huggingface(arena: Arena) -> Iterator[Row]:
    """In a ``transformers`` Trainer."""
    return _compare(arena, "huggingface", "Hugging Face")


def _compare(arena: Arena, framework: str, name: str) -> Iterator[Row]:
    rounds = [_round(arena, framework, number) for number in range(QUICK_ROUNDS if arena.quick else ROUNDS)]
    cells, spent, errors = {}, [], []
    for tool in TOOLS:
        ratios, by_processor = ([ratio[index] for turn in rounds for ratio in turn[tool]] for index in range(2))
        errors.append(stdev(median(ratio[0] for ratio in turn[tool]) for turn in rounds) / sqrt(len(rounds)))
        cells[tool] = Cell(median(ratios), remark=f"± {errors[-1]:.3f}")
        spent.append(f"{TITLES[tool]} {median(by_processor):.4f}")
    notes = (f"{len(rounds)} starts of all, {TURNS} turns each; by processor time: {'; '.join(spent)}",)
    what = f"throughput in {name}, as a share of that without a tool"
    # What two medians are apart by chance alone.
    resolution = 2 * 2**0.5 * max(errors)
    yield Row(
        f"peers-{framework}",
        f"throughput_{framework}",
        what,
        "",
        cells,
        more_is_better=True,
        resolution=resolution,
        notes=notes,
    )


def _round(arena: Arena, framework: str, number: int) -> dict[str, list[tuple[float, float]]]:
    """Every training once, in processes of its own.

    Returns:
        The throughput with each tool in every turn, by the clock and by processor time, as shares of that without one.
    """
    turns = WARM_TURNS + TURNS
    arms = [("none", OURS), (OURS, OURS), ("none", PEERS[0]), *((tool, tool) for tool in PEERS)]
    with ExitStack() as stack:
        trainings = []
        for index, (tool, home) in enumerate(arms):
            answer = arena.world.folder / f"training-{framework}-{number}-{index}.json"
            module = ["tests.benchmarks.peers.training_child", str(answer), framework, tool, str(turns)]
            command = [str(arena.python(home)), "-m", *module]
            environment = arena.environment(arena.world.eight_gpus())
            trainings.append(stack.enter_context(Training(command, environment, answer)))
        for turn in range(1, turns):  # the first was at the start
            for training in trainings[:: 1 if turn % 2 else -1]:
                training.go_on()
        blocks = [training.finish()["blocks"][WARM_TURNS:] for training in trainings]
    plain = {OURS: blocks[0], **dict.fromkeys(PEERS, blocks[2])}
    metered = {OURS: blocks[1], **{tool: blocks[3 + index] for index, tool in enumerate(PEERS)}}
    return {
        tool: [
            (bare[0] / loaded[0], bare[1] / loaded[1]) for bare, loaded in zip(plain[tool], metered[tool], strict=True)
        ]
        for tool in TOOLS
    }
