"""The same training without a tool and with each, by turns, in Lightning and in Hugging Face.

As in :mod:`tests.benchmarks.training`, whoever does not have its turn is stopped. There is a training without a tool in
each of the two environments, and a tool is held against that of its own.
"""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.peers.rows import OURS, PEERS, TITLES, TOOLS, Cell, Row
from tests.benchmarks.peers.training_child import TURN_STEPS
from tests.benchmarks.training import Training, standard_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.peers.arena import Arena

WARM_TURNS = 2


def lightning(arena: Arena) -> Iterator[Row]:
    """In a ``pytorch_lightning`` Trainer."""
    return _compare(arena, "lightning", "Lightning")


def huggingface(arena: Arena) -> Iterator[Row]:
    """In a ``transformers`` Trainer."""
    return _compare(arena, "huggingface", "Hugging Face")


def _compare(arena: Arena, framework: str, name: str) -> Iterator[Row]:
    turns = WARM_TURNS + (8 if arena.quick else 20)
    arms = [("none", OURS), (OURS, OURS), ("none", PEERS[0]), *((tool, tool) for tool in PEERS)]
    with ExitStack() as stack:
        trainings = []
        for index, (tool, home) in enumerate(arms):
            answer = arena.world.folder / f"training-{framework}-{index}.json"
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
    cells, spent, errors = {}, [], []
    for tool in TOOLS:
        pairs = list(zip(plain[tool], metered[tool], strict=True))
        ratios = [one[0] / two[0] for one, two in pairs]
        errors.append(standard_error(ratios))
        cells[tool] = Cell(median(ratios), remark=f"± {errors[-1]:.3f}")
        spent.append(f"{TITLES[tool]} {median(one[1] / two[1] for one, two in pairs):.4f}")
    milliseconds = median(block[0] for block in blocks[0]) / TURN_STEPS * 1e3
    notes = (f"steps of {milliseconds:.1f} ms; by processor time: {'; '.join(spent)}",)
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
