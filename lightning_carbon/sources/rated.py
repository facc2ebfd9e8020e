"""Accelerators whose power nothing shows to a program, modelled by what they are rated for, with a wide range.

A TPU shows its use to its own library alone, Trainium the share of its power and not the power, and a Mac without the
extra ``apple`` nothing. What such a part takes over a training is its rating, from the packaged table, times the share
that trainings were measured to take. A part is known by what its machine says of it: Google's variable
``TPU_ACCELERATOR_TYPE``, Amazon's product name in the firmware, Apple's name of the processor. Where no source gives
the rating of a part, it lies between those of its relatives.

References:
    * Neuron's driver, ``stats/power/utilization``: status, time, and the least, most and mean share of the power in
      percent, once a minute: aws-neuron-driver, ``neuron_power.h`` (2025)
    * Shares: MLPerf Training Power 2024 and 2025, Patterson et al. 2021 (:mod:`lightning_carbon.estimate.factors`)
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from math import sqrt
from pathlib import Path
from typing import Any, Final

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed
from lightning_carbon.grid.ratings import Rating, rating_of, rating_of_family
from lightning_carbon.ports import Finding
from lightning_carbon.sources.accelerators import RATED
from lightning_carbon.sources.kernel_files import read_small
from lightning_carbon.systems import processor_name
from lightning_carbon.units import PERCENT, Power
from lightning_carbon.values import dataclass, field

SHARE: Final = (0.86, 0.05, 1.0)
"""The mean, least and most power over a training, as a share of the rating: 29 measured trainings take 0.86 in the
middle; the least is that of a part that waits."""
OLD_TPU_SHARE: Final = (0.47, 0.05, 0.72)
"""The same of TPU v2 and v3, whose ratings are far above what training takes (Patterson et al. 2021)."""
WHOLE_SHARE: Final = (0.5, 0.05, 1.0)
"""The same where the rating is that of a whole Mac at the wall; ours."""
OWN_RATIO: Final = 0.1
"""The half width around a share of the power that the part itself shows; ours."""

_TPUS: Final = {"v5litepod": "TPU v5e", "v5lite": "TPU v5e", "tpu7x": "TPU v7"}
_AMAZON: Final = {
    "trn1": "Trainium",
    "trn1n": "Trainium",
    "trn2": "Trainium2",
    "trn3": "Trainium3",
    "inf2": "Inferentia2",
}
_PRODUCT: Final = Path("sys/class/dmi/id/product_name")
_NEURON: Final = "sys/devices/virtual/neuron_device/neuron{}/stats/power/utilization"
_MACS: Final = ("M1", "M2", "M3 ", "M4 ")
"""What the names of Apple's processors begin with, and no other in the table; the plain M4 is within their span."""
_VALID: Final = "POWER_STATUS_VALID"
_OLD: Final = frozenset({"TPU v2", "TPU v3"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What tells of accelerators that show nothing themselves.

    Args:
        environ: The environment variables.
        root: Where ``sys`` is.
        platform: The system, as :data:`sys.platform` names it.
        modules: The modules that the program has loaded.
        load: Imports a library by its name.
        processor: Gives the name of the processor.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    root: Path = Path("/")
    platform: str = sys.platform
    modules: Mapping[str, object] = field(default_factory=lambda: sys.modules)
    load: Callable[[str], Any] = import_module
    processor: Callable[[], str] = processor_name


class RatedPower:
    """A part's rated power times the share of it that is taken; a :class:`~lightning_carbon.ports.PowerGauge`.

    Args:
        sensor: What it stands for.
        rated: What the part is taken to be rated for.
        share: Gives the share of the rating that is taken now.
    """

    def __init__(self, sensor: Sensor, rated: Power, share: Callable[[], float]) -> None:
        self._sensor = sensor
        self._rated = rated
        self._share = share

    @property
    def sensor(self) -> Sensor:
        """What it stands for and how."""
        return self._sensor

    def read_power(self) -> Power:
        """The modelled power.

        Raises:
            ReadFailed: The part does not show its share this time.
        """
        return Power(self._rated.watts * self._share())


def modelled(
    kind: str,
    index: int = 0,
    around: Surroundings | None = None,
) -> Finding | None:
    """The model of an accelerator; ``None`` of a kind that is not modelled.

    Args:
        kind: ``xla``, ``neuron``, ``hpu`` or ``mps``, as :mod:`lightning_carbon.sources.accelerators` calls it.
        index: The number of the part on this machine.
        around: What tells of it; default this machine.
    """
    around = around or Surroundings()
    rating = _rating(kind, around)
    if rating is None:
        return None
    path = around.root / _NEURON.format(index)
    own = kind == "neuron" and _own_share(path) is not None
    share, low, high = _share_of(kind, rating)
    taken = sqrt(rating.low_watts * rating.high_watts)
    if own:
        accuracy = Accuracy(
            1 - rating.low_watts * (1 - OWN_RATIO) / taken, rating.high_watts * (1 + OWN_RATIO) / taken - 1
        )
        how = "its share of its power, once a minute, as the driver shows it"
    else:
        accuracy = Accuracy(
            1 - rating.low_watts * low / (taken * share), rating.high_watts * high / (taken * share) - 1
        )
        how = f"{share:.0%}, what trainings take of it"
    method = f"{taken:.4g} W ({rating.source}) × {how}"
    sensor = Sensor(
        Domain(Kind.GPU, f"gpu:{kind}:{index}", f"{rating.name} (modelled)"),
        Provenance.MODELLED,
        max(accuracy.below_ratio, accuracy.above_ratio),
        method,
        accuracy=accuracy,
    )
    gauge = RatedPower(sensor, Power(taken), (lambda: _present(path)) if own else (lambda: share))
    reason = f"modelled, -{accuracy.below_ratio:.0%} / +{accuracy.above_ratio:.0%}: {method}"
    return Finding(RATED, f"{rating.name} {index}", gauge, reason)


def _rating(kind: str, around: Surroundings) -> Rating | None:
    match kind:
        case "xla":
            told = around.environ.get("TPU_ACCELERATOR_TYPE", "").partition("-")[0].casefold()
            name = _TPUS.get(told, f"TPU {told}")
            return rating_of(name) or rating_of_family(name if told else "TPU", "TPU")
        case "neuron":
            name = _AMAZON.get(_text(around.root / _PRODUCT).partition(".")[0], "Trainium")
            return rating_of(name) or rating_of_family(name, "TPU", "Gaudi")
        case "hpu":
            return rating_of_family("Gaudi", "Gaudi")
        case "mps":
            name = around.processor().removeprefix("Apple ").strip()
            return (rating_of(name) if name else None) or rating_of_family(name or "Apple GPU", *_MACS)
        case _:
            return None


def _share_of(kind: str, rating: Rating) -> tuple[float, float, float]:
    if kind == "mps":
        return WHOLE_SHARE
    return OLD_TPU_SHARE if rating.name in _OLD else SHARE


def _own_share(path: Path) -> float | None:
    """The mean share of its power that a part shows; ``None`` where it shows none."""
    match _text(path).split(","):
        case [status, _, _, _, mean] if status == _VALID and re.fullmatch(r"\s*\d{1,3}(\.\d+)?\s*", mean):
            return min(1.0, float(mean) / PERCENT)
        case _:
            return None


def _present(path: Path) -> float:
    share = _own_share(path)
    if share is None:
        raise ReadFailed(f"{path} shows no share of the power")
    return share


def _text(path: Path) -> str:
    try:
        return read_small(path)
    except (OSError, ValueError):
        return ""


def kind_of(computes_on: str | None, modules: Mapping[str, object] = sys.modules) -> str:
    """The kind of accelerator behind torch's type of a device: ``xla`` is Amazon's where its library is loaded.

    Args:
        computes_on: Torch's type of the device.
        modules: The modules that the program has loaded; nothing is imported for this.
    """
    kind = (computes_on or "").partition(":")[0]
    return "neuron" if kind == "xla" and ("torch_neuronx" in modules or "libneuronxla" in modules) else kind
