"""The ports: what stands for a sensor, a clock or a store is told by what it can do."""

from __future__ import annotations

import pytest

from lightning_carbon.ports import Clock, ClockUse, EnergyCounter, Finding, LineSink, PowerGauge, RunStore
from lightning_carbon.testing import ManualClock, MemoryLines, MemoryRunStore, ScriptedCounter, ScriptedGauge


def test_counters_and_gauges_are_told_apart_while_running() -> None:
    """A list of sources given by a user is sorted by the one method in which they differ."""
    clock = ManualClock()
    counter, gauge = ScriptedCounter(clock), ScriptedGauge(clock, lambda _seconds: 1.0)

    assert (True, False) == (isinstance(counter, EnergyCounter), isinstance(counter, PowerGauge))
    assert (False, True) == (isinstance(gauge, EnergyCounter), isinstance(gauge, PowerGauge))
    assert not isinstance("nvml", EnergyCounter | PowerGauge)


def test_the_public_fakes_fit_their_ports() -> None:
    """A user's tests can put them wherever the meter asks for the world."""
    assert isinstance(ManualClock(), Clock)
    assert isinstance(MemoryRunStore(), RunStore)
    assert isinstance(MemoryLines(), LineSink)


def test_a_finding_without_a_port_is_an_absence() -> None:
    """What was tried and cannot be used carries no source, and needs no remark."""
    finding = Finding("rapl", "package 0")

    assert finding.port is None
    assert (finding.reason, finding.fix) == ("", "")


@pytest.mark.parametrize(
    ("device_marks", "host_marks", "clock"), [(0, 0, None), (3, 0, "device"), (0, 3, "host"), (1, 1, "mixed")]
)
def test_the_clock_of_a_run_is_that_of_its_marks(device_marks: int, host_marks: int, clock: str | None) -> None:
    """It is the device's only where it told every mark."""
    assert clock == ClockUse(device_marks, host_marks).clock
