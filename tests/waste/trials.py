"""A training of 50 steps with a fault, or with none, and what the record names as waste.

The GPU is that of the stand-in driver, whose clock is moved along with the training's; meters, journals and records are
the product's own. What is drawn, and from where to where, is an assumption about what trainings are like; the text in
METHODOLOGY.md repeats it. The rules know none of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.metering.adapters import Adapters
from lightning_carbon.metering.engine import Engine
from lightning_carbon.ranks import Ranks
from lightning_carbon.records.waste import WasteKind
from lightning_carbon.settings import configure
from lightning_carbon.sources import nvml
from lightning_carbon.testing import ManualClock, ManualSampler, MemoryRunStore
from tests.nvml_standin import Gpu, Scenario

if TYPE_CHECKING:
    import random

    from lightning_carbon.metering.probe import Probe
    from lightning_carbon.metering.sampling import Sampling
    from lightning_carbon.ports import Finding
    from tests.nvml_standin import Standin

STEPS: Final = 50
START_NS: Final = 1_000_000_000_000
WORLD_SIZE: Final = 4
ELEMENTS: Final = 4096
"""The elements of a batch, tokens and padding together."""
PATIENCE_SECONDS: Final = 300.0
"""How long the driver may take to answer, which is real time: a machine that stands still for a while is no fault."""


class Shared:
    """An identity that all ranks agree on at once."""

    def agree(self, proposal: str) -> str:
        """Give the name of the run."""
        del proposal
        return "20260101T000000Z-waste"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training.

    Args:
        step_seconds: How long the work of a step takes.
        noise: How much steps scatter.
        data_share: How long a step waits for its data, as a share of its work.
        busy: How busy its GPUs are while they work.
        slower: How much longer the last of four ranks takes, as a share.
        ranks: How many ranks there are.
        checkpoint_steps: How long a checkpoint takes, in steps; there is a single one, in the middle.
        validation_steps: How long a validation takes, in steps; there is a single one, near the end.
        reasons: The mask of throttle reasons.
        throttled_from: The share of the training from which on they hold.
        throttled_until: The share at which they end.
        padding: The share of padding in its batches.
    """

    step_seconds: float
    noise: float
    data_share: float
    busy: float
    slower: float = 0.0
    ranks: int = 1
    checkpoint_steps: float = 0.0
    validation_steps: float = 0.0
    reasons: int = 0
    throttled_from: float = 0.0
    throttled_until: float = 1.0
    padding: float = 0.0

    @property
    def expected_seconds(self) -> float:
        """About how long it takes."""
        steps = STEPS * (1 + self.data_share) + self.checkpoint_steps + self.validation_steps
        return steps * self.step_seconds * (1 + self.slower)


def clean(rng: random.Random) -> Plan:
    """A training without a fault, which still waits, validates, saves and touches its power limit now and then."""
    return Plan(
        step_seconds=math.exp(rng.uniform(math.log(0.06), math.log(0.6))),
        noise=rng.uniform(0.01, 0.15),
        data_share=rng.uniform(0.0, 0.05),
        busy=rng.uniform(0.88, 1.0),
        ranks=rng.choice([1, WORLD_SIZE]),
        checkpoint_steps=rng.uniform(0.0, 1.5),
        validation_steps=rng.uniform(0.0, 8.0),
        reasons=rng.choice([0, 0x04]),
        throttled_from=(start := rng.uniform(0.0, 0.9)),
        throttled_until=start + rng.uniform(0.0, 0.1),
        padding=rng.uniform(0.0, 0.05),
    )


def _calm(rng: random.Random) -> Plan:
    return replace(clean(rng), ranks=1, reasons=0)


def _throttled(reasons: int, rng: random.Random) -> Plan:
    start = rng.uniform(0.0, 0.4)
    return replace(_calm(rng), reasons=reasons, throttled_from=start, throttled_until=1.0)


FAULTS: Final[dict[WasteKind, Callable[[random.Random], Plan]]] = {
    WasteKind.DATA: lambda rng: replace(_calm(rng), data_share=rng.uniform(0.2, 2.0)),
    WasteKind.IDLE: lambda rng: replace(_calm(rng), busy=rng.uniform(0.2, 0.6)),
    WasteKind.HEAT: lambda rng: _throttled(rng.choice([0x20, 0x48, 0x08]), rng),
    WasteKind.POWER_CAP: lambda rng: _throttled(0x04, rng),
    WasteKind.STRAGGLER: lambda rng: replace(_calm(rng), ranks=WORLD_SIZE, slower=rng.uniform(0.3, 1.5)),
    WasteKind.CHECKPOINT: lambda rng: replace(_calm(rng), checkpoint_steps=rng.uniform(5, 30)),
    WasteKind.VALIDATION: lambda rng: replace(_calm(rng), validation_steps=rng.uniform(25, 80)),
    WasteKind.PADDING: lambda rng: replace(_calm(rng), padding=rng.uniform(0.15, 0.7)),
}
"""What can go wrong, by what it should be called."""


def named(plan: Plan, rng: random.Random, standin: Standin) -> set[WasteKind]:
    """Train, and return what the record names."""
    end_ns = plan.expected_seconds * 1e9
    utilization = round(100 * plan.busy / (1 + plan.data_share))
    gpu = Gpu(
        utilization=utilization,
        event_reasons=plan.reasons,
        throttle_from_ns=START_NS + round(plan.throttled_from * end_ns),
        throttle_until_ns=START_NS + round(plan.throttled_until * end_ns) + 1,
        origin_ns=START_NS,
    )
    with standin.showing(Scenario.of(*[gpu] * plan.ranks)):
        standin.hold(START_NS)
        training = Training(plan, rng, standin, nvml.discover("all", patience_seconds=PATIENCE_SECONDS))
        training.train()
        return {WasteKind(waste.kind) for waste in training.engines[0].record.waste}


class Training:
    """A training of one rank or of several, on a clock of its own.

    Args:
        plan: What it does.
        rng: Draws how long its steps take.
        standin: The driver, whose clock follows.
        findings: A GPU for each rank.
    """

    def __init__(self, plan: Plan, rng: random.Random, standin: Standin, findings: Sequence[Finding]) -> None:
        self._plan, self._rng, self._standin = plan, rng, standin
        self._clock = ManualClock(start_ns=START_NS)
        self._samplers: list[ManualSampler] = []
        store = MemoryRunStore()
        config = configure(
            environ={}, region="SE", detail="step", machine="none", ledger=Path("unused"), sources=[], pue=1.2
        )
        self.engines = [
            Engine(config, self._adapters(findings[rank], Ranks(rank, rank, plan.ranks), store), self._sampling)
            for rank in range(plan.ranks)
        ]

    def _adapters(self, finding: Finding, ranks: Ranks, store: MemoryRunStore) -> Callable[[object], Adapters]:
        return lambda _: Adapters([finding], self._clock, store, {}, ranks=ranks, identity=Shared())

    def _sampling(self, probes: Sequence[Probe], sampling: Sampling) -> ManualSampler:
        self._samplers.append(ManualSampler(probes, sampling))
        return self._samplers[-1]

    def train(self) -> None:
        """Take all steps, with a checkpoint and a validation among them."""
        plan = self._plan
        with ExitStack() as stack:
            for engine in reversed(self.engines):  # rank 0 ends last, and hears of all
                stack.push(engine)
            for engine in self.engines:
                engine.start(Phase.SETUP)
            self._go_on(self._rng.uniform(0.1, 3.0))
            for engine in self.engines:
                engine.enter(Phase.TRAIN)
                engine.enter_part(Part.DATA)
            for step in range(STEPS):
                self._step()
                if step == STEPS // 2 and plan.checkpoint_steps:
                    self._spend(Phase.CHECKPOINT, plan.checkpoint_steps)
                if step == STEPS - STEPS // 5 and plan.validation_steps:
                    self._spend(Phase.VALIDATE, plan.validation_steps)

    def _go_on(self, seconds: float, *, reads: bool = True) -> None:
        """Let time pass; sensors are read twice a second at least."""
        left = seconds
        while left > 0 or reads:
            part = min(left, 0.25)
            self._clock.advance(seconds=max(0.0, part))
            self._standin.hold(self._clock.now_ns())
            left -= part
            if reads or left > 0:
                for sampler in self._samplers:
                    sampler.tick()
            reads = False

    def _spend(self, phase: Phase, steps: float) -> None:
        outer = [engine.enter(phase) for engine in self.engines]
        self._go_on(steps * self._plan.step_seconds)
        for engine, before in zip(self.engines, outer, strict=True):
            engine.enter(before)

    def _step(self) -> None:
        """A step: data and forward at each rank's own pace, and backward until the slowest has caught up."""
        plan, now = self._plan, 0.0
        events: list[tuple[float, int, Part]] = []
        ends = []
        for rank in range(plan.ranks):
            pace = plan.step_seconds * max(0.3, 1 + self._rng.gauss(0, plan.noise))
            pace *= 1 + (plan.slower if rank == plan.ranks - 1 else 0.0)
            data = pace * plan.data_share * self._rng.uniform(0.5, 1.5)
            events += [(data, rank, Part.FORWARD), (data + 0.35 * pace, rank, Part.BACKWARD)]
            ends.append(data + 0.9 * pace)
        end = max(ends)
        for at, rank, part in sorted(events):
            self._go_on(at - now, reads=False)
            now = at
            self.engines[rank].enter_part(part)
        self._go_on(end - now, reads=False)
        for engine in self.engines:
            engine.enter_part(Part.OPTIMIZER)
        self._go_on(0.1 * plan.step_seconds)
        for engine in self.engines:
            padding = round(ELEMENTS * min(1.0, plan.padding * self._rng.uniform(0.5, 1.5)))
            engine.step_done(tokens=ELEMENTS - padding)
            engine.tell_padding(with_padding=False, padding=padding)
            engine.enter_part(Part.DATA)


def trials(
    count: int, without: int, *, rng: random.Random, standin: Standin
) -> Iterator[tuple[WasteKind | None, set[WasteKind]]]:
    """Trainings with each fault, and without: what was wrong, and what was named.

    Args:
        count: How many of each.
        without: How many without a fault.
        rng: Draws them.
        standin: The driver.
    """
    for kind, fault in FAULTS.items():
        for _ in range(count):
            yield kind, named(fault(rng), rng, standin)
    for _ in range(without):
        yield None, named(clean(rng), rng, standin)
