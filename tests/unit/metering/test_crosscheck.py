"""A counter beside the power of the same hardware: the dead one gives way, the good one stays, both are compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed
from lightning_carbon.metering.crosscheck import EVERY_NS, FIRST_NS
from lightning_carbon.metering.probe import Probe
from lightning_carbon.sources.nvml.readings import share_of
from lightning_carbon.sources.shares import SharedCounter, SharedGauge, Split
from lightning_carbon.testing import ManualClock, ScriptedCounter, ScriptedGauge
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy, Power

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.ports import Source

GPU = Domain(Kind.GPU, "gpu:0", "GPU 0")
GAP_NS = 2 * NANOSECONDS_PER_SECOND


class World:
    """A probe of a GPU on a clock that the test moves.

    Args:
        joules: What its counter shows, by seconds.
        watts: What its power is, by seconds.
        provenance: What the second source says of itself.
        domain: What both are of.
    """

    def __init__(
        self,
        joules: Callable[[float], float],
        watts: Callable[[float], float] = lambda _: 300.0,
        provenance: Provenance = Provenance.INTEGRATED,
        domain: Domain = GPU,
    ) -> None:
        self.clock = ManualClock()
        self.counter = ScriptedCounter(self.clock, joules=joules, domain=domain, uncertainty_ratio=0.05)
        self.gauge = ScriptedGauge(self.clock, watts, domain=domain, provenance=provenance, uncertainty_ratio=0.1)
        self.powers = 0
        self.probe = Probe(self.counter, self.clock, GAP_NS, fallback=Counting(self))

    def run(self, seconds: float, every_seconds: float = 0.1) -> None:
        """Read at an even pace for so long."""
        for _ in range(round(seconds / every_seconds)):
            reading = self.probe.read()
            if reading is not None:
                self.probe.append(reading)
            self.clock.advance(seconds=every_seconds)

    def end(self) -> float:
        """End the run; its joules."""
        self.probe.timeline.close(self.clock.now_ns())
        return self.probe.timeline.between(0, self.clock.now_ns()).joules


class Counting:
    """The gauge of a world, which counts how often it is read."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.sensor = world.gauge.sensor

    def read_power(self) -> Power:
        """The power now."""
        self._world.powers += 1
        return self._world.gauge.read_power()


def ticking(seconds: float, watts: float = 300.0) -> float:
    """A counter that moves every 0.1 s."""
    return watts * int(seconds * 10 + 1e-6) / 10


def test_a_counter_that_is_right_stays() -> None:
    """Its energy is the record's, and the ratio of both says how well they agree."""
    world = World(ticking)
    world.run(20)

    assert world.probe.replaced is None
    assert world.probe.sensor.provenance is Provenance.COUNTER
    assert pytest.approx(1.0, abs=0.02) == world.probe.counter_to_power_ratio
    assert world.end() == pytest.approx(6_000, rel=0.01)


def test_a_counter_frozen_above_zero_gives_way_to_power() -> None:
    """300 W for 4 s under a count that stands at 77 J are 1,200 J, integrated, for a reason, with no gap."""
    world = World(lambda _: 77.0)
    world.run(4)
    world.probe.append(world.probe.read())  # type: ignore[arg-type]

    assert world.end() == pytest.approx(1_200, rel=0.001)
    assert world.probe.timeline.coverage_ratio(0, world.clock.now_ns()) == 1.0
    assert world.probe.replaced == "its count stood still for 1.0 s at 300 W"
    assert world.probe.sensor.provenance is Provenance.INTEGRATED
    assert pytest.approx(0.1) == world.probe.sensor.uncertainty_ratio
    assert GPU == world.probe.sensor.domain
    assert world.probe.is_measured_gauge
    assert world.probe.lost is None


@pytest.mark.parametrize("freezes_at", [3.0, 61.3, 200.0])
def test_a_counter_that_freezes_in_mid_run_gives_way_to_power(freezes_at: float) -> None:
    """What it counted before stays, what the power says after adds to it, and no moment between is uncovered."""
    world = World(lambda seconds: 1_000 + ticking(min(seconds, freezes_at)))
    world.run(freezes_at + 10)
    seconds = world.clock.now_ns() / NANOSECONDS_PER_SECOND

    assert world.probe.replaced is not None
    assert "stood still for 1.0 s at 300 W" in world.probe.replaced
    assert world.end() == pytest.approx(300 * seconds, abs=31)
    assert world.probe.timeline.coverage_ratio(0, world.clock.now_ns()) > 1 - 0.101 / seconds


def test_a_counter_may_stand_still_where_there_is_no_power() -> None:
    """Hardware that draws nothing counts nothing, for as long as it likes."""
    world = World(lambda seconds: ticking(min(seconds, 3.0)), lambda seconds: 300.0 if seconds < 3 else 0.2)
    world.run(20)

    assert world.probe.replaced is None
    assert world.end() == pytest.approx(900, rel=0.05)
    assert world.probe.timeline.coverage_ratio(0, 15 * NANOSECONDS_PER_SECOND) == 1.0


@pytest.mark.parametrize("factor", [0.001, 0.4, 2.5, 5.0])
def test_a_counter_in_another_unit_gives_way_to_power(factor: float) -> None:
    """One that counts another amount than power adds up to, twice in a row, is none; the ratio says by how much."""
    world = World(lambda seconds: ticking(seconds, 300.0 * factor))
    world.run(20)

    assert world.probe.replaced is not None
    assert f"it counted {factor:.2g} times what power adds up to" == world.probe.replaced
    assert pytest.approx(factor, rel=0.05) == world.probe.counter_to_power_ratio
    assert world.probe.sensor.provenance is Provenance.INTEGRATED


@pytest.mark.parametrize("factor", [0.6, 1.8])
def test_a_counter_that_differs_a_little_stays(factor: float) -> None:
    """Which of the two is right nobody can tell; the record has the ratio."""
    world = World(lambda seconds: ticking(seconds, 300.0 * factor))
    world.run(20)

    assert world.probe.replaced is None
    assert pytest.approx(factor, rel=0.05) == world.probe.counter_to_power_ratio


def test_power_is_read_now_and_then() -> None:
    """In the first seconds, for as long every two minutes, and once a second meanwhile, to take over without a gap."""
    world = World(ticking)
    world.run(FIRST_NS / NANOSECONDS_PER_SECOND)
    first = world.powers
    world.run(EVERY_NS / NANOSECONDS_PER_SECOND - 10)
    later = world.powers
    world.run(20)

    assert first == 50
    assert 105 <= later - first <= 111
    assert 45 + 10 <= world.powers - later <= 51 + 16


def test_a_modelled_second_source_takes_over_from_a_counter_that_never_moves() -> None:
    """Memory whose counter stands from the start is modelled, whatever the model says it draws."""
    world = World(lambda _: 0.0, lambda _: 0.5, Provenance.MODELLED)
    world.run(4)
    world.probe.append(world.probe.read())  # type: ignore[arg-type]

    assert world.probe.replaced == "its count has not moved in the first 1.0 s"
    assert world.probe.sensor.provenance is Provenance.MODELLED
    assert not world.probe.is_measured_gauge
    assert world.probe.counter_to_power_ratio is None
    assert world.end() == pytest.approx(2.0, rel=0.001)


def test_a_model_says_nothing_about_a_counter_that_moves() -> None:
    """However far apart they are, and however long it stands later, and the model is not asked any more."""
    world = World(lambda seconds: ticking(min(seconds, 2.0), 3.0), lambda _: 500.0, Provenance.MODELLED)
    world.run(130)

    assert (None, None) == (world.probe.replaced, world.probe.counter_to_power_ratio)
    assert world.powers <= 2
    assert world.end() == pytest.approx(6.0, rel=0.05)


def test_a_second_source_that_is_gone_says_nothing() -> None:
    """A counter whose gauge fails is read as one without a gauge."""
    world = World(lambda _: 77.0)
    world.gauge.fails_with = ReadFailed("not supported")
    world.run(6)

    assert (None, None, None) == (world.probe.replaced, world.probe.lost, world.probe.counter_to_power_ratio)
    assert world.end() == 0.0


def test_a_counter_that_runs_backwards_gives_way_to_power() -> None:
    """Where there is a second source, no sensor is lost."""
    world = World(lambda seconds: 5_000 - ticking(seconds))
    world.run(6)

    assert (None, "its count runs backwards") == (world.probe.lost, world.probe.replaced)
    assert world.end() == pytest.approx(1_800, rel=0.03)


def finder(answers: list[Source | Exception]) -> Callable[[], Source]:
    """Gives one answer after the other."""

    def find() -> Source:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return find


def test_a_counter_that_did_not_answer_at_first_takes_over() -> None:
    """A model stands in for half a second, and the energy is the counter's from then on; no time is missing."""
    clock = ManualClock()
    model = ScriptedGauge(clock, lambda _: 100.0, domain=GPU, provenance=Provenance.MODELLED, uncertainty_ratio=0.5)
    counter = ScriptedCounter(clock, joules=ticking, domain=GPU, uncertainty_ratio=0.05)
    find = finder([ReadFailed("it stands at zero"), counter])
    probe = Probe(model, clock, GAP_NS, later=find)
    for _ in range(200):
        reading = probe.read()
        assert reading is not None
        probe.append(reading)
        clock.advance(seconds=0.02)
    probe.timeline.close(clock.now_ns())

    assert probe.replaced == "the better sensor, which had no answer at first, has one now"
    assert (Provenance.COUNTER, 0.05) == (probe.sensor.provenance, probe.sensor.uncertainty_ratio)
    assert probe.timeline.between(0, clock.now_ns()).joules == pytest.approx(0.5 * 100 + 3.5 * 300, abs=40)
    assert probe.timeline.coverage_ratio(0, clock.now_ns()) == pytest.approx(1.0, abs=0.01)


def test_a_counter_that_took_over_is_watched_in_its_turn() -> None:
    """One that answers late, and never moves, gives way again to what was there before it."""
    clock = ManualClock()
    gauge = ScriptedGauge(clock, lambda _: 300.0, domain=GPU)
    counter = ScriptedCounter(clock, joules=lambda _: 77.0, domain=GPU)
    probe = Probe(gauge, clock, GAP_NS, later=lambda: counter)
    for _ in range(61):
        probe.append(probe.read())  # type: ignore[arg-type]
        clock.advance(seconds=0.1)

    assert probe.replaced == "its count stood still for 1.0 s at 300 W"
    assert probe.timeline.between(0, 6 * NANOSECONDS_PER_SECOND).joules == pytest.approx(1_800)
    assert probe.timeline.coverage_ratio(0, 6 * NANOSECONDS_PER_SECOND) == 1.0


def test_a_share_of_a_counter_may_stand_still() -> None:
    """It rises with its job alone, so that nothing can be concluded from it."""
    clock = ManualClock()
    share = ScriptedCounter(clock, joules=lambda _: 77.0, domain=GPU, provenance=Provenance.MODELLED)
    probe = Probe(share, clock, GAP_NS, fallback=ScriptedGauge(clock, lambda _: 300.0, domain=GPU))
    for _ in range(50):
        probe.append(probe.read())  # type: ignore[arg-type]
        clock.advance(seconds=0.1)

    assert (None, None) == (probe.replaced, probe.lost)


def test_a_better_sensor_that_never_answers_is_not_asked_for_ever() -> None:
    """After the first seconds it is left at the model."""
    clock = ManualClock()
    tries: list[Source | Exception] = [ReadFailed("not supported")] * 20
    model = ScriptedGauge(clock, lambda _: 100.0, domain=GPU, provenance=Provenance.MODELLED)
    probe = Probe(model, clock, GAP_NS, later=finder(tries))
    for _ in range(100):
        probe.append(probe.read())  # type: ignore[arg-type]
        clock.advance(seconds=0.1)

    assert 15 == len(tries)
    assert probe.replaced is None
    assert probe.timeline.between(0, 5 * NANOSECONDS_PER_SECOND) == Energy.from_joules(500)


def test_a_better_sensor_that_cannot_be_read_is_no_better() -> None:
    """It must have answered before it takes over."""
    clock = ManualClock()
    counter = ScriptedCounter(clock, joules=ticking, domain=GPU)
    counter.fails_with = ReadFailed("not now")
    model = ScriptedGauge(clock, lambda _: 100.0, domain=GPU, provenance=Provenance.MODELLED)
    probe = Probe(model, clock, GAP_NS, later=lambda: counter)
    for tick in range(60):
        if tick == 15:
            counter.fails_with = None
        probe.append(probe.read())  # type: ignore[arg-type]
        clock.advance(seconds=0.1)

    assert probe.replaced_at_ns == pytest.approx(2 * NANOSECONDS_PER_SECOND, rel=0.05)
    assert Sensor is type(probe.sensor)


PACKAGE = Domain(Kind.PACKAGE, "package:0", "CPU package 0")
DRAM = Domain(Kind.DRAM, "dram:0", "memory of package 0")


@pytest.mark.parametrize("domain", [PACKAGE, DRAM], ids=["package", "memory"])
@pytest.mark.parametrize("freezes_at", [1.3, 7.7, 125.0])
def test_a_count_of_a_host_that_freezes_in_mid_run_gives_way_to_the_model(domain: Domain, freezes_at: float) -> None:
    """A package at 90 W until its count stops, then the model's 60 W: no gap, a reason, and the ratio of both."""
    world = World(lambda seconds: 90 * min(seconds, freezes_at), lambda _: 60.0, Provenance.MODELLED, domain)
    world.run(freezes_at + 6)
    seconds = world.clock.now_ns() / NANOSECONDS_PER_SECOND

    assert world.probe.replaced is not None
    assert re.fullmatch(r"its count stood still for 3\.[01] s, as none does that is powered", world.probe.replaced)
    assert Provenance.MODELLED is world.probe.sensor.provenance
    assert world.end() == pytest.approx(90 * freezes_at + 60 * (seconds - freezes_at), abs=9.1)
    assert world.probe.timeline.coverage_ratio(0, world.clock.now_ns()) > 1 - 0.101 / seconds
    assert freezes_at < 3 or world.probe.counter_to_power_ratio == pytest.approx(1.5, rel=0.1)


def test_a_count_of_a_package_that_stands_above_zero_from_the_start_gives_way_to_the_model() -> None:
    """After three seconds rather than one, since some virtual machines count once a second; all of it is modelled."""
    world = World(lambda _: 4_321.0, lambda _: 60.0, Provenance.MODELLED, PACKAGE)
    world.run(5.05)
    world.probe.append(world.probe.read())  # type: ignore[arg-type]

    assert world.probe.replaced == "its count has not moved in the first 3.0 s"
    assert world.end() == pytest.approx(60 * world.clock.now_ns() / NANOSECONDS_PER_SECOND, rel=1e-6)
    assert world.probe.timeline.coverage_ratio(0, world.clock.now_ns()) == 1.0


@pytest.mark.parametrize(
    "joules",
    [lambda seconds: 0.3 * seconds, lambda seconds: 40.0 * int(seconds), lambda seconds: 1e-4 * int(seconds / 2.5)],
    ids=["nearly idle", "a virtual machine's", "hardly ever"],
)
def test_an_idle_package_is_no_dead_one(joules: Callable[[float], float]) -> None:
    """Whatever little it draws moves its count, and one that moves within three seconds stays."""
    world = World(joules, lambda _: 60.0, Provenance.MODELLED, PACKAGE)
    world.run(30)

    assert (None, None) == (world.probe.replaced, world.probe.counter_to_power_ratio)
    assert world.end() == pytest.approx(joules(29.9), abs=41)


def test_a_suspended_machine_has_no_dead_counter() -> None:
    """Nothing was read for a minute, and the count has moved: not a second of standing still."""
    world = World(lambda seconds: 90 * seconds, lambda _: 60.0, Provenance.MODELLED, PACKAGE)
    world.run(5)
    world.clock.advance(seconds=60)
    world.run(5)

    assert world.probe.replaced is None


class Quarter:
    """Splits a device: a quarter of it is the job's while that computes."""

    def __init__(self, clock: ManualClock, computes: Callable[[float], bool] = lambda _: True) -> None:
        self._clock, self._computes = clock, computes
        self._part = self._whole = 0

    def read(self) -> Split:
        """One more part of four."""
        self._whole += 4
        self._part += self._computes((self._clock.now_ns()) / NANOSECONDS_PER_SECOND)
        return Split(self._part, self._whole)


def a_quarter(
    joules: Callable[[float], float], computes: Callable[[float], bool] = lambda _: True
) -> tuple[Probe, ManualClock]:
    """A probe of a job's share of a GPU that draws 300 W."""
    clock = ManualClock()
    splitting = Quarter(clock, computes)
    counter = ScriptedCounter(clock, joules=joules, domain=GPU)
    gauge = ScriptedGauge(clock, lambda _: 300.0, domain=GPU)
    shared = [Sensor(GPU, Provenance.MODELLED, 0.5, f"a share of {name}") for name in ("the count", "the power")]
    share = SharedCounter(counter, splitting, shared[0], now_ns=clock.now_ns)
    fallback = SharedGauge(gauge, splitting, shared[1], first=Split(1, 4))
    return Probe(share, clock, GAP_NS, fallback=fallback), clock


def run(probe: Probe, clock: ManualClock, seconds: float) -> float:
    """Read at an even pace for so long, and end; its joules."""
    for _ in range(round(seconds * 10)):
        reading = probe.read()
        if reading is not None:
            probe.append(reading)
        clock.advance(seconds=0.1)
    probe.timeline.close(clock.now_ns())
    return probe.timeline.between(0, clock.now_ns()).joules


def test_a_share_is_checked_on_the_whole() -> None:
    """A quarter of a right counter stays, and the ratio is that of the device, not of the share."""
    probe, clock = a_quarter(ticking)

    assert run(probe, clock, 20) == pytest.approx(1_500, rel=0.02)
    assert probe.replaced is None
    assert probe.counter_to_power_ratio == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("freezes_at", [0.0, 3.0, 61.3])
def test_a_share_of_a_counter_that_freezes_gives_way_to_the_share_of_power(freezes_at: float) -> None:
    """A quarter of what it counted before, and a quarter of the power after, without a gap."""
    probe, clock = a_quarter(lambda seconds: 1_000 + ticking(min(seconds, freezes_at)))
    joules = run(probe, clock, freezes_at + 10)
    seconds = clock.now_ns() / NANOSECONDS_PER_SECOND

    assert probe.replaced is not None
    assert re.fullmatch(r"its count stood still for 1\.[01] s at 300 W", probe.replaced)
    assert probe.sensor.method == "a share of the power"
    assert joules == pytest.approx(75 * seconds, abs=16)
    assert probe.timeline.coverage_ratio(0, clock.now_ns()) > 1 - 0.201 / seconds


def test_a_job_that_waits_has_no_dead_counter() -> None:
    """Its share stands still for ten seconds, while the whole moves on."""
    probe, clock = a_quarter(ticking, lambda seconds: not 5 <= seconds < 15)

    assert run(probe, clock, 20) == pytest.approx(75 * 10, abs=16)
    assert probe.replaced is None


def test_a_slice_of_a_gpu_whose_counter_is_dead_gives_way_to_its_part_of_the_power() -> None:
    """Two sevenths of 300 W, in place of two sevenths of a count that stands."""
    clock = ManualClock()
    part = Domain(Kind.GPU, "gpu:MIG-0", "a slice")
    counter, gauge = ScriptedCounter(clock, joules=lambda _: 77.0, domain=GPU), ScriptedGauge(clock, lambda _: 300.0)
    share, fallback = (
        share_of(whole, part, (2, 7), uncertainty_ratio=0.5, method="2 of 7 of") for whole in (counter, gauge)
    )
    probe = Probe(share, clock, GAP_NS, fallback=fallback)
    joules = run(probe, clock, 5)

    assert probe.replaced == "its count stood still for 1.0 s at 300 W"
    assert joules == pytest.approx(300 * 2 / 7 * 4.9, rel=0.01)
    assert part == probe.sensor.domain


def test_a_share_of_a_dead_package_gives_way_to_the_model() -> None:
    """Which is the job's own already."""
    clock = ManualClock()
    counter = ScriptedCounter(clock, joules=lambda seconds: 90 * min(seconds, 5.0), domain=PACKAGE)
    share = SharedCounter(
        counter, Quarter(clock), Sensor(PACKAGE, Provenance.MODELLED, 0.6, "a share"), now_ns=clock.now_ns
    )
    model = ScriptedCounter(clock, joules=lambda seconds: 20 * seconds, domain=PACKAGE, provenance=Provenance.MODELLED)
    probe = Probe(share, clock, GAP_NS, fallback=model)
    joules = run(probe, clock, 12)

    assert probe.replaced is not None
    assert "as none does that is powered" in probe.replaced
    assert joules == pytest.approx(5 * 90 / 4 + 6.9 * 20, abs=5)
