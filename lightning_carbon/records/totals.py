"""What was used for how much work, by a run or by several attempts at a training; and one such attempt. Pure.

Checkpoints, journals and lists of attempts hold energy in whole microjoules, so that totals add up exactly; a record
holds it in joules, as it does all energy. Both are read back into the same values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from lightning_carbon.records.fields import MOST, at, at_or, mapping, name, number, text, whole
from lightning_carbon.units import MICROJOULES_PER_JOULE

Figure = TypeVar("Figure", int, float)

UNKNOWN = "unknown"
"""The status of an attempt that is not in this ledger."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What was used, and for how much work.

    Args:
        microjoules: Energy, without PUE; ``None`` where nothing could be measured.
        grams_co2e: What it stands for, each attempt priced as its own record says; ``None`` without energy.
        steps: How many steps it holds.
        samples: How many samples they had; ``None`` where nobody told.
        tokens: How many tokens they had; ``None`` where nobody told.
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
        """Add another; ``sign=-1`` takes it off. What neither knows stays unknown."""
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
    """One attempt at a training, as far as it is known.

    Args:
        run_id: Its run.
        project: The project whose folder it lies in; ``None`` in a record, which does not tell.
        totals: What it had used by then; a record tells energy and CO2e alone.
        status: How it stood, or :data:`UNKNOWN`.
    """

    run_id: str
    project: str | None
    totals: Totals = field(default_factory=Totals)
    status: str = UNKNOWN

    @property
    def joules(self) -> float | None:
        """What it used; ``None`` where that could not be measured."""
        return self.totals.joules

    @property
    def grams_co2e(self) -> float | None:
        """What that stands for."""
        return self.totals.grams_co2e


def stored_totals(values: object) -> Totals:
    """Read totals as a record has them."""
    told = mapping(values)
    return Totals(
        microjoules_of(at(told, "joules", _figure)),
        at(told, "grams_co2e", _figure),
        at(told, "steps", whole),
        at_or(told, "samples", whole, default=None),
        at_or(told, "tokens", whole, default=None),
    )


def stored_attempt(values: object) -> Attempt:
    """Read an attempt as a record has it."""
    told = mapping(values)
    totals = Totals(microjoules_of(at(told, "joules", _figure)), at(told, "grams_co2e", _figure))
    return Attempt(at(told, "run_id", name), None, totals, at(told, "status", text))


def _figure(value: object) -> float | None:
    """A figure that differences of floats may have put a hair below 0."""
    return None if value is None else number(value, -MOST)


def microjoules_of(joules: float | None) -> int | None:
    """The whole microjoules of an energy that a record has in joules."""
    return None if joules is None else round(joules * MICROJOULES_PER_JOULE)


def _plus(left: Figure | None, right: Figure | None, sign: int) -> Figure | None:
    if right is None:
        return left
    return sign * right if left is None else left + sign * right


def _larger(left: Figure | None, right: Figure | None) -> Figure | None:
    if left is None or right is None:
        return right if left is None else left
    return max(left, right)
