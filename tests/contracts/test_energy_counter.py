"""What holds for everything that counts energy; see :class:`lightning_carbon.ports.EnergyCounter`.

A new adapter is held to it by a line in ``SUBJECTS``.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.ports import EnergyCounter, PowerGauge
from lightning_carbon.sources import apple, gaudi
from lightning_carbon.sources.host import model as host_model
from lightning_carbon.sources.host import rapl
from lightning_carbon.sources.host.cpu_share import CpuShare, share
from lightning_carbon.sources.hwmon import discovery as hwmon
from lightning_carbon.sources.replay import replay
from lightning_carbon.sources.simulated import SimulatedCounter, SimulatedGPU, Sine
from lightning_carbon.testing import ManualClock, ScriptedCounter
from lightning_carbon.units import Energy
from tests.makers.libraries import Apple, Gaudi
from tests.powercap import PowercapTree
from tests.worlds import write_world


@dataclass
class Subject:
    """A counter under test, and how its world goes on.

    Args:
        counter: The counter.
        go_on: Lets some energy be spent.
        fail: Makes the next reading fail, for adapters where that can be done.
    """

    counter: EnergyCounter
    go_on: Callable[[], object]
    fail: Callable[[], object] | None = None


def _rapl(folder: Path) -> Subject:
    zone = PowercapTree(folder / "sys").add("intel-rapl:0", "package-0", joules=999, range_microjoules=1_000_000_000)
    joules = [999.0]

    def go_on() -> None:
        joules[0] += 0.25
        zone.set_joules(joules[0])

    (finding,) = rapl.discover(folder / "sys" / "class" / "powercap")
    return Subject(_counter(finding.port), go_on, lambda: (zone.path / "energy_uj").write_text("garbage"))


def _apple(_: Path) -> Subject:
    library = Apple()
    gpu, *_others = apple.discover("darwin", library.load, lambda: library.looks)

    def go_on() -> None:
        library.counts["gpu_mj"] = (library.counts["gpu_mj"] or 0) + 250

    return Subject(_counter(gpu.port), go_on, lambda: setattr(library, "error", RuntimeError("no channel")))


def _gaudi(_: Path) -> Subject:
    library = Gaudi()
    [finding] = gaudi.discover(0, library.load)
    card = library.cards[0]

    def go_on() -> None:
        card.millijoules += 250

    return Subject(_counter(finding.port), go_on, lambda: setattr(card, "error", OSError("device lost")))


def _hwmon(folder: Path) -> Subject:
    root = write_world("intel", folder)
    (finding,) = hwmon.discover((1,), {}, root).accelerators
    count = next(root.glob("sys/devices/pci0000:80/*/hwmon/*/energy1_input"))
    joules = [9912.0]

    def go_on() -> None:
        joules[0] += 0.25
        count.write_text(f"{joules[0] * 1e6:.0f}")

    return Subject(_counter(finding.port), go_on, lambda: count.write_text("garbage"))


def _shared(folder: Path) -> Subject:
    whole = _rapl(folder)
    seconds = [0.0, 0.0, 0.0]
    splitting = CpuShare(lambda: seconds[0], lambda: seconds[1], 4, now_seconds=lambda: seconds[2])
    (finding,) = share(rapl.discover(folder / "sys" / "class" / "powercap"), splitting, "by hand")

    def go_on() -> None:
        whole.go_on()
        seconds[:] = [seconds[0] + 0.1, seconds[1] + 0.3, seconds[2] + 60]

    return Subject(_counter(finding.port), go_on, whole.fail)


def _host_model(scope: Literal["process", "machine"]) -> Subject:
    (finding,) = host_model.discover({}, dram=False, cpu_scope=scope)
    return Subject(_counter(finding.port), lambda: sum(range(100_000)))


def _replay(_folder: Path) -> Subject:
    clock = ManualClock()
    lines = ["t_seconds,domain,kind,name,joules,watts\n", *(f"{n},gpu:0,gpu,GPU,{n * n},\n" for n in range(100))]
    (counter,) = replay(lines, clock)
    counter = _counter(counter)
    counter.read_energy()

    def fail() -> None:
        clock.advance(seconds=200)
        counter.read_energy()

    return Subject(counter, lambda: clock.advance(seconds=0.3), fail)


def _simulated(_folder: Path) -> Subject:
    clock = ManualClock()
    counter = SimulatedCounter(clock, Sine(200, 200, 1), tick_seconds=0.1, wraps_at=Energy.from_joules(500))
    return Subject(counter, lambda: clock.advance(seconds=0.03))


def _scripted(_folder: Path) -> Subject:
    clock = ManualClock()
    counter = ScriptedCounter(clock, watts=lambda seconds: seconds)

    def fail() -> None:
        counter.fails_with = ReadFailed("as the script says")

    return Subject(counter, lambda: clock.advance(seconds=0.03), fail)


def _counter(port: object) -> EnergyCounter:
    assert isinstance(port, EnergyCounter)
    return port


SUBJECTS: dict[str, Callable[[Path], Subject]] = {
    "apple": _apple,
    "gaudi": _gaudi,
    "rapl": _rapl,
    "hwmon": _hwmon,
    "share of rapl": _shared,
    "host_model of a process": lambda _folder: _host_model("process"),
    "host_model of the machine": lambda _folder: _host_model("machine"),
    "replay": _replay,
    "simulated": _simulated,
    "simulated GPU": lambda _folder: Subject(SimulatedGPU(tick_seconds=0.001), lambda: sum(range(10_000))),
    "scripted": _scripted,
}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """Each adapter in turn."""
    return SUBJECTS[request.param](tmp_path)


def test_it_is_a_counter_and_no_gauge(subject: Subject) -> None:
    """A source is one or the other, as they integrate differently."""
    assert isinstance(subject.counter, EnergyCounter)
    assert not isinstance(subject.counter, PowerGauge)


def test_its_sensor_is_known_at_once_and_stays(subject: Subject) -> None:
    """What it says of itself does not change by reading."""
    before = subject.counter.sensor
    subject.counter.read_energy()
    subject.go_on()

    assert before == subject.counter.sensor


def test_its_sensor_makes_sense(subject: Subject) -> None:
    """The id starts with the kind, there are words for people, the range is a share, and a wrap is above zero."""
    sensor = subject.counter.sensor
    kind, colon, rest = sensor.domain.id.partition(":")

    assert (sensor.domain.kind.value, ":", True) == (kind, colon, bool(rest))
    assert all([sensor.domain.name, sensor.method])
    assert sensor.domain.parent != sensor.domain.id
    assert 0.0 <= sensor.uncertainty_ratio <= 1.0
    assert sensor.wraps_at is None or sensor.wraps_at > Energy.ZERO


def test_it_never_counts_backwards(subject: Subject) -> None:
    """Readings rise or hold, and fall only by wrapping where the sensor says, with a small step either way."""
    limit = subject.counter.sensor.wraps_at
    readings = []
    for _ in range(200):
        readings.append(subject.counter.read_energy())
        subject.go_on()
    for before, after in itertools.pairwise(readings):
        if after < before:
            assert limit is not None
            assert after + limit - before < Energy(limit.microjoules // 2)

    assert all(reading >= Energy.ZERO and (limit is None or reading <= limit) for reading in readings)
    assert len(set(readings)) > 1


def test_it_can_be_read_on_any_thread(subject: Subject) -> None:
    """The sampler's thread is not the one that made the source."""
    readings: list[Energy] = []
    thread = threading.Thread(target=lambda: readings.append(subject.counter.read_energy()))
    thread.start()
    thread.join()

    assert [Energy] == [type(reading) for reading in readings]


@pytest.mark.parametrize("name", ["rapl", "share of rapl", "replay", "scripted"])
def test_it_fails_by_the_port_s_errors_only(name: str, tmp_path: Path) -> None:
    """Trouble, where it can be made, is a failed reading or a lost source."""
    subject = SUBJECTS[name](tmp_path)
    assert subject.fail is not None
    subject.fail()
    with pytest.raises((ReadFailed, SourceLost)):
        subject.counter.read_energy()
