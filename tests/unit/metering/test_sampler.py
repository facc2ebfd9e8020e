"""The thread that keeps house: it goes on, whatever happens there."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.metering.probe import Probe
from lightning_carbon.metering.sampler import Sampler
from lightning_carbon.metering.sampling import Sampling
from lightning_carbon.testing import ManualClock
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy
from tests.reality.replaying import VirtualSampler

if TYPE_CHECKING:
    import pytest

PERIOD_NS = NANOSECONDS_PER_SECOND // 10


class JumpingCounter:
    """A counter that jumps every 0.1 s, at moments of its own."""

    def __init__(self, number: int, clock: ManualClock) -> None:
        domain = Domain(Kind.GPU, f"gpu:{number}", "GPU")
        self.sensor = Sensor(domain, Provenance.COUNTER, 0.05, "a test's")
        self._clock = clock
        self._offset_ns = number * PERIOD_NS * 5 // 13

    def read_energy(self) -> Energy:
        """Count 30 J a jump."""
        self._clock.advance(nanoseconds=10_000)
        return Energy.from_joules(30 * ((self._clock.now_ns() + self._offset_ns) // PERIOD_NS))


class HouseSampler(VirtualSampler):
    """Notes how much was not settled yet whenever housekeeping is called."""

    def play(self, until_ns: int) -> None:
        """Sample until a moment."""
        self.unsettled_ns: list[int] = []
        super().play(until_ns)

    def _pause(self, until_ns: int) -> None:
        if self._keeper_call.acquire(blocking=False):
            self.unsettled_ns.append(self._clock.now_ns() - self.watermark_ns())
        super()._pause(until_ns)


def test_the_journal_is_written_once_no_jump_is_in_doubt() -> None:
    """Of counters that jump at different times, all but one line in fifty lacks no more than their last two periods."""
    clock = ManualClock()
    probes = [Probe(JumpingCounter(number, clock), clock, 2 * NANOSECONDS_PER_SECOND) for number in range(8)]
    sampling = Sampling(clock, 0.1, threading.RLock(), lambda: None, lambda _: None, is_sparse=True)
    sampler = HouseSampler(probes, sampling, clock)
    sampler.play(clock.now_ns() + 40 * NANOSECONDS_PER_SECOND)

    late = [ns for ns in sampler.unsettled_ns if ns > 2 * PERIOD_NS]
    assert len(sampler.unsettled_ns) > 60
    assert len(late) * 50 < len(sampler.unsettled_ns)


def test_the_keeper_goes_on_after_an_exception_and_says_once_what_it_was(caplog: pytest.LogCaptureFixture) -> None:
    """Housekeeping that fails twice is done a third time, so that a run killed later has lost nothing."""
    calls: list[None] = []
    third = threading.Event()

    def keep_house() -> None:
        calls.append(None)
        if len(calls) < 3:
            message = "what another rank has left"
            raise ValueError(message)
        third.set()

    sampler = Sampler([], Sampling(ManualClock(), 0.1, threading.RLock(), keep_house, lambda _probe: None))
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        sampler.start()
        came = third.wait(60)
        sampler.finish(0)

    assert came
    assert ["what a run has used so far could not be written down; it is tried again"] == caplog.messages
    assert "what another rank has left" in caplog.text
