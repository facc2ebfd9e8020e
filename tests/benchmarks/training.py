"""The same small training with and without the callback, a few steps of the one and a few of the other in turn.

Both train in processes of their own, and whichever does not have its turn is stopped (SIGSTOP), sampling thread and
all, so that neither costs the other anything. A turn is as long as from one row to the next, some 0.3 s: what else
happens on the machine changes more slowly than that, mostly, and so falls on both. Which one comes first takes turns.

Two ratios are taken: of steps a second by the wall clock, which is the target, and of processor time a step, which a
busy machine disturbs less, and which counts what the sampling thread does as if the training had to wait for it.
"""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import ExitStack
from math import sqrt
from statistics import mean, median, quantiles
from typing import TYPE_CHECKING, Any

from tests.benchmarks.report import Check
from tests.benchmarks.training_child import BLOCK_STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from tests.benchmarks.world import World

PAIRS = 60
QUICK_PAIRS = 20
WARM_PAIRS = 3
"""Turns at the beginning that do not count: frameworks set themselves up, counters' jumps are learnt."""


def lightning(world: World) -> Iterator[Check]:
    """``CarbonCallback`` in a ``pytorch_lightning`` Trainer."""
    return _compare(world, "lightning", "CarbonCallback in Lightning")


def huggingface(world: World) -> Iterator[Check]:
    """``CarbonTrainerCallback`` in a ``transformers`` Trainer."""
    return _compare(world, "huggingface", "CarbonTrainerCallback in Hugging Face")


def hooks(world: World) -> Iterator[Check]:
    """All that both callbacks do at a step without a row: hooks, counting the batch, guards."""
    for framework in ("lightning", "huggingface"):
        found = world.child("hooks_child", framework, scenario=world.eight_gpus())
        for what, value in found.items():
            if isinstance(value, float):
                limit = 30 if "in succession" in what else None
                yield Check("hooks", what.removesuffix(", CPU µs"), value, "µs", limit, note="of processor time")


class Training:
    """A training in a process of its own, that goes on by turns.

    Args:
        command: What it runs: ``training_child``, or what speaks as it does.
        environment: Its environment.
        answer: The file that it writes at its end.
    """

    def __init__(self, command: Sequence[str], environment: dict[str, str], answer: Path) -> None:
        self._answer = answer
        self._log: Path = self._answer.with_suffix(".log")
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self._wait()

    def go_on(self) -> None:
        """Let it have a turn."""
        self._process.send_signal(signal.SIGCONT)
        self._say_go()
        self._wait()

    def finish(self) -> dict[str, Any]:
        """Let it end, after its last turn.

        Returns:
            What it found.
        """
        self._process.send_signal(signal.SIGCONT)
        self._say_go()
        if self._process.wait():
            raise RuntimeError(f"the training failed:\n{self._log.read_text(encoding='utf-8')}")
        found: dict[str, Any] = json.loads(self._answer.read_text(encoding="utf-8"))
        return found

    def __enter__(self) -> Self:
        """It runs since it was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave no stopped process behind."""
        self._process.kill()
        self._process.communicate()

    def _say_go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def _wait(self) -> None:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "done\n":
            raise RuntimeError(f"the training failed:\n{self._log.read_text(encoding='utf-8')}")
        self._process.send_signal(signal.SIGSTOP)


def _compare(world: World, framework: str, what: str) -> Iterator[Check]:
    turns = WARM_PAIRS + (QUICK_PAIRS if world.quick else PAIRS)
    with ExitStack() as stack:
        arms = [
            stack.enter_context(
                Training(*world.prepare("training_child", framework, arm, str(turns), scenario=world.eight_gpus()))
            )
            for arm in ("plain", "metered")
        ]
        for turn in range(1, turns):  # the first was at the start
            for training in arms[:: 1 if turn % 2 else -1]:
                training.go_on()
        plain, metered = (training.finish() for training in arms)
    if metered["steps"] != [turns * BLOCK_STEPS] or plain["steps"]:
        raise RuntimeError(f"the records do not have {turns * BLOCK_STEPS} steps: {metered['steps']}, {plain['steps']}")
    plain_blocks, metered_blocks = plain["blocks"][WARM_PAIRS:], metered["blocks"][WARM_PAIRS:]
    seconds = median(block[0] for block in plain_blocks)
    step_ms = seconds / BLOCK_STEPS * 1e3
    for index, (name, limit) in enumerate((("by the clock", 0.99), ("by processor time", None))):
        ratios = [bare[index] / loaded[index] for bare, loaded in zip(plain_blocks, metered_blocks, strict=True)]
        note = f"median of {len(ratios)} pairs, ± {standard_error(ratios):.4f}; steps of {step_ms:.1f} ms"
        yield Check(framework, f"throughput ratio {name}, {what}", median(ratios), "", limit, at_least=True, note=note)
    if framework != "lightning":
        return  # the callback takes another place in the Trainer's list, where nothing can stand on both sides of it
    hooks = [mean(block[2] for block in blocks) / BLOCK_STEPS * 1e6 for blocks in (plain_blocks, metered_blocks)]
    note = f"{(hooks[1] - hooks[0]) / seconds * BLOCK_STEPS / 1e4:.2f} % of a step; rows included"
    yield Check(framework, "mean time in the callback's hooks, a step", hooks[1] - hooks[0], "µs", note=note)


def standard_error(values: Sequence[float]) -> float:
    """Of the median, from the spread of the middle half, as if they were normal."""
    low, _, high = quantiles(values, n=4)
    return 1.2533 * (high - low) / 1.349 / sqrt(len(values))
