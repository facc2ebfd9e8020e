"""The energy of single steps, by the meter's marks and by boundaries that the program waited for.

In one and the same run the device is some steps behind the program, which waits for each step once it is that far
behind: so it learns when the device really was done. One curve of energy is cut in three ways: where the meter put its
marks, where the program was when it came to them, and where the device was seen to be done, which is the reference.
"""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Protocol

from tests.gpu.measuring.curves import joules_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon import Meter
    from tests.gpu.measuring.curves import Curve
    from tests.gpu.measuring.loads import Matmuls

LENGTHS = (0.03, 0.09, 0.02, 0.06)
"""Steps of different length, so that a boundary that is put elsewhere shows; in seconds, in turn."""


class Queue(Protocol):
    """A device that does what it is given in order, behind the program."""

    def launch(self, seconds: float) -> None:
        """Give it so much to do, without waiting for it."""
        ...

    def mark(self) -> Any:  # noqa: ANN401 - an event of whatever kind
        """Something that is done once all that was given so far is."""
        ...

    def wait(self, mark: Any) -> None:  # noqa: ANN401 - likewise
        """Wait until it is."""
        ...


class CudaQueue:
    """A GPU.

    Args:
        work: What it is given.
    """

    def __init__(self, work: Matmuls) -> None:
        self._work = work

    def launch(self, seconds: float) -> None:
        """Give it so much to do."""
        self._work.launch_seconds(seconds)

    def mark(self) -> Any:  # noqa: ANN401 - an event of torch
        """An event behind it."""
        import torch

        make_event: Any = torch.cuda.Event
        # Of those that a waiting thread sleeps for: polling would warm the processor, not the GPU.
        event = make_event(blocking=True)
        event.record()
        return event

    def wait(self, mark: Any) -> None:  # noqa: ANN401 - an event of torch
        """Wait for it."""
        mark.synchronize()


@dataclass(frozen=True, slots=True)
class Step:
    """A step as the meter has it.

    Args:
        start_ns: Where it began.
        end_ns: Where it ended.
        joules: What it took.
    """

    start_ns: float
    end_ns: float
    joules: float


@dataclass(frozen=True, slots=True)
class Attributed:
    """How far steps are off.

    Args:
        steps: How many were looked at.
        behind: By how many steps the device was behind.
        moment_seconds: How far the meter's marks are from where the device was seen to be done, the median.
        late_moment_seconds: The 90th percentile of it.
        error_ratio: How far the energy of a step is off, the median.
        high_error_ratio: The 90th percentile of it.
        program_error_ratio: How far it would be off, had the marks been put where the program was; the median.
        step_seconds: How long a step is, on average.
    """

    steps: int
    behind: int
    moment_seconds: float
    late_moment_seconds: float
    error_ratio: float
    high_error_ratio: float
    program_error_ratio: float
    step_seconds: float


def run_steps(queue: Queue, meter: Meter, *, steps: int = 120, behind: int = 3) -> tuple[list[int], list[int]]:
    """Take steps under a meter that has started, with the device some of them behind.

    Returns:
        For every step, when the program came to its end, and when the device was seen to be done with it.
    """
    came, done = [], [0] * steps
    marks = []
    meter.enter("train")
    for index in range(steps):
        queue.launch(LENGTHS[index % len(LENGTHS)])
        meter.step_done()
        came.append(time.monotonic_ns())
        marks.append(queue.mark())
        if index >= behind:
            queue.wait(marks[index - behind])
            done[index - behind] = time.monotonic_ns()
    for index in range(max(0, steps - behind), steps):
        queue.wait(marks[index])
        done[index] = time.monotonic_ns()
    return came, done


def read_steps(folder: Path) -> list[Step]:
    """The steps that a meter has written with ``per_step=True``, with the energy of the GPUs."""
    with (folder / "steps.csv").open(encoding="utf-8") as lines:
        return [
            Step(float(line["start_ns"]), float(line["end_ns"]), float(line["gpu_joules"]))
            for line in csv.DictReader(lines)
        ]


def attributed(steps: Sequence[Step], came_ns: Sequence[float], done_ns: Sequence[float], behind: int) -> Attributed:
    """Hold the energy of steps against what they would have taken at the reference's boundaries.

    The first and the last few are left out: the device was not behind yet, or was not given anything any more.

    Args:
        steps: As the meter has them, one after the other.
        came_ns: When the program came to the end of each.
        done_ns: When the device was seen to be done with each.
        behind: By how many steps the device was behind.
    """
    curve: Curve = [(steps[0].start_ns, 0.0)]
    for step in steps:
        curve.append((step.end_ns, curve[-1][1] + step.joules))
    inner = range(behind + 1, len(steps) - behind - 1)

    def cut(edges: Sequence[float]) -> list[float]:
        heights = [joules_at(curve, edge) for edge in edges]
        return [later - earlier for earlier, later in pairwise(heights)]

    around = range(inner[0] - 1, inner[-1] + 1)
    reference = cut([done_ns[index] for index in around])
    program = cut([came_ns[index] for index in around])
    marked = cut([steps[index].end_ns for index in around])
    late = [abs(steps[index].end_ns - done_ns[index]) / 1e9 for index in inner]
    errors = [abs(mine / true - 1) for mine, true in zip(marked, reference, strict=True)]
    return Attributed(
        steps=len(inner),
        behind=behind,
        moment_seconds=median(late),
        late_moment_seconds=quantiles(late, n=10)[-1],
        error_ratio=median(errors),
        high_error_ratio=quantiles(errors, n=10)[-1],
        program_error_ratio=median(abs(mine / true - 1) for mine, true in zip(program, reference, strict=True)),
        step_seconds=(done_ns[inner[-1]] - done_ns[inner[0]]) / 1e9 / (len(inner) - 1),
    )
