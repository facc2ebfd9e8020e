"""The totals of a run or of several attempts at a training: energy, CO2e and work; and a single such attempt. Pure.

Checkpoints, journals and lists of attempts hold energy in whole microjoules, so totals add up exactly; a record holds
it in joules, as it does all energy. Both are read back into the same values.
"""

from __future__ import annotations

from typing import TypeVar

from lightning_carbon.records.fields import MOST, at, at_or, mapping, name, number, text, whole
from lightning_carbon.units import MICROJOULES_PER_JOULE
from lightning_carbon.values import dataclass, field

Figure = TypeVar("Figure", int, float)

UNKNOWN = "unknown"
"""The status of an attempt that is not in this ledger."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Energy and CO2e, and the work that they were spent on.

    Args:
        microjoules: Energy, without PUE; ``None`` where nothing could be measured.
        grams_co2e: Its CO2e, each attempt priced as in its own record; ``None`` without energy.
        steps: The number of steps.
        samples: The number of samples in them; ``None`` where the trainer did not give it.
        tokens: The number of tokens in them; ``None`` where the trainer did not give it.
    """

    microjoules: int | None = None
    grams_co2e: float | None = None
    steps: int = 0
    samples: int | None = None
    tokens: int | None = None

    @property
    def joules(self) -> float | None:
        """The energy in joules."""
        return None if self.microjoules is None else self.microjoules / MICROJOULES_PER_JOULE

    def plus(self, other: Totals, sign: int = 1) -> Totals:
        """Add other totals; ``sign=-1`` subtracts them. Figures that neither has stay unknown."""
        return Totals(
            _plus(self.microjoules, other.microjoules, sign),
            _plus(self.grams_co2e, other.grams_co2e, sign),
            self.steps + sign * other.steps,
            _plus(self.samples, other.samples, sign),
            _plus(self.tokens, other.tokens, sign),
        )

    def at_least(self, other: Totals) -> Totals:
        """The larger of each figure."""
        return Totals(
            _larger(self.microjoules, other.microjoules),
            _larger(self.grams_co2e, other.grams_co2e),
            max(self.steps, other.steps),
            _larger(self.samples, other.samples),
            _larger(self.tokens, other.tokens),
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a training, as far as it is known.

    Args:
        run_id: Its run.
        project: The project whose folder it lies in; ``None`` in a record, which does not store it.
        totals: Its totals by then; a record stores energy and CO2e alone.
        status: Its status, or :data:`UNKNOWN`.
    """

    run_id: str
    project: str | None
    totals: Totals = field(default_factory=Totals)
    status: str = UNKNOWN

    @property
    def joules(self) -> float | None:
        """The energy of the attempt in joules; ``None`` where it could not be measured."""
        return self.totals.joules

    @property
    def grams_co2e(self) -> float | None:
        """The CO2e of the attempt in grams."""
        return self.totals.grams_co2e


def stored_totals(values: object) -> Totals:
    """Read totals in the form of a record."""
    told = mapping(values)
    return Totals(
        microjoules_of(at(told, "joules", _figure)),
        at(told, "grams_co2e", _figure),
        at(told, "steps", whole),
        at_or(told, "samples", whole, default=None),
        at_or(told, "tokens", whole, default=None),
    )


def stored_attempt(values: object) -> Attempt:
    """Read an attempt in the form of a record."""
    told = mapping(values)
    totals = Totals(microjoules_of(at(told, "joules", _figure)), at(told, "grams_co2e", _figure))
    return Attempt(at(told, "run_id", name), None, totals, at(told, "status", text))


def _figure(value: object) -> float | None:
    """Read a figure, which rounding in a difference of floats may have put slightly below 0."""
    return None if value is None else number(value, -MOST)


def microjoules_of(joules: float | None) -> int | None:
    """The whole microjoules of an energy in joules."""
    return None if joules is None else round(joules * MICROJOULES_PER_JOULE)


def _plus(left: Figure | None, right: Figure | None, sign: int) -> Figure | None:
    if right is None:
        return left
    return sign * right if left is None else left + sign * right


def _larger(left: Figure | None, right: Figure | None) -> Figure | None:
    if left is None or right is None:
        return right if left is None else left
    return max(left, right)
