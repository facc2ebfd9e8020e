"""Sensors and their readings: which domain a sensor covers, how its numbers come about, and a single reading.

Counters and gauges are different types because they integrate differently: a repeated counter value says that nothing
was added yet and is dropped, a repeated gauge value says that the power held and must be kept.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.energy.accuracy import Accuracy
    from lightning_carbon.units import Energy, Power


class Kind(StrEnum):
    """The kind of hardware of a domain."""

    GPU = "gpu"
    PACKAGE = "package"
    DRAM = "dram"
    PSYS = "psys"
    HOST = "host"
    MODULE = "module"
    MACHINE = "machine"


KIND_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Kind.GPU: "GPU",
        Kind.PACKAGE: "CPU",
        Kind.DRAM: "memory",
        Kind.PSYS: "platform",
        Kind.HOST: "host",
        Kind.MODULE: "module",
        Kind.MACHINE: "machine",
    }
)
"""The name of each kind of hardware in everything that people read."""


def kind_word(kind: str) -> str:
    """The name of a kind of hardware for people; a kind that this version does not know keeps its key."""
    return KIND_WORDS.get(kind, kind)


class Provenance(StrEnum):
    """How a number came about, which every report states."""

    COUNTER = "counter"
    """Read from an energy counter of the hardware."""
    INTEGRATED = "integrated"
    """Power readings of the hardware, integrated over time by the meter."""
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
        kind: The kind of hardware.
        id: Unique in a host and stable over runs, such as ``"gpu:GPU-5a0b..."`` or ``"package:0"``.
        name: For people, such as ``"NVIDIA H100 80GB HBM3"``.
        parent: The id of the domain whose energy includes that of this domain. Totals sum the roots only.
    """

    kind: Kind
    id: str
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Sensor:
    """The description of a source, known before its first reading.

    Args:
        domain: The domain that it covers.
        provenance: How its numbers come about.
        uncertainty_ratio: The half width of the range around its energy, as a share of it (0.05 is ±5 %); of a range
            that is not as wide below as above, the wider half.
        method: For people: the call or model behind it, with its reference where it is a model.
        wraps_at: The count at which a counter starts again from zero, where it does.
        max_power: The most that the hardware draws by its limit or rating, without a margin, where that is known. A
            reading far above it is discarded.
        window_seconds: The seconds over which a gauge averages; 0 for a gauge of the present power.
        accuracy: The range, where more is known of it than a half width.
    """

    domain: Domain
    provenance: Provenance
    uncertainty_ratio: float
    method: str
    wraps_at: Energy | None = None
    max_power: Power | None = None
    window_seconds: float = 0.0
    accuracy: Accuracy | None = None


@dataclass(frozen=True, slots=True)
class CounterReading:
    """A cumulative energy at a moment.

    Args:
        at_ns: When, on the meter's monotonic clock.
        energy: The count; its zero has no meaning.
    """

    at_ns: int
    energy: Energy


@dataclass(frozen=True, slots=True)
class GaugeReading:
    """An instantaneous power at a moment.

    Args:
        at_ns: When, on the meter's monotonic clock.
        power: The power that the gauge showed; not a number (NaN) where it had nothing to show.
    """

    at_ns: int
    power: Power
