"""Several runs of the same work as one cost, with what each took. Pure."""

from __future__ import annotations

from collections import Counter
from statistics import median_low
from typing import TYPE_CHECKING, Final

from lightning_carbon.baseline.costs import MOST_RUNS
from lightning_carbon.energy.readings import kind_word
from lightning_carbon.errors import ConfigError
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.baseline.costs import Cost, PartCost

SAME_WORK: Final = 0.05
"""The tolerance for the mean number of samples or tokens of a step, which differs where data are drawn anew."""


def cost_of_runs(costs: Sequence[Cost]) -> Cost:
    """The cost of several runs of the same work: that of the run in the middle, with what each took.

    Args:
        costs: The costs of at least one run.

    Raises:
        ConfigError: There are too many, a run is given twice, or they differ in work, hardware or sensors.
    """
    first = costs[0]
    if len(costs) == 1:
        return first
    if len(costs) > MOST_RUNS:
        raise ConfigError("runs", len(costs), f"give at most {MOST_RUNS:,}; more tell no more.")
    for cost in costs[1:]:
        for what, mine, theirs in (("hardware", cost.hardware, first.hardware), ("work", cost.work, first.work)):
            if mine != theirs:
                fix = f"its {what} is {mine}, and that of run {first.run_id} {theirs}; check runs of the same {what}."
                raise ConfigError("run", cost.run_id, fix)
        check_same_work(cost, first, f"run {first.run_id}", remedy="check runs that were metered alike")
    twice = [run_id for run_id, count in Counter(cost.run_id for cost in costs).items() if count > 1]
    if twice:
        raise ConfigError("run", twice[0], "it is given twice, and would seem to vary less than runs do; give it once.")
    middle = median_low(cost.joules_per_step for cost in costs)
    shown = next(cost for cost in costs if cost.joules_per_step == middle)
    return replace(shown, runs=tuple(cost.every_run[0] for cost in costs))


def check_same_work(run: Cost, other: Cost, whose: str, *, remedy: str) -> None:
    """Refuse to compare costs that were not measured alike, or whose steps do other work.

    Args:
        run: What is compared.
        other: What it is compared with.
        whose: What the other is called in the error.
        remedy: What else helps.

    Raises:
        ConfigError: The two cannot be compared.
    """
    if _kinds(run.judged) != _kinds(other.judged):
        raise ConfigError(
            "run",
            run.run_id,
            f"its energy is {_said(run.judged)}, and that of {whose} {_said(other.judged)}: these do not compare; "
            f"make the same sensors available, or {remedy}.",
        )
    for name, mine, theirs in (
        ("samples", run.samples_per_step, other.samples_per_step),
        ("tokens", run.tokens_per_step, other.tokens_per_step),
    ):
        if mine and theirs and abs(mine / theirs - 1) > SAME_WORK:
            raise ConfigError(
                "run",
                run.run_id,
                f"its steps have {mine:,.6g} {name}, and those of {whose} {theirs:,.6g}: that is other work; "
                f"give the run a name of its own, or {remedy}.",
            )


def _kinds(parts: Sequence[PartCost]) -> set[tuple[str, str]]:
    return {(part.kind, part.provenance) for part in parts}


def _said(parts: Sequence[PartCost]) -> str:
    return ", ".join(f"{kind_word(part.kind)} {part.provenance}" for part in parts)
