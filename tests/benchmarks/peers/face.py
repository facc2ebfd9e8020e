"""What a tool is asked, and what it has to be able to do: the face that every adapter has.

Runs in the peers' environment too, so it imports nothing but the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Part = Literal["gpu", "cpu", "all"]


@dataclass(frozen=True)
class Task:
    """What a tool is to do.

    Args:
        folder: For whatever it writes.
        part: What is metered: all GPUs, processors and memory, or whatever the tool meters if nothing is said.
        mark: Whether every step is told to it.
        steps: How many steps there will be at the most.
        own_gpu: Whether the tool is told to meter the GPU of this rank alone.
        save: Whether it is to write down what it can, at the end of every epoch.
        judged: Whether the steps are going to be held against the truth.
    """

    folder: Path
    part: Part = "gpu"
    mark: bool = False
    steps: int = 1
    own_gpu: bool = False
    save: bool = False
    judged: bool = False


class Nothing:
    """No tool at all, and what a tool has to be able to do.

    Args:
        task: What is asked of it.
    """

    def __init__(self, task: Task) -> None:
        self.task = task

    def load(self) -> None:
        """Import it."""

    def start(self) -> None:
        """Construct and start it."""

    def begin(self) -> None:
        """A step begins."""

    def end(self) -> None:
        """A step ends."""

    def end_epoch(self) -> None:
        """An epoch ends, and with it what could be lost is written down, where the tool has a way to do so."""

    def stop(self) -> float | None:
        """Stop.

        Returns:
            The joules of the whole run.
        """
        return None

    def steps(self) -> list[float | None]:
        """The joules of each step; ``None`` where the tool tells none."""
        return []

    def left(self) -> float | None:
        """The joules that it had written down when it was killed; ``None`` where there is nothing to read."""
        return None
