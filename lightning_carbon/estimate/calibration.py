"""Evidence behind the ranges of an estimate: trainings whose power was measured, and hours that were published. Pure.

Each figure that is assumed follows from these by a rule, and :func:`held_out` applies the rule to each training with
that training left out. ``factors`` holds the results, rounded; the tests hold both together.

    accelerator's share of its rating  =  (power of the machine / rating - fixed part) / (1 + share of the rest)
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.estimate.accelerators import find_accelerator
from lightning_carbon.estimate.factors import FLOPS_PER_PARAMETER_AND_TOKEN, HOST_FIXED, HOST_SHARE, SMALL_PARAMETERS
from lightning_carbon.units import SECONDS_PER_HOUR
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_Item = TypeVar("_Item", "MeasuredTraining", "PublishedHours")
_FOLDER = Path(__file__).with_name("data")
MACHINE, ACCELERATORS = "machine", "accelerators"
LANGUAGE = "language"
_TPUS = "Google"
FEW = 5
"""Up to so many trainings, the widest of them say little of the next."""
MARGIN_OF_FEW = 1.35
"""How far beyond the ends of a few trainings the next may lie, as a factor; ours."""
MARGIN_OF_MFU = 1.13
"""The same beyond the ends of many published hours; ours."""


@dataclass(frozen=True, slots=True)
class MeasuredTraining:
    """A training whose power was measured.

    Args:
        name: For people.
        accelerator: The accelerator, by its name in the table.
        count: The number of accelerators.
        boundary: What the power is of: the machine's share of an accelerator, or the accelerator alone.
        kind: ``"language"`` for language models trained at full speed, else ``"other"``.
        watts: Mean power for one accelerator.
        source: Who measured it.
        year: The year of that source.
        url: The address of the source.
    """

    name: str
    accelerator: str
    count: int
    boundary: str
    kind: str
    watts: float
    source: str
    year: int
    url: str

    @property
    def ratio(self) -> float:
        """Its power over the rated power of the accelerator."""
        rated = find_accelerator(self.accelerator).power_watts
        assert rated is not None  # noqa: S101 - a test holds the table to that
        return self.watts / rated

    @property
    def share(self) -> float:
        """The power of the accelerator alone over its rating, by the central model of the rest of the machine."""
        if self.boundary == ACCELERATORS:
            return self.ratio
        return min(1.0, (self.ratio - HOST_FIXED.span.value) / (1 + HOST_SHARE.span.value))

    @property
    def is_tpu(self) -> bool:
        """Whether its accelerator is a TPU, whose rating is far above what training takes."""
        return find_accelerator(self.accelerator).vendor == _TPUS


@dataclass(frozen=True, slots=True)
class PublishedHours:
    """A language model of published size, tokens and hours.

    Args:
        name: For people.
        accelerator: The accelerator, by its name in the table.
        parameters: The parameters that a token passes.
        tokens: The tokens that it was trained on.
        hours: The hours of all accelerators together.
        source: Who published it.
        year: The year of that source.
        url: The address of the source.
    """

    name: str
    accelerator: str
    parameters: float
    tokens: float
    hours: float
    source: str
    year: int
    url: str

    @property
    def mfu(self) -> float:
        """The share of the dense peak, in the usual format of training, that its arithmetic took."""
        _, peak = find_accelerator(self.accelerator).peak()
        flops = FLOPS_PER_PARAMETER_AND_TOKEN * self.parameters * self.tokens
        return flops / (self.hours * SECONDS_PER_HOUR * peak)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A training, beside the range that the others give it.

    Args:
        name: For people.
        what: What is compared.
        found: The measured or published figure.
        span: The figure that follows from all other trainings, with its range.
        source: The source of the measured or published figure.
    """

    name: str
    what: str
    found: float
    span: Bounds[float]
    source: str

    @property
    def is_inside(self) -> bool:
        """Whether the measured figure lies in the range."""
        return self.span.low <= self.found <= self.span.high


@cache
def measured_trainings() -> tuple[MeasuredTraining, ...]:
    """Every training whose power was measured."""
    return tuple(
        MeasuredTraining(
            row["name"],
            row["accelerator"],
            int(row["count"]),
            row["boundary"],
            row["kind"],
            float(row["watts"]),
            row["source"],
            int(row["year"]),
            row["url"],
        )
        for row in _rows("measured_trainings.csv")
    )


@cache
def published_hours() -> tuple[PublishedHours, ...]:
    """Every language model of published hours."""
    return tuple(
        PublishedHours(
            row["name"],
            row["accelerator"],
            float(row["parameters"]),
            float(row["tokens"]),
            float(row["hours"]),
            row["source"],
            int(row["year"]),
            row["url"],
        )
        for row in _rows("published_hours.csv")
    )


def training_share(trainings: Iterable[MeasuredTraining]) -> Bounds[float]:
    """The accelerator's share of its rating while it trains something, TPUs left out: from the least to the rating."""
    shares = [training.share for training in trainings if not training.is_tpu]
    return Bounds(median(shares), min(shares), 1.0)


def full_share(trainings: Iterable[MeasuredTraining]) -> Bounds[float]:
    """The same of language models that are trained at full speed."""
    return training_share(training for training in trainings if training.kind == LANGUAGE)


def tpu_share(trainings: Iterable[MeasuredTraining]) -> Bounds[float]:
    """The same of TPUs, with a margin, since they are few; TPU v4's rating is a mean and says nothing of the others."""
    ratios = [training.ratio for training in trainings if training.is_tpu and training.ratio < 1]
    ends = Bounds(median(ratios), min(ratios) / MARGIN_OF_FEW, max(ratios) * MARGIN_OF_FEW)
    return ends.combine(HOST_FIXED.span, _less).combine(HOST_SHARE.span, _without)


def mfu_of(models: Iterable[PublishedHours]) -> Bounds[float]:
    """The share of the peak that models reached, with a margin."""
    reached = [model.mfu for model in models]
    margin = MARGIN_OF_FEW if len(reached) <= FEW else MARGIN_OF_MFU
    return Bounds(median(reached), min(reached) / margin, max(reached) * margin)


def machine_ratio(share: Bounds[float]) -> Bounds[float]:
    """The power of a machine over the rating of its accelerators, for the accelerator's share of that rating."""
    return share.combine(share.times(HOST_SHARE.span), _plus).combine(HOST_FIXED.span, _plus)


def held_out(*, whole_sources: bool = False) -> Iterator[HeldOut]:
    """Every training beside the range that all others give it: the power of each, then the share of the peak.

    Args:
        whole_sources: Whether "all others" are those of other sources, whose machines and authors are others, too.
    """
    trainings, models = measured_trainings(), published_hours()
    for training in trainings:
        rest = _all_but(trainings, training, whole_sources=whole_sources)
        is_known = training.is_tpu and any(peer.is_tpu for peer in rest if peer.ratio < 1)
        share = tpu_share(rest) if is_known else training_share(rest)
        span = share if training.boundary == ACCELERATORS else machine_ratio(share)
        what = f"power of the {training.boundary} / rating"
        yield HeldOut(training.name, what, training.ratio, span, training.source)
    for model in models:
        is_small = model.parameters < SMALL_PARAMETERS
        models_left = _all_but(models, model, whole_sources=whole_sources)
        alike = [peer for peer in models_left if (peer.parameters < SMALL_PARAMETERS) == is_small]
        yield HeldOut(model.name, "MFU", model.mfu, mfu_of(alike or models_left), model.source)


def _all_but(items: Sequence[_Item], left_out: _Item, *, whole_sources: bool) -> list[_Item]:
    if whole_sources:
        return [item for item in items if _author(item) != _author(left_out)]
    return [item for item in items if item is not left_out]


def _author(item: MeasuredTraining | PublishedHours) -> str:
    """The author of a source: what stands before its first comma, or before "et al."."""
    return item.source.partition(",")[0].partition(" et al")[0]


def _less(ratio: float, fixed: float) -> float:
    return ratio - fixed


def _without(amount: float, share: float) -> float:
    return amount / (1 + share)


def _plus(amount: float, more: float) -> float:
    return amount + more


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))
