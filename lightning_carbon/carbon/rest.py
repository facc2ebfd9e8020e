"""From chips to the machine: what lies between the sensors of chips and the plug, measured or modelled. Pure.

Three boundaries: **chips** (what sensors of GPUs, processors and memory see), **machine** (what it draws at its plugs)
and **site** (times PUE, whose denominator is the machine's energy). The rest of the machine, its fans, boards, disks,
network and losses of supplies, is what a sensor of the machine shows beyond the chips. Where there is none it is
modelled as a constant power and a share of the chips' energy, each with its range.
"""

from __future__ import annotations

from enum import StrEnum
from operator import add

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy, Power
from lightning_carbon.values import dataclass


class Boundary(StrEnum):
    """What an energy or a footprint is of."""

    CHIPS = "chips"
    """What sensors of accelerators, processors and memory see."""
    MACHINE = "machine"
    """What the machines draw at their plugs."""
    SITE = "site"
    """What the site draws for its machines."""


@dataclass(frozen=True, slots=True)
class RestModel:
    """How the rest of a machine is modelled: a constant power, and a share of what its chips use.

    Args:
        machine: The class of machine, or the calibrated machine.
        constant_watts: The constant, of the whole machine.
        constant_low_watts: The lower end of its range.
        constant_high_watts: The upper end of its range.
        share: The share of the chips' energy.
        share_low: The lower end of its range.
        share_high: The upper end of its range.
        source: Who found these figures, and in which year.
        assumed: Whether nobody said what machine this is.
        portion: The share of the machine that is the job's, 0 to 1; the constant is charged by it.
        reason: What the class and the portion follow from, for people.
        pivot_watts: Of a calibrated machine, whose ranges are 90 % intervals, the mean power of the chips at the wall
            meter: there constant and share err independently of each other; ``None`` of a class.
    """

    machine: str
    constant_watts: float
    constant_low_watts: float
    constant_high_watts: float
    share: float
    share_low: float
    share_high: float
    source: str
    assumed: bool
    portion: float = 1.0
    reason: str = ""
    pivot_watts: float | None = None

    @property
    def constant(self) -> Bounds[Power]:
        """The constant that is the job's."""
        whole = Bounds(self.constant_watts, self.constant_low_watts, self.constant_high_watts)
        return whole.times(self.portion).map(Power)

    @property
    def method(self) -> str:
        """The model for people, in a line."""
        part = f" of {self.portion:.0%} of the machine" if self.portion < 1 else ""
        return f"{self.machine}: {self.constant.value.watts:.4g} W{part} + {self.share:.0%} of the chips; {self.source}"

    def rest_of(self, chips: Bounds[Energy], duration_ns: int) -> Bounds[Energy]:
        """The energy of the rest of the machine.

        Args:
            chips: What the chips have used.
            duration_ns: In how many nanoseconds.
        """
        seconds = duration_ns / NANOSECONDS_PER_SECOND
        constant = self.constant.map(lambda power: power.watts * seconds)
        shared = chips.map(lambda energy: energy.joules).times(Bounds(self.share, self.share_low, self.share_high))
        return constant.combine(shared, add).map(Energy.from_joules)

    def rest_microjoules(self, chips_uj: int, duration_ns: int) -> int:
        """The value of :meth:`rest_of` alone, in microjoules, as every row needs it.

        Args:
            chips_uj: What the chips have used, in microjoules.
            duration_ns: In how many nanoseconds.
        """
        constant_joules = self.constant_watts * self.portion * (duration_ns / NANOSECONDS_PER_SECOND)
        return Energy.from_joules(constant_joules + Energy(chips_uj).joules * self.share).microjoules


@dataclass(frozen=True, slots=True)
class MachineReading:
    """What a sensor of the whole machine has shown.

    Args:
        energy: The energy while it was read.
        covered_ratio: The share of the time that its readings cover.
    """

    energy: Bounds[Energy]
    covered_ratio: float


def machine_of(
    chips: Bounds[Energy], duration_ns: int, *, model: RestModel | None, reading: MachineReading | None = None
) -> Bounds[Energy] | None:
    """The energy of a machine at its plug: as its sensor shows it, and for the rest of the time as the model has it.

    A machine has used at least what its chips have: a sensor that shows less sees something else.

    Args:
        chips: What its chips have used.
        duration_ns: In how many nanoseconds.
        model: How the rest is modelled; ``None`` where it is not.
        reading: What its sensor shows; ``None`` where it has none.

    Returns:
        The energy with its range; ``None`` where it has neither a model nor a sensor that was read.
    """
    if reading is None or not reading.covered_ratio:
        return None if model is None else chips + model.rest_of(chips, duration_ns)
    measured = reading.energy
    if reading.covered_ratio < 1:
        modelled = chips if model is None else chips + model.rest_of(chips, duration_ns)
        unseen = 1 - reading.covered_ratio
        measured += modelled.map(lambda energy: Energy(round(energy.microjoules * unseen)))
    if measured.value.microjoules < chips.value.microjoules:
        return chips
    return measured


def rest_between(machine: Bounds[Energy], chips: Bounds[Energy]) -> Bounds[Energy]:
    """What the machine has used beyond its chips, whose own range is theirs."""
    return machine.map(lambda energy: Energy(max(0, energy.microjoules - chips.value.microjoules)))
