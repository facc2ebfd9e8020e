"""What holds for everything that shows the condition of a device; see :class:`lightning_carbon.ports.DeviceGauges`.

A new adapter is held to it by a line in ``SUBJECTS``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lightning_carbon.energy.condition import PLAUSIBLE, Condition, Gauge, Throttle
from lightning_carbon.errors import ReadFailed, SourceError
from lightning_carbon.ports import DeviceGauges
from lightning_carbon.sources import nvml
from lightning_carbon.sources.hwmon import discovery as hwmon
from lightning_carbon.sources.simulated import GaugedGPU
from lightning_carbon.testing import ManualClock
from tests.nvml_standin import Gpu, Scenario, Standin
from tests.worlds import write_world

FULL = Condition(0.5, 1_980.0, 2_619.0, 55.0, float(40 << 30), 700.0, frozenset({Throttle.HEAT}))


@dataclass
class Subject:
    """Gauges under test.

    Args:
        gauges: The gauges.
        told: The figures that they show.
        spoil: Makes every figure impossible or unreadable, and gives the gauges that show them.
    """

    gauges: DeviceGauges
    told: Condition
    spoil: Callable[[], DeviceGauges]


@contextmanager
def _nvml(_folder: Path, standin: Standin) -> Iterator[Subject]:
    hostile = Gpu(celsius=0xFFFFFFFF, utilization=0xFFFFFFFF, sm_megahertz=0, memory_megahertz=0xFFFFFFFF)
    hostile = replace(hostile, memory_used_bytes=2**64 - 1, limit_milliwatts=0xFFFFFFFF, event_reasons=2**64 - 1)
    with standin.showing(Scenario.of(Gpu(event_reasons=0x20), hostile)):
        gauges, spoilt = (finding.gauges for finding in nvml.discover("all"))
        assert gauges is not None
        assert spoilt is not None
        yield Subject(gauges, FULL, lambda: spoilt)


@contextmanager
def _hwmon(folder: Path, _standin: Standin) -> Iterator[Subject]:
    root = write_world("amd", folder)
    [gauges] = [finding.gauges for finding in hwmon.discover((0,), {}, root).accelerators if finding.gauges]
    files = [path for path in root.glob("sys/devices/pci0000:00/0000:31:00.0/**/*") if path.name in HWMON_FILES]
    told = Condition(0.97, 1_700.0, 1_600.0, 71.0, float(1 << 36), 560.0)

    def spoil() -> DeviceGauges:
        for path in files:
            path.write_text("-5000000000000\n")
        return gauges

    yield Subject(gauges, told, spoil)


HWMON_FILES = {
    *("temp1_input", "temp2_input", "freq1_input", "freq2_input", "power1_cap", "gpu_busy_percent"),
    "mem_info_vram_used",
}


@contextmanager
def _simulated(_folder: Path, _standin: Standin) -> Iterator[Subject]:
    shown = [FULL]

    def condition(_seconds: float) -> Condition:
        if not shown:
            raise ReadFailed("as the test says")
        return shown[0]

    gpu = GaugedGPU(ManualClock(), condition=condition)

    def spoil() -> DeviceGauges:
        shown.clear()
        return gpu

    yield Subject(gpu, FULL, spoil)


SUBJECTS = {"nvml": _nvml, "hwmon": _hwmon, "simulated": _simulated}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path, nvml_standin: Standin) -> Iterator[Subject]:
    """Each adapter in turn."""
    with SUBJECTS[request.param](tmp_path, nvml_standin) as made:
        yield made


def test_they_show_what_the_device_tells(subject: Subject) -> None:
    """Every figure is there, in the unit of its name."""
    assert isinstance(subject.gauges, DeviceGauges)
    assert subject.told == subject.gauges.read_condition()


def test_their_figures_are_plausible(subject: Subject) -> None:
    """None lies where no device can be."""
    figures = subject.gauges.read_condition().figures()

    assert set(Gauge) == set(figures)
    assert all(PLAUSIBLE[gauge][0] <= value <= PLAUSIBLE[gauge][1] for gauge, value in figures.items())


def test_they_can_be_read_on_any_thread(subject: Subject) -> None:
    """The sampler's thread is not the one that made them."""
    found: list[Condition] = []
    thread = threading.Thread(target=lambda: found.append(subject.gauges.read_condition()))
    thread.start()
    thread.join()

    assert [subject.told] == found


def test_what_fails_or_cannot_be_is_absent(subject: Subject) -> None:
    """A figure that the device no longer tells is not the last that it told; trouble is the port's errors only."""
    subject.gauges.read_condition()
    spoilt = subject.spoil()
    try:
        found = spoilt.read_condition()
    except SourceError:
        return

    assert ({}, True) == (found.figures(), not found.throttled)
