"""What holds for everything that shows power; see :class:`lightning_carbon.ports.PowerGauge`.

A new adapter is held to it by a line in ``SUBJECTS``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.ports import EnergyCounter, PowerGauge
from lightning_carbon.sources import gaudi
from lightning_carbon.sources.host import model as host_model
from lightning_carbon.sources.hwmon import discovery as hwmon
from lightning_carbon.sources.rated import modelled
from lightning_carbon.sources.replay import replay
from lightning_carbon.sources.shares import SharedGauge, Split
from lightning_carbon.sources.simulated import Saw, SimulatedGauge
from lightning_carbon.testing import ManualClock, ScriptedGauge
from lightning_carbon.units import Power
from tests.makers.libraries import Card, Gaudi
from tests.worlds import write_world


@dataclass
class Subject:
    """A gauge under test, and how its world goes on.

    Args:
        gauge: The gauge.
        go_on: Lets time pass.
        fail: Makes the next reading fail, for adapters where that can be done.
    """

    gauge: PowerGauge
    go_on: Callable[[], object]
    fail: Callable[[], object] | None = None


def _host_model(scope: Literal["process", "machine"]) -> Subject:
    (finding,) = host_model.discover({}, cpu=False, cpu_scope=scope)
    return Subject(_gauge(finding.port), lambda: sum(range(1000)))


def _replay() -> Subject:
    clock = ManualClock()
    lines = ["t_seconds,domain,kind,name,joules,watts\n", *(f"{n},gpu:0,gpu,GPU,,{n}\n" for n in range(100))]
    (gauge,) = replay(lines, clock)
    gauge = _gauge(gauge)
    gauge.read_power()

    def fail() -> None:
        clock.advance(seconds=200)
        gauge.read_power()

    return Subject(gauge, lambda: clock.advance(seconds=0.3), fail)


def _simulated() -> Subject:
    clock = ManualClock()
    return Subject(SimulatedGauge(clock, Saw(0, 400, 1)), lambda: clock.advance(seconds=0.3))


def _gaudi() -> Subject:
    library = Gaudi([Card(millijoules=0)])
    [finding] = gaudi.discover(0, library.load)
    card = library.cards[0]

    def go_on() -> None:
        card.milliwatts += 1

    return Subject(_gauge(finding.port), go_on, lambda: setattr(card, "error", OSError("device lost")))


def _rated() -> Subject:
    finding = modelled("xla")
    assert finding is not None
    return Subject(_gauge(finding.port), lambda: None)


def _scripted() -> Subject:
    clock = ManualClock()
    gauge = ScriptedGauge(clock, lambda seconds: 100 * seconds)

    def fail() -> None:
        gauge.fails_with = SourceLost("as the script says")

    return Subject(gauge, lambda: clock.advance(seconds=0.3), fail)


def _hwmon(folder: Path) -> Subject:
    root = write_world("bmc", folder)
    power = next(root.glob("sys/devices/LNXSYSTM:00/*/power1_average"))
    (finding,) = hwmon.discover((), {}, root).machine
    watts = [412]

    def go_on() -> None:
        watts[0] += 1
        power.write_text(f"{watts[0] * 1_000_000}\n")

    return Subject(_gauge(finding.port), go_on, lambda: power.write_text("garbage"))


class _Halves:
    """A splitting by which everything is done in equal parts."""

    def __init__(self) -> None:
        self.done = 0

    def read(self) -> Split:
        """A little more each time."""
        self.done += 1
        return Split(self.done, 2 * self.done)


def _shared() -> Subject:
    whole = _scripted()
    return Subject(SharedGauge(whole.gauge, _Halves(), whole.gauge.sensor, first=Split(1, 2)), whole.go_on, whole.fail)


def _gauge(port: object) -> PowerGauge:
    assert isinstance(port, PowerGauge)
    return port


SUBJECTS: dict[str, Callable[[Path], Subject]] = {
    "host_model of a process": lambda _folder: _host_model("process"),
    "host_model of the machine": lambda _folder: _host_model("machine"),
    "gaudi": lambda _folder: _gaudi(),
    "hwmon": _hwmon,
    "rated": lambda _folder: _rated(),
    "replay": lambda _folder: _replay(),
    "simulated": lambda _folder: _simulated(),
    "scripted": lambda _folder: _scripted(),
    "share": lambda _folder: _shared(),
}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """Each adapter in turn."""
    return SUBJECTS[request.param](tmp_path)


def test_it_is_a_gauge_and_no_counter(subject: Subject) -> None:
    """A source is one or the other, as they integrate differently."""
    assert isinstance(subject.gauge, PowerGauge)
    assert not isinstance(subject.gauge, EnergyCounter)


def test_its_sensor_is_known_at_once_and_stays(subject: Subject) -> None:
    """What it says of itself does not change by reading."""
    before = subject.gauge.sensor
    subject.gauge.read_power()
    subject.go_on()

    assert before == subject.gauge.sensor


def test_its_sensor_makes_sense(subject: Subject) -> None:
    """The id starts with the kind, there are words for people, the range is a share, and nothing wraps."""
    sensor = subject.gauge.sensor
    kind, colon, rest = sensor.domain.id.partition(":")

    assert (sensor.domain.kind.value, ":", True) == (kind, colon, bool(rest))
    assert all([sensor.domain.name, sensor.method])
    assert sensor.domain.parent != sensor.domain.id
    assert 0.0 <= sensor.uncertainty_ratio <= 1.0
    assert sensor.wraps_at is None


def test_its_power_is_finite_and_never_negative(subject: Subject) -> None:
    """Every reading is a power that something can have."""
    readings = []
    for _ in range(50):
        readings.append(subject.gauge.read_power())
        subject.go_on()

    assert all(0.0 <= reading.watts < float("inf") for reading in readings)
    assert max(readings) > Power(0.0)


def test_it_can_be_read_on_any_thread(subject: Subject) -> None:
    """The sampler's thread is not the one that made the source."""
    readings: list[Power] = []
    thread = threading.Thread(target=lambda: readings.append(subject.gauge.read_power()))
    thread.start()
    thread.join()

    assert [Power] == [type(reading) for reading in readings]


@pytest.mark.parametrize("name", ["hwmon", "replay", "scripted"])
def test_it_fails_by_the_port_s_errors_only(name: str, tmp_path: Path) -> None:
    """Trouble, where it can be made, is a failed reading or a lost source."""
    subject = SUBJECTS[name](tmp_path)
    assert subject.fail is not None
    subject.fail()
    with pytest.raises((ReadFailed, SourceLost)):
        subject.gauge.read_power()
