"""What a sensor can say: which domain it covers, how its number came about, and one reading.

Counters and gauges are different types because they integrate differently: a repeated counter value says that nothing
was added yet and is dropped, a repeated gauge value says that the power held and must be kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.units import Energy, Power


class Kind(StrEnum):
    """What sort of hardware a domain is."""

    GPU = "gpu"
    PACKAGE = "package"
    DRAM = "dram"
    PSYS = "psys"
    HOST = "host"
    MODULE = "module"


KIND_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Kind.GPU: "GPU",
        Kind.PACKAGE: "CPU",
        Kind.DRAM: "memory",
        Kind.PSYS: "platform",
        Kind.HOST: "host",
        Kind.MODULE: "module",
    }
)
"""What people call each kind of hardware, wherever something is shown to them."""


def kind_word(kind: str) -> str:
    """What people call a kind of hardware; a kind that this version does not know keeps its name."""
    return KIND_WORDS.get(kind, kind)


class Provenance(StrEnum):
    """How a number came about; carried to the last line of the last report."""

    COUNTER = "counter"
    """Read from an energy counter of the hardware."""
    INTEGRATED = "integrated"
    """Power readings of the hardware, integrated over time by us."""
    MODELLED = "modelled"
    """Computed from utilisation and a table, not read from a sensor."""

    @property
    def is_measured(self) -> bool:
        """Whether a sensor stands behind the number."""
        return self is not Provenance.MODELLED


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of the machine that has an energy of its own.

    Args:
        kind: What sort of hardware it is.
        id: Unique in a host and stable over runs, such as ``"gpu:GPU-5a0b..."`` or ``"package:0"``.
        name: For people, such as ``"NVIDIA H100 80GB HBM3"``.
        parent: The id of the domain whose energy includes this one's. Totals sum the roots only.
    """

    kind: Kind
    id: str
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Sensor:
    """What a source can say about itself before its first reading.

    Args:
        domain: What it covers.
        provenance: How its numbers come about.
        uncertainty_ratio: The half width of the range around its energy, as a share of it (0.05 is ±5 %).
        method: For people: the call or model behind it, with its reference where it is a model.
        wraps_at: The count at which a counter starts again from zero, where it does.
        max_power: The most that the hardware draws by its limit or rating, without a margin, where that is known. What
            is far above it is no reading.
        window_seconds: A gauge that shows the mean power of the last so many seconds; 0 for the power at the moment.
    """

    domain: Domain
    provenance: Provenance
    uncertainty_ratio: float
    method: str
    wraps_at: Energy | None = None
    max_power: Power | None = None
    window_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CounterReading:
    """A cumulative energy at a moment.

    Args:
        at_ns: When, on the meter's monotonic clock.
        energy: What the counter stood at; its zero has no meaning.
    """

    at_ns: int
    energy: Energy


@dataclass(frozen=True, slots=True)
class GaugeReading:
    """An instantaneous power at a moment.

    Args:
        at_ns: When, on the meter's monotonic clock.
        power: What the gauge showed.
    """

    at_ns: int
    power: Power
