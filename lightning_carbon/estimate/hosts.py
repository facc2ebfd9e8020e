"""The machine around the accelerators of a planned training: its class, and what it draws beside them. Pure.

Classes are those of the meter (``grid.machines``), so a forecast and a measurement are of the same machine. A class's
constant and share are beside all chips; an estimate knows the power of accelerators alone, so processors and memory
come on top. Servers of eight, and the hosts of TPUs, go by the rating of their accelerators, as measured trainings do:

    rest of the machine, W  =  constant + processors and memory x (1 + share) + share x accelerators
"""

from __future__ import annotations

from math import ceil
from operator import add, mul
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.factors import HOST_FIXED, HOST_SHARE, SourcedBounds
from lightning_carbon.grid.machines import (
    CLOUD_VM,
    CPU_NODE,
    DESKTOP,
    KNOWN,
    LAPTOP,
    MACHINES,
    SERVER_4_GPU,
    SERVER_8_GPU_AIR,
    SERVER_8_GPU_LIQUID,
    WORKSTATION,
    machine_named,
)
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from lightning_carbon.carbon.rest import RestModel
    from lightning_carbon.estimate.accelerators import Accelerator

NONE: Final = "none"
_CARDS: Final = ("RTX ", "GTX ", "TITAN ", "Quadro ")
"""How the names of cards begin that people put into desktops and workstations."""
_APPLE: Final = "Apple"
_OF_A_WORKSTATION: Final = 4
_HOLDS: Final = {
    DESKTOP: 1,
    LAPTOP: 1,
    WORKSTATION: 4,
    SERVER_4_GPU: 4,
    SERVER_8_GPU_LIQUID: 8,
    CPU_NODE: 4,
    CLOUD_VM: 8,
}
"""How many accelerators a machine of a class holds."""
_SERVERS: Final = frozenset({SERVER_4_GPU, SERVER_8_GPU_LIQUID})
"""Classes of which a job has a part where it has fewer accelerators, as in the meter."""
_CHIPS: Final = {
    DESKTOP: Bounds(40.0, 15.0, 120.0),
    LAPTOP: Bounds(10.0, 4.0, 30.0),
    WORKSTATION: Bounds(60.0, 20.0, 200.0),
    SERVER_4_GPU: Bounds(200.0, 80.0, 500.0),
    SERVER_8_GPU_LIQUID: Bounds(400.0, 150.0, 900.0),
    CPU_NODE: Bounds(150.0, 50.0, 400.0),
    CLOUD_VM: Bounds(40.0, 10.0, 200.0),
}
"""What processors and memory draw while accelerators train, in watts of a machine: from idle to busy; ours, 2026."""


@dataclass(frozen=True, slots=True)
class PlannedHost:
    """The machine around accelerators.

    Args:
        machine: Its class.
        fixed_watts: What it draws beside them whatever they do, for each of them.
        share: What it draws beside them, as a share of their power.
        assumed: Whether nobody said what machine it is.
        rating_share: The same as ``fixed_watts`` as a share of the accelerator's rating, where it is known as that.
    """

    machine: str
    fixed_watts: SourcedBounds
    share: SourcedBounds
    assumed: bool
    rating_share: SourcedBounds | None = None


def host_of(
    accelerator: Accelerator | None, count: int, rated_watts: float, *, machine: str | None = None
) -> PlannedHost:
    """The machine of a planned training.

    Args:
        accelerator: The accelerator; ``None`` where its power alone is known.
        count: How many of them.
        rated_watts: The rated power of each.
        machine: The class that the user named, or ``"none"`` for accelerators alone.

    Raises:
        ConfigError: There is no such class.
    """
    if machine == NONE:
        nothing = SourcedBounds(Bounds.exactly(0.0), "left out, as given")
        return PlannedHost(NONE, nothing, nothing, assumed=False)
    if machine is None or machine == "auto":
        name, is_assumed = _likely(accelerator, count), True
        model = MACHINES[name]
    else:
        is_assumed = False
        try:
            model = machine_named(machine)
        except KeyError:
            fix = f'give "auto", "none" or one of {", ".join((*MACHINES, *KNOWN))}.'
            raise ConfigError("machine", machine, fix) from None
        name = KNOWN.get(model.machine, model.machine)
    if name == SERVER_8_GPU_AIR:
        fixed = SourcedBounds(HOST_FIXED.span.times(rated_watts), HOST_FIXED.source)
        return PlannedHost(model.machine, fixed, HOST_SHARE, is_assumed, HOST_FIXED)
    return _by_class(model, name, count, is_assumed=is_assumed)


def _by_class(model: RestModel, name: str, count: int, *, is_assumed: bool) -> PlannedHost:
    share = Bounds(model.share, model.share_low, model.share_high)
    constant = Bounds(model.constant_watts, model.constant_low_watts, model.constant_high_watts)
    chips = _CHIPS[name].combine(share.map(lambda ratio: 1 + ratio), mul)
    holds = _HOLDS[name]
    portion = 1 / holds if name in _SERVERS else ceil(count / holds) / count
    fixed = constant.combine(chips, add).times(portion)
    source = f"{model.machine}: {model.source}; its processors and memory, {_CHIPS[name].value:g} W, ours"
    of_share = SourcedBounds(share, f"{model.machine}: {model.source}")
    return PlannedHost(model.machine, SourcedBounds(fixed, source), of_share, is_assumed)


def _likely(accelerator: Accelerator | None, count: int) -> str:
    if accelerator is None:
        return SERVER_8_GPU_AIR
    if accelerator.vendor == _APPLE:
        return LAPTOP
    if not accelerator.name.startswith(_CARDS) or count > _OF_A_WORKSTATION:
        return SERVER_8_GPU_AIR
    return DESKTOP if count == 1 else WORKSTATION
