"""A run of known power with two GPUs, a processor and its memory, while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.energy.condition import Condition
from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.exporting.live import publish_nowhere
from lightning_carbon.sources.simulated import GaugedGPU
from lightning_carbon.testing import ManualClock, ScriptedCounter
from tests.unit.metering.worlds import PACKAGE, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.exporting.live import Publish
    from lightning_carbon.ports import Source

DRAM = Domain(Kind.DRAM, "dram:0", "memory 0", parent=PACKAGE.id)
MACHINE = Domain(Kind.MACHINE, "machine:0", "power supply")
GPU_ID = "gpu:simulated-0"
GPU_WATTS, PACKAGE_WATTS, DRAM_WATTS, MACHINE_WATTS = 300.0, 100.0, 20.0, 600.0


def hardware(clock: ManualClock) -> Sequence[Source]:
    """A GPU with gauges, and what has none."""
    condition = Condition(0.9, 1_980.0, 2_619.0, 50.0, 1e9, 700.0, frozenset())
    watts = {PACKAGE: PACKAGE_WATTS, DRAM: DRAM_WATTS, MACHINE: MACHINE_WATTS}
    counters = [
        ScriptedCounter(clock, lambda _, power=power: power, domain=domain)  # type: ignore[misc]  # its default is its own
        for domain, power in watts.items()
    ]
    return [GaugedGPU(clock, GPU_WATTS, condition=lambda _: condition), *counters]


def world(publish: Publish = publish_nowhere) -> World:
    """The run, which has not begun.

    Args:
        publish: Exports it.
    """
    return World(hardware, publish=publish)
