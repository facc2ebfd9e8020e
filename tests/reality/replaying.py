"""Meters a recorded sensor with the real sampling loop and the real timelines, in the time of the trace."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Domain, GaugeReading, Kind, Provenance, Sensor
from lightning_carbon.metering.probe import Probe
from lightning_carbon.metering.sampler import Sampler
from lightning_carbon.metering.sampling import Sampling
from lightning_carbon.sources.replay import ReplayGauge
from lightning_carbon.testing import ManualClock
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Power

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.energy.timeline import Timeline

INTERVAL_SECONDS = 0.1
MAX_GAP_NS = 2 * NANOSECONDS_PER_SECOND


class VirtualSampler(Sampler):
    """The sampler's own loop, on a clock that jumps to the end of each of its pauses."""

    def __init__(self, probes: Sequence[Probe], sampling: Sampling, clock: ManualClock) -> None:
        super().__init__(probes, sampling)
        self._manual = clock

    def play(self, until_ns: int) -> None:
        """Sample until a moment."""
        self._until_ns = until_ns
        self.read_first()
        self._loop(self._generation)

    def _pause(self, until_ns: int) -> None:
        self._manual.advance(nanoseconds=max(until_ns - self._manual.now_ns(), 0))
        if self._manual.now_ns() >= self._until_ns:
            self._finish_ns = self._until_ns


def metered(shown: Sequence[tuple[float, float]], *, window_seconds: float = 0.0) -> Timeline:
    """The timeline of a gauge that showed this.

    Args:
        shown: Moments in seconds since 1970, and the watts that a query showed then.
        window_seconds: Of how long a time each is the mean, where it is a trailing mean.

    Returns:
        The timeline, in nanoseconds since the first moment.
    """
    began = shown[0][0]
    readings = [GaugeReading(round((at - began) * NANOSECONDS_PER_SECOND), Power(watts)) for at, watts in shown]
    clock = ManualClock()
    start_ns = clock.now_ns()
    sensor = Sensor(
        Domain(Kind.GPU, "gpu:trace", "GPU"),
        Provenance.INTEGRATED,
        0.05,
        "nvidia-smi",
        window_seconds=window_seconds,
    )
    probe = Probe(ReplayGauge(sensor, readings, lambda: clock.now_ns() - start_ns), clock, MAX_GAP_NS)
    sampling = Sampling(clock, INTERVAL_SECONDS, threading.RLock(), lambda: None, lambda _: None)
    VirtualSampler([probe], sampling, clock).play(start_ns + readings[-1].at_ns)
    probe.timeline.close(start_ns + readings[-1].at_ns)
    return probe.timeline
