"""What a record says of the machines of a run: each at its plug, and the sum of them. Pure."""

from __future__ import annotations

from lightning_carbon.carbon.interval import Interval
from lightning_carbon.carbon.rest import RestModel
from lightning_carbon.energy.readings import Provenance
from lightning_carbon.records.fields import RATIO, one_of
from lightning_carbon.records.interval_field import INTERVAL
from lightning_carbon.values import dataclass, field


@dataclass(frozen=True, slots=True)
class HostMachine:
    """One machine of a run at its plug.

    Args:
        host: Its name.
        joules: The energy of its chips and of the rest of it.
        low_joules: The lower end of the range.
        high_joules: The upper end of the range.
        rest_joules: The energy of the rest of it: fans, boards, disks, network, losses of supplies.
        provenance: How the rest is known: ``integrated`` by a sensor of the machine, or ``modelled``.
        method: The sensor or the model behind it.
        measured_ratio: The share of the run that readings of a sensor of the machine cover.
        model: The model of the rest, as it would be used again; ``None`` where there is none.
    """

    host: str
    joules: float
    low_joules: float
    high_joules: float
    rest_joules: float
    provenance: str = field(metadata=one_of(Provenance))
    method: str
    measured_ratio: float = field(metadata=RATIO)
    model: RestModel | None = None


@dataclass(frozen=True, slots=True)
class MachineRecord:
    """The energy of a run at the plugs of its machines, without PUE.

    Args:
        joules: The energy of all machines: their chips and the rest of them.
        low_joules: The lower end of the range.
        high_joules: The upper end of the range.
        rest_joules: The energy of the rest of them alone.
        rest_low_joules: The lower end of its range.
        rest_high_joules: The upper end of its range.
        hosts: Each machine.
        interval: The 90 % interval of the energy of all machines, in joules; ``None`` while the run lasts, and in
            records of before.
    """

    joules: float
    low_joules: float
    high_joules: float
    rest_joules: float
    rest_low_joules: float
    rest_high_joules: float
    hosts: tuple[HostMachine, ...]
    interval: Interval | None = field(default=None, metadata=INTERVAL)
