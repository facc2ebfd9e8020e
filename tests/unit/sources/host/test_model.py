"""The arithmetic of the host model, without a host."""

from __future__ import annotations

import pytest

from lightning_carbon.energy.readings import Domain, Kind, Provenance
from lightning_carbon.errors import SourceLost
from lightning_carbon.sources.host.constants import DRAM_WATTS_PER_GIGABYTE
from lightning_carbon.sources.host.model import ModelledCpu, ModelledMemory
from lightning_carbon.units import Power

CPU = Domain(Kind.PACKAGE, "package:host-model", "CPU")
DRAM = Domain(Kind.DRAM, "dram:host-model", "memory")


def gone() -> int:
    """What a tree says whose processes are gone."""
    raise ProcessLookupError("process 1 and its descendants are gone")


def test_processor_time_costs_its_power() -> None:
    """Ten busy seconds at 4 W and thirty idle ones at half a watt are 55 J."""
    cpu = ModelledCpu(
        CPU, lambda: (10.0, 30.0), busy=Power(4), idle=Power(0.5), uncertainty_ratio=0.5, method="by hand"
    )

    assert 55.0 == cpu.read_energy().joules
    assert Provenance.MODELLED is cpu.sensor.provenance


def test_energy_never_falls_when_the_system_s_idle_time_does() -> None:
    """Linux may take idle time back; the count holds until it is made up for."""
    idle = iter([10.0, 8.0, 11.0])
    cpu = ModelledCpu(
        CPU, lambda: (0.0, next(idle)), busy=Power(4), idle=Power(1), uncertainty_ratio=0.5, method="by hand"
    )

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
    cpu = ModelledCpu(CPU, lambda: (gone(), 0.0), busy=Power(4), uncertainty_ratio=0.5, method="by hand")
    memory = ModelledMemory(DRAM, gone, uncertainty_ratio=0.8, method="by hand")

    with pytest.raises(SourceLost, match="are gone"):
        cpu.read_energy()
    with pytest.raises(SourceLost, match="are gone"):
        memory.read_power()
