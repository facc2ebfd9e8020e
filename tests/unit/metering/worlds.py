"""An engine on a clock that the test moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.exporting.live import Publish, publish_nowhere
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.pue import pue_of
from lightning_carbon.metering.adapters import Adapters
from lightning_carbon.metering.engine import Engine
from lightning_carbon.metering.step_clock import DeviceStepClock
from lightning_carbon.ports import DeviceGauges, Finding
from lightning_carbon.ranks import OwnIdentity, Ranks
from lightning_carbon.settings import MeterConfig
from lightning_carbon.testing import ManualClock, ManualSampler, MemoryRunStore, ScriptedCounter, ScriptedDevice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lightning_carbon.metering.pricing import GrowingSeries
    from lightning_carbon.ports import RunIdentity, RunStore, Source
    from lightning_carbon.settings.checks import Detail

GPU_0 = Domain(Kind.GPU, "gpu:0", "GPU 0")
GPU_1 = Domain(Kind.GPU, "gpu:1", "GPU 1")
PACKAGE = Domain(Kind.PACKAGE, "package:0", "package 0")


class World:
    """A clock, a store, sources and the engine that meters them.

    Args:
        sources: Makes the sources, given the clock; by default one GPU of 100 W.
        findings: What else was tried.
        per_step: Whether steps are listed.
        strict: Whether trouble is raised.
        device: A device that runs behind the program, given the clock, whose own clock says when steps end.
        clock: The clock, if it has to be a certain one.
        neighbours: Tells who else uses what is metered.
        detail: How finely the run is told apart.
        sampler: What reads the sources.
        store: Where records go, if it has to be a certain place.
        ranks: Which of a run's processes it is.
        identity: How the processes come to call the run the same.
        changes: Settings that are others, as they are once they are checked.
        publish: Exports the run.
    """

    def __init__(
        self,
        sources: Callable[[ManualClock], Sequence[Source]] | None = None,
        findings: Sequence[Finding] = (),
        *,
        per_step: bool = False,
        strict: bool = False,
        device: Callable[[ManualClock], ScriptedDevice] | None = None,
        clock: ManualClock | None = None,
        neighbours: Callable[[], str] = str,
        detail: Detail = "phase",
        sampler: type[ManualSampler] = ManualSampler,
        store: RunStore | None = None,
        ranks: Ranks = Ranks(),  # noqa: B008 - a value that nothing changes
        identity: RunIdentity = OwnIdentity(),  # noqa: B008 - it has no state
        changes: Mapping[str, Any] | None = None,
        publish: Publish = publish_nowhere,
    ) -> None:
        self.clock = clock or ManualClock(start_ns=5_000_000_000)
        self.store = store if isinstance(store, MemoryRunStore) else MemoryRunStore()
        written_to = store or self.store
        made = sources(self.clock) if sources else [ScriptedCounter(self.clock, lambda _: 100.0, domain=GPU_0)]
        self.sources = list(made)
        self.samplers: list[ManualSampler] = []
        self._sampler = sampler
        config = MeterConfig(
            intensity=intensity_of("SE"),
            pue=pue_of(1.25),
            project="test",
            run_name=None,
            ledger=Path("unused"),
            interval_seconds=0.1,
            devices="auto",
            sources=None,
            per_step=per_step,
            strict=strict,
            machine="none",
            detail=detail,
        )
        given = [
            Finding(
                "given",
                source.sensor.domain.name,
                source,
                gauges=source if isinstance(source, DeviceGauges) else None,
            )
            for source in self.sources
        ]
        every = [*given, *findings]
        self.device = device(self.clock) if device else None
        steps = DeviceStepClock(self.clock, lambda: self.device) if self.device else None
        self.live: GrowingSeries | None = None
        self.engine = Engine(
            replace(config, **changes or {}),
            lambda _: Adapters(
                every,
                self.clock,
                written_to,
                {},
                ranks=ranks,
                identity=identity,
                step_clock=steps,
                neighbours=neighbours,
                live=self.live,
                publish=publish,
            ),
            self._sampling,
        )

    def _sampling(self, *arguments: object) -> ManualSampler:
        sampler = self._sampler(*arguments)  # type: ignore[arg-type]
        self.samplers.append(sampler)
        return sampler

    def leave_by(self, error: type[BaseException]) -> None:
        """Meter two steps, and leave by an exception."""
        with self.engine:
            self.steps(2)
            raise error

    def run(self, seconds: float, tick_seconds: float = 0.1) -> None:
        """Let time pass, with a reading at every tick."""
        for _ in range(round(seconds / tick_seconds)):
            self.clock.advance(seconds=tick_seconds)
            self.samplers[-1].tick()

    def steps(self, count: int, seconds: float = 0.1, samples: int | None = None, tokens: int | None = None) -> None:
        """Let training steps pass, with a reading in each."""
        for _ in range(count):
            self.run(seconds, seconds)
            self.engine.step_done(samples=samples, tokens=tokens)
