"""The errors of NVML's sensors, by generation and segment of GPUs, as far as they have been measured.

``data/sensor_errors.csv`` has the results of Yang, Adamek and Armour, who put an external power meter into the slot and
the cables of twenty cards ("Accurate and Convenient Energy Measurements for GPUs", SC'24; their sheet
``Overall_Results.xlsx``, 2024, MIT, https://github.com/JimZeyuYang/GPU_Power_Benchmark). For each card: the lowest and
the highest error, as a share of the truth, of its steady power and of the energy of periodic loads, over three drivers;
and the line through its readings, a gain and an offset.

A range is made from them by a single rule. The errors of the measured cards of a family (a generation and a segment)
are stretched on both sides by as much as cards of the same model differ (the five GeForce RTX 3090), and to zero where
that lies outside: an exact sensor is never excluded. The offsets come on top, in watts. A family without a measured
card takes the widest range of all families, and says that it is assumed. The first generation of Maxwell does not count
for that: its single card drew 17 W on average, and read 41 % low by an offset of 9 W.

``data/sensor_blur.csv`` has the error that short windows add, by the share of the time that a sensor sees; ``make
reality`` works it out from recordings of an A100 and an RTX 3090, and it holds for 95 of 100 windows of each greater
length.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.errors import SourceError
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from types import ModuleType

    from lightning_carbon.sources.nvml.library import Handle

# Beside the code rather than through importlib.resources, which costs 5 ms to import; pip always unpacks a wheel.
_DATA: Final = Path(__file__).with_name("data")

CONSUMER: Final = "consumer"
DATA_CENTRE: Final = "data centre"

# CUDA C++ Programming Guide, "Compute Capabilities". GA100 has sensors of its own; of Maxwell, so has its first chip.
_BY_CAPABILITY: Final = {
    (3, 0): "Kepler",
    (5, 0): "Maxwell 1",
    (5, 2): "Maxwell 2",
    (6, 0): "Pascal",
    (7, 0): "Volta",
    (7, 5): "Turing",
    (8, 0): "GA100",
    (8, 6): "Ampere",
    (8, 9): "Ada",
    (9, 0): "Hopper",
    (10, 0): "Blackwell",
}
# nvml.h, NVML_DEVICE_ARCH_*, for drivers that do not give the compute capability.
_BY_ARCHITECTURE: Final = {
    2: "Kepler",
    3: "Maxwell 2",
    4: "Pascal",
    5: "Volta",
    6: "Turing",
    7: "Ampere",
    8: "Ada",
    9: "Hopper",
    10: "Blackwell",
}
_NEWEST_CAPABILITY: Final = 12
_GA100: Final = r"\b(A100|A800|A30)\b"
_CONSUMER: Final = r"(?i:GeForce|GTX|RTX|TITAN|Quadro)"
_OUTLIER: Final = "Maxwell 1"
_STUDY: Final = "Yang et al., SC'24"

PART: Final = "sees a part of the time"
WHOLE: Final = "sees the whole time"
MEAN: Final = "mean of the last second"
_WHOLE_TIME: Final = {("Ampere", CONSUMER), ("Ada", CONSUMER)}
"""Families whose sensors all average over the whole of their period (the same sheet, averaging windows); the others see
10 of 20 ms (Pascal, Volta), 20 of 100 ms (of Turing the Quadro RTX 8000) or 25 of 100 ms (A100, H100), or lag, or are
not known."""
UNPLACED_SECONDS: Final = 0.5
"""The time at each end whose energy a mean of the last second may misplace, unless it is put in the middle of it."""


class Family(NamedTuple):
    """A family of GPUs whose sensors are taken to be alike."""

    generation: str
    segment: str

    def __str__(self) -> str:
        """The name of the family, for people."""
        return f"{self.generation}, {self.segment}" if self.generation else "unknown generation"


@dataclass(frozen=True, slots=True)
class Card:
    """The measured errors of a card, as shares of the truth."""

    model: str
    family: Family
    error_low: float
    error_high: float
    gain_low: float
    offset_low_watts: float
    offset_high_watts: float
    source: str


class Stated(NamedTuple):
    """The stated accuracy of a family's sensors.

    Args:
        accuracy: The range.
        basis: Its basis, for people.
    """

    accuracy: Accuracy
    basis: str


def family_of(model: str, capability: tuple[int, int] | None, architecture: int | None) -> Family:
    """The family of a GPU.

    Args:
        model: Its name.
        capability: Its CUDA compute capability, where that is known.
        architecture: As ``nvmlDeviceGetArchitecture`` counts, where that is known.
    """
    segment = CONSUMER if re.search(_CONSUMER, model) else DATA_CENTRE
    if capability is not None:
        below = [known for known in _BY_CAPABILITY if known <= capability and capability[0] <= _NEWEST_CAPABILITY]
        return Family(_BY_CAPABILITY[max(below)] if below else "", segment)
    generation = _BY_ARCHITECTURE.get(architecture or 0, "")
    return Family("GA100" if generation == "Ampere" and re.search(_GA100, model) else generation, segment)


def ask_family(model: str, handle: Handle, nvml: ModuleType) -> Family:
    """Ask the driver for the family of a GPU."""
    found: list[tuple[int, int] | int | None] = []
    for name in ("nvmlDeviceGetCudaComputeCapability", "nvmlDeviceGetArchitecture"):
        try:
            answer = handle.ask(getattr(nvml, name))
        except (SourceError, AttributeError):
            answer = None
        found.append(answer)
    capability, architecture = found
    pair = (int(capability[0]), int(capability[1])) if isinstance(capability, (tuple, list)) else None
    return family_of(model, pair, architecture if isinstance(architecture, int) else None)


@cache
def cards() -> tuple[Card, ...]:
    """Every card that was measured."""
    with (_DATA / "sensor_errors.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(
            Card(
                model=row["model"],
                family=Family(row["generation"], row["segment"]),
                error_low=float(row["error_low"]),
                error_high=float(row["error_high"]),
                gain_low=float(row["gain_low"]),
                offset_low_watts=float(row["offset_low_watts"]),
                offset_high_watts=float(row["offset_high_watts"]),
                source=row["source"],
            )
            for row in csv.DictReader(stream)
        )


@cache
def blur_seconds() -> dict[str, float]:
    """The seconds that a sensor may be wrong by, for each way in which sensors see."""
    with (_DATA / "sensor_blur.csv").open(encoding="utf-8", newline="") as stream:
        return {row["sensor"]: float(row["blur_seconds"]) for row in csv.DictReader(stream)}


@cache
def spread() -> float:
    """The greatest difference between the errors of cards of the same model, as a share."""
    models: dict[str, list[Card]] = {}
    for card in cards():
        models.setdefault(card.model, []).append(card)
    lows = [[card.error_low for card in same] for same in models.values()]
    highs = [[card.error_high for card in same] for same in models.values()]
    return max(max(errors) - min(errors) for errors in (*lows, *highs))


def stated(family: Family, *, is_mean: bool = False, is_placed: bool = True) -> Stated:
    """The range of the sensors of a family.

    Args:
        family: The family.
        is_mean: Whether a reading is the mean of the last second.
        is_placed: Whether such a mean is known to be one, and is put in the middle of its second.
    """
    known = blur_seconds()
    blur = known[WHOLE if family in _WHOLE_TIME else PART]
    if is_mean:
        blur = max(blur, known[MEAN] if is_placed else UNPLACED_SECONDS)
    gain, basis = _gain(family)
    return Stated(
        Accuracy(gain.below_ratio, gain.above_ratio, gain.below_watts, gain.above_watts, blur),
        basis,
    )


@cache
def _gain(family: Family) -> tuple[Accuracy, str]:
    measured = [card for card in cards() if card.family == family]
    if measured:
        models = {card.model for card in measured}
        whose = f"{len(measured)} cards of {len(models)} models" if len(measured) > 1 else f"one {measured[0].model}"
        return _range_of(measured), f"range of {whose} that were measured ({family}; {_STUDY})"
    widest = Accuracy(0.0, 0.0)
    for known in {card.family for card in cards() if card.family.generation != _OUTLIER}:
        widest = widest.or_wider(_range_of([card for card in cards() if card.family == known]))
    return widest, f"range assumed: the widest of all measured, none of them {family} ({_STUDY})"


def _range_of(measured: list[Card]) -> Accuracy:
    low = min(0.0, min(card.error_low for card in measured) - spread())
    high = max(0.0, max(card.error_high for card in measured) + spread())
    return Accuracy(
        below_ratio=round(1 - 1 / (1 + high), 4),
        above_ratio=round(1 / (1 + low) - 1, 4),
        below_watts=round(max(0.0, *(card.offset_high_watts / card.gain_low for card in measured)), 1),
        above_watts=round(max(0.0, *(-card.offset_low_watts / card.gain_low for card in measured)), 1),
    )
