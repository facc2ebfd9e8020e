"""The arithmetic of the host model, without a host."""

from __future__ import annotations

from functools import partial

import pytest

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.energy.readings import Domain, Kind, Provenance
from lightning_carbon.errors import SourceLost
from lightning_carbon.sources.host.constants import DRAM_WATTS_PER_GIGABYTE
from lightning_carbon.sources.host.model import IdleShare, ModelledCpu, ModelledMemory
from lightning_carbon.units import Power

CPU = Domain(Kind.PACKAGE, "package:host-model", "CPU")
DRAM = Domain(Kind.DRAM, "dram:host-model", "memory")
HALF = Accuracy(0.5, 0.5)


def gone() -> int:
    """What a tree says whose processes are gone."""
    raise ProcessLookupError("process 1 and its descendants are gone")


def test_processor_time_costs_its_power() -> None:
    """Ten busy seconds at 4 W and thirty idle ones at half a watt are 55 J."""
    cpu = ModelledCpu(CPU, lambda: (10.0, 30.0), busy=Power(4), idle=Power(0.5), accuracy=HALF, method="by hand")

    assert pytest.approx(55.0) == cpu.read_energy().joules
    assert Provenance.MODELLED is cpu.sensor.provenance


def test_energy_never_falls_when_the_system_s_idle_time_does() -> None:
    """Linux may take idle time back; the count holds until it is made up for."""
    idle = iter([10.0, 8.0, 11.0])
    cpu = ModelledCpu(CPU, lambda: (0.0, next(idle)), busy=Power(4), idle=Power(1), accuracy=HALF, method="by hand")

    assert [10, 10, 11] == [cpu.read_energy().joules for _ in range(3)]


def test_memory_costs_its_power_per_gigabyte_and_is_asked_once_a_second() -> None:
    """The power follows what is in use, and holds in between."""
    used_bytes = iter([2 << 30, 6 << 30])
    now = iter([0.0, 0.5, 0.9, 1.0])
    memory = ModelledMemory(
        DRAM, lambda: next(used_bytes), uncertainty_ratio=0.8, method="by hand", now_seconds=lambda: next(now)
    )
    shown = [memory.read_power().watts / DRAM_WATTS_PER_GIGABYTE for _ in range(4)]

    assert [2, 2, 2, 6] == pytest.approx(shown)


def test_when_the_processes_are_gone_so_are_the_sources() -> None:
    """A tree that ended is a lost source, not a still one."""
    cpu = ModelledCpu(CPU, lambda: (gone(), 0.0), busy=Power(4), accuracy=HALF, method="by hand")
    memory = ModelledMemory(DRAM, gone, uncertainty_ratio=0.8, method="by hand")

    with pytest.raises(SourceLost, match="are gone"):
        cpu.read_energy()
    with pytest.raises(SourceLost, match="are gone"):
        memory.read_power()


def test_a_job_has_the_share_of_idle_time_that_it_has_of_busy_time() -> None:
    """Of 8 idle seconds a job with 3 of 4 busy seconds has 6; while it waits and others compute, it has none."""
    job = iter([0.0, 3.0, 3.0, 3.0])
    machine = iter([(10.0, 100.0), (14.0, 108.0), (18.0, 116.0), (18.0, 124.0)])
    now = iter(range(9))
    share = IdleShare(lambda: next(job), lambda: next(machine), now_seconds=lambda: next(now))

    assert [(3.0, 6.0), (3.0, 6.0), (3.0, 6.0)] == [share() for _ in range(3)]


def test_two_jobs_share_all_that_a_machine_is_idle() -> None:
    """What one does not have the other has."""
    machine = [(0.0, 0.0), (5.0, 7.0), (9.0, 12.0)]
    shares = []
    for job in ([0.0, 1.0, 4.0], [0.0, 4.0, 5.0]):
        jobs, times, now = iter(job), iter(machine), iter(range(9))
        share = IdleShare(partial(next, jobs), partial(next, times), now_seconds=partial(next, now))
        share()
        shares.append(share()[1])

    assert 12.0 == pytest.approx(sum(shares))


def test_idle_time_is_looked_up_twice_a_second_at_most() -> None:
    """In between the job's own time goes on."""
    job = iter([0.0, 1.0, 2.0])
    machine = iter([(0.0, 0.0), (2.0, 6.0)])
    now = iter([0.0, 0.4, 0.5])
    share = IdleShare(lambda: next(job), lambda: next(machine), now_seconds=lambda: next(now))

    assert [(1.0, 0.0), (2.0, 6.0)] == [share(), share()]
