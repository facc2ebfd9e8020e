"""How far totals and single steps are from the truth, on stand-in GPUs whose power is a closed form of time.

All tools watch the same GPUs at the same time. The truth is taken between the moments at which a tool's user would
say that it began and ended: just after it was started, and just before it is stopped. Likewise for steps, of which the
first is left out, as it may hold some of the time in which the other tools start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import mean
from typing import TYPE_CHECKING, Any, Protocol

from tests.benchmarks.peers.rows import TOOLS, Cell, Row
from tests.benchmarks.world import TICK_SECONDS
from tests.nvml_standin import NOT_SUPPORTED, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tests.benchmarks.peers.arena import Arena
    from tests.nvml_standin import Gpu

SHAPES = ("constant", "sine", "square", "saw")
CHANGING = ("sine", "saw")
"""As the power of real GPUs does all the time: Zeus takes two equal readings of power for one."""
MIXED = ("square", "saw", "sine", "constant")
STEPS = (0.02, 0.05, 0.15, 0.5)
PERIOD_SECONDS, SLOW_PERIOD_SECONDS = 0.7, 2.0
SETTLE_SECONDS = 2.5
PASCAL = 4
"""Before Volta, whose counter was the first: so the tools that go by the architecture know that there is none."""
_TICK_NS = round(TICK_SECONDS * 1e9)


class Truth(Protocol):
    """Whatever knows what was truly used."""

    def __call__(self, start_ns: int, end_ns: int) -> float:
        """The joules between two moments of the monotonic clock."""


@dataclass
class Errors:
    """How far a tool was off, over several runs; in percent.

    Args:
        totals: Of each run, signed.
        steps: Of each step, unsigned.
        zeros: How many steps it told to be 0 J.
        untold: How many steps it told nothing about.
        failures: Why its process came to nothing, for each time that it did.
    """

    totals: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    zeros: int = 0
    untold: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, answer: Mapping[str, Any], truth: Truth) -> None:
        """Hold an answer of the driver against the truth."""
        if "failed" in answer:
            self.failures.append(answer["failed"])
            return
        if not answer["edges"]:
            if answer["joules"] is not None:
                true = truth(answer["start_ns"], answer["end_ns"])
                self.totals.append(100 * (answer["joules"] / true - 1))
            return
        # Whoever tells less steps than there were is given the first ones: it tells them in their order.
        told = list(answer["steps"])[: len(answer["edges"])]
        told += [None] * (len(answer["edges"]) - len(told))
        for (start_ns, end_ns), joules in list(zip(answer["edges"], told, strict=True))[1:]:
            if joules is None:
                self.untold += 1
                continue
            self.zeros += joules == 0
            self.steps.append(100 * abs(joules / truth(start_ns, end_ns) - 1))

    def total(self) -> Cell:
        """The mean distance of the totals."""
        if not self.totals:
            return Cell(None, f"fails: {self.failures[0]}" if self.failures else "tells no total")
        worst = max(self.totals, key=abs)
        return Cell(mean(map(abs, self.totals)), note=f"worst {worst:+.2g} %" if len(self.totals) > 1 else "")

    def step(self) -> Cell:
        """The mean distance of the steps that it tells."""
        if not self.steps:
            return Cell(None, f"fails: {self.failures[0]}" if self.failures else "tells no step")
        count = len(self.steps) + self.untold
        notes = []
        if self.zeros:
            notes.append(f"{self.zeros / count:.0%} of them 0 J")
        if self.untold:
            notes.append(f"{self.untold / count:.0%} not told")
        return Cell(mean(self.steps), remark=", ".join(notes))


@dataclass(frozen=True)
class Case:
    """GPUs to be metered.

    Args:
        shapes: The shape of each GPU's power.
        period_seconds: Of the swing.
        swing: How far it goes, as a share of the mean power.
        more: What else a GPU is.
    """

    shapes: Sequence[str]
    period_seconds: float = PERIOD_SECONDS
    swing: float = 1 / 3
    more: Mapping[str, Any] = field(default_factory=lambda: {"tick_ns": _TICK_NS})

    def scenario(self, gpu: Callable[..., Gpu]) -> Scenario:
        """As the stand-in shows it, with phases of its own."""
        watts = 300.0
        return Scenario.of(
            *(
                gpu(
                    shape=shape,
                    watts=watts,
                    amplitude_watts=0.0 if shape == "constant" else watts * self.swing,
                    period_seconds=self.period_seconds,
                    **self.more,
                )
                for shape in self.shapes
            )
        )


# A reading of power is a new one every 20 ms to 100 ms, by the model (Yang et al., SC'24).
NO_COUNTER = {"tick_ns": 0, "power_tick_ns": 20_000_000, "energy_code": NOT_SUPPORTED, "architecture": PASCAL}
AVERAGED = {**NO_COUNTER, "power_is_average": True, "instant_code": NOT_SUPPORTED}


def totals(arena: Arena) -> Iterator[Row]:
    """The energy of a whole run."""
    yield _total(arena, "counter_1", "1 GPU with a counter, all shapes", [Case([shape]) for shape in SHAPES])
    several = (2, 8) if arena.quick else (2, 4, 8)
    cases = [Case([MIXED[index % 4] for index in range(count)]) for count in several]
    yield _total(arena, "counter_many", f"{_listed(several)} GPUs with counters, all shapes", cases)
    counts = (1, 8) if arena.quick else (1, 2, 4, 8)
    cases = [Case([CHANGING[index % 2]] * count, more=NO_COUNTER) for index, count in enumerate(counts)]
    yield _total(arena, "power", f"{_listed(counts)} GPUs without a counter: momentary power", cases)
    shapes = CHANGING if arena.quick else (*CHANGING, "square")
    cases = [Case([shape], period_seconds=SLOW_PERIOD_SECONDS, more=AVERAGED) for shape in shapes]
    yield _total(arena, "averaged", "1 GPU without a counter: mean power of the last second", cases)


def steps(arena: Arena) -> Iterator[Row]:
    """The energy of single steps."""
    shapes = ("sine", "square") if arena.quick else SHAPES
    for seconds in (STEPS[0], STEPS[-1]) if arena.quick else STEPS:
        cases = [Case([shape], period_seconds=SLOW_PERIOD_SECONDS) for shape in shapes]
        if not arena.quick and seconds not in (STEPS[0], STEPS[-1]):
            cases = cases[1:3]
        found = compare(arena, cases, mark=True, step_seconds=seconds)
        what = f"a step of {seconds * 1e3:.0f} ms, 1 GPU with a counter"
        yield errors_row("peers-accuracy", f"step_error_{seconds * 1e3:.0f}", what, found, steps=True)


def errors_row(bench: str, key: str, what: str, found: Mapping[str, Errors], *, steps: bool) -> Row:
    """The errors of all tools, in percent.

    What one run cannot tell apart: a tenth of a percent of a total, which is 10 ms of it, and half a percent of a step.
    """
    cells = {tool: errors.step() if steps else errors.total() for tool, errors in found.items()}
    return Row(bench, key, f"error of {what}", "%", cells, resolution=0.5 if steps else 0.1)


def compare(arena: Arena, cases: Iterable[Case], *, mark: bool, step_seconds: float = 0.02) -> dict[str, Errors]:
    """Run all tools side by side before each of the GPUs."""
    found = {tool: Errors() for tool in TOOLS}
    seconds = 4.0 if arena.quick else 7.0
    job = {"kind": "run", "mark": mark, "seconds": seconds, "step_seconds": step_seconds}
    for case in cases:
        scenario = case.scenario(arena.world.gpu)
        entries = [(tool, {**job, "settle_seconds": SETTLE_SECONDS}) for tool in TOOLS]
        for answer in arena.together(entries, scenario):
            found[answer["tool"]].add(answer, truth_of(scenario))
    return found


def truth_of(scenario: Scenario) -> Truth:
    """What all GPUs of a scenario draw."""

    def truth(start_ns: int, end_ns: int) -> float:
        return sum(scenario.true_joules(index, start_ns, end_ns) for index in range(len(scenario.gpus)))

    return truth


def _total(arena: Arena, key: str, what: str, cases: Sequence[Case]) -> Row:
    found = compare(arena, cases, mark=False)
    return errors_row("peers-accuracy", f"total_error_{key}", f"the total, {what}", found, steps=False)


def _listed(counts: Sequence[int]) -> str:
    return f"{', '.join(map(str, counts[:-1]))} and {counts[-1]}"
