"""A short run of a real meter on the stand-in driver, held against what the GPUs truly drew."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_carbon import Meter
from tests.nvml_standin import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning_carbon import RunRecord
    from tests.nvml_standin import Gpu, Standin


@dataclass(frozen=True)
class Step:
    """A line of ``steps.csv``.

    Args:
        start_ns: Where it began on the monotonic clock.
        end_ns: Where it ended.
        joules: The energy of all GPUs.
    """

    start_ns: int
    end_ns: int
    joules: float


@dataclass(frozen=True)
class Metered:
    """What a meter said, and what was true.

    Args:
        scenario: The GPUs.
        record: The run's record.
        steps: The run's ``steps.csv``.
    """

    scenario: Scenario
    record: RunRecord
    steps: Sequence[Step]

    @property
    def start_ns(self) -> int:
        """Where the run began: with its first step, as long as no phase was entered."""
        return self.steps[0].start_ns

    @property
    def end_ns(self) -> int:
        """Where it ended, exactly: a few seconds in nanoseconds are no burden to a float."""
        return self.start_ns + round(self.record.duration_seconds * 1e9)

    @property
    def gpu_errors(self) -> list[float]:
        """How far each GPU's total is from the truth, as a signed ratio."""
        return [
            joules / self.scenario.true_joules(index, self.start_ns, self.end_ns) - 1
            for index, joules in enumerate(self._gpu_joules())
        ]

    @property
    def total_error(self) -> float:
        """How far the total of all GPUs is from the truth, as a signed ratio."""
        return sum(self._gpu_joules()) / self.true_joules(self.start_ns, self.end_ns) - 1

    @property
    def step_errors(self) -> list[float]:
        """How far each step is from the truth, as an unsigned ratio."""
        return [abs(step.joules / self.true_joules(step.start_ns, step.end_ns) - 1) for step in self.steps]

    @property
    def edge_errors(self) -> list[float]:
        """How far each step would be if the counters were read at its two edges instead, as an unsigned ratio."""
        return self._errors_by(lambda index, at_ns: self._jumped(index, at_ns, 0))

    @property
    def least_errors(self) -> list[float]:
        """How far each step would be if the moments of all jumps were known exactly: more, no jump can tell."""

        def height(index: int, at_ns: int) -> float:
            low, high = (self._jumped(index, at_ns, jumps) for jumps in (0, 1))
            gpu = self.scenario.gpus[index]
            return low + (high - low) * ((at_ns - gpu.tick_phase_ns) % gpu.tick_ns) / gpu.tick_ns

        return self._errors_by(height)

    def true_joules(self, start_ns: int, end_ns: int) -> float:
        """What all GPUs drew between two moments."""
        return sum(self.scenario.true_joules(index, start_ns, end_ns) for index in range(len(self.scenario.gpus)))

    def _gpu_joules(self) -> list[float]:
        domains = {domain.id: domain.joules for domain in self.record.energy.domains}
        return [domains[f"gpu:{self.scenario.uuid(index)}"] for index in range(len(self.scenario.gpus))]

    def _errors_by(self, height: Callable[[int, int], float]) -> list[float]:
        """The steps' errors, had a GPU's energy up to a moment been taken for something else than it was."""
        errors = []
        for step in self.steps:
            joules = sum(
                height(index, step.end_ns) - height(index, step.start_ns) for index in range(len(self.scenario.gpus))
            )
            errors.append(abs(joules / self.true_joules(step.start_ns, step.end_ns) - 1))
        return errors

    def _jumped(self, index: int, at_ns: int, jumps: int) -> float:
        """What a counter shows at a moment, or so many jumps later, since the start."""
        gpu = self.scenario.gpus[index]
        jump_ns = at_ns - (at_ns - gpu.tick_phase_ns) % gpu.tick_ns + jumps * gpu.tick_ns
        return self.scenario.true_joules(index, self.start_ns, jump_ns)


def run_metered(
    standin: Standin, gpus: Sequence[Gpu], ledger: Path, *, seconds: float, step_seconds: float = 0.02
) -> Metered:
    """Meter a loop of sleeping steps.

    Args:
        standin: The compiled driver, which this process then uses.
        gpus: What it shows.
        ledger: Where the record goes.
        seconds: How long the loop goes on.
        step_seconds: How long a step takes, a little more or less.
    """
    with standin.showing(Scenario.of(*gpus)) as scenario:
        meter = Meter(devices="all", ledger=ledger, per_step=True).start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(step_seconds)
            meter.step_done()
        record = meter.stop()
    return metered_of(scenario, record)


def metered_of(scenario: Scenario, record: RunRecord) -> Metered:
    """What a run with ``per_step=True`` has stored."""
    with Path(record.location or "").with_name("steps.csv").open(encoding="utf-8") as lines:
        steps = [
            Step(int(line["start_ns"]), int(line["end_ns"]), float(line["gpu_joules"]))
            for line in csv.DictReader(lines)
        ]
    return Metered(scenario, record, steps)
