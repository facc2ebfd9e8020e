"""The comparison of a run with its baseline: what changed, by how much, and whether that is too much. Pure."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.readings import kind_word
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.numbers import ENERGY, NOTHING, amount, percent
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.baseline.costs import Baseline, Cost, PartCost

COMPARISON_SCHEMA: Final = 1
SAME_WORK: Final = 0.05
"""The tolerance for the mean number of samples or tokens of a step, which differs where data are drawn anew."""


class Verdict(StrEnum):
    """The judgement of a run."""

    WITHIN = "within"
    """The energy neither rose nor fell by more than the tolerance."""
    RISEN = "risen"
    """A step, or a token, takes more energy than the tolerance allows."""
    FALLEN = "fallen"
    """The energy fell by more than the tolerance: the baseline is out of date."""
    NO_BASELINE = "no-baseline"
    """The baseline has no entry of this work on this hardware."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run beside its baseline.

    Args:
        verdict: The judgement.
        tolerance: The share by which energy may rise.
        run: What the run cost.
        baseline: The entry of the baseline; ``None`` where there is none.
        step_ratio: The energy of a step over that of the baseline; ``None`` where that is not known.
        token_ratio: The same for a token; ``None`` where either does not know their number.
    """

    verdict: Verdict
    tolerance: float
    run: Cost
    baseline: Cost | None = None
    step_ratio: float | None = None
    token_ratio: float | None = None

    def as_mapping(self) -> dict[str, Any]:
        """The comparison as plain values."""
        mapping = {"schema": COMPARISON_SCHEMA, **asdict(self)}
        for name in ("run", "baseline"):
            if mapping[name] is not None:
                mapping[name]["parts"] = list(mapping[name]["parts"])
        return mapping

    def headline(self) -> str:
        """The verdict, in a sentence."""
        what = f"{self.run.work} on {self.run.hardware}"
        if self.baseline is None or self.step_ratio is None:
            return f"{what}: no baseline yet; this run took {_joules(self.run.joules_per_step)} a step"
        ratios = [ratio for ratio in (self.step_ratio, self.token_ratio) if ratio is not None]
        decisive = min(ratios) if self.verdict is Verdict.FALLEN else max(ratios)
        unit = "step" if decisive == self.step_ratio else "token"
        change = f"{_change(decisive)} energy a {unit} than the baseline"
        limit = percent(self.tolerance)
        other = f" ({self.baseline.hardware})" if self.baseline.hardware != self.run.hardware else ""
        match self.verdict:
            case Verdict.RISEN:
                return f"{what}: {change}{other}, more than the {limit} that are allowed"
            case Verdict.FALLEN:
                return f"{what}: {change}{other}; write a new baseline with --update"
            case _:
                return f"{what}: {change}{other}, within {limit}"

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The figures behind the verdict: for each kind of hardware, the baseline, the run and the change."""
        was = self.baseline
        before = {} if was is None else {(part.kind, part.provenance): part.joules_per_step for part in was.parts}
        now = {(part.kind, part.provenance): part.joules_per_step for part in self.run.parts}
        rows = [
            _row(f"{kind_word(part[0])} a step ({part[1]})", before.get(part), now.get(part))
            for part in sorted({*before, *now})
        ]
        judged = "measured" if self.run.judged[0].is_measured else "modelled"
        sums = (None if was is None else was.joules_per_step, self.run.joules_per_step)
        rows.append(_row(f"a step, all {judged}", *sums))
        if self.run.joules_per_token is not None:
            sums = (None if was is None else was.joules_per_token, self.run.joules_per_token)
            rows.append(_row(f"a token, all {judged}", *sums))
        return rows

    def notes(self) -> list[str]:
        """The notes on the figures, a sentence each."""
        notes = []
        if len(self.run.judged) < len(self.run.parts):
            notes.append("What is modelled is shown, and not compared.")
        if not self.run.judged[0].is_measured:
            notes.append("Nothing was measured: all figures are modelled.")
        if self.baseline is not None:
            made = f"The baseline is run {self.baseline.run_id} of {self.baseline.ended_at[:10]}"
            notes.append(f"{made} ({self.baseline.steps:,} steps); this one is {self.run.run_id} ({self.run.steps:,}).")
            changed = [
                f"{name} {version} then, {self.run.versions[name]} now"
                for name, version in self.baseline.versions.items()
                if self.run.versions.get(name, version) != version
            ]
            notes += [f"Versions differ: {', '.join(changed)}."] if changed else []
        return notes


def compare(run: Cost, baseline: Baseline, tolerance: float, *, hardware: str | None = None) -> Comparison:
    """Compare a run with its entry in a baseline.

    Args:
        run: What the run cost.
        baseline: The baseline.
        tolerance: The share by which the energy of a step or a token may rise.
        hardware: The hardware of the entry; by default that of the run.

    Raises:
        ConfigError: The two cannot be compared: one was measured and the other modelled, or their steps do other work.
    """
    was = baseline.find(hardware or run.hardware, run.work)
    if was is None:
        return Comparison(Verdict.NO_BASELINE, tolerance, run)
    if _kinds(run.judged) != _kinds(was.judged):
        raise ConfigError(
            "run",
            run.run_id,
            f"its energy is {_said(run.judged)}, and that of the baseline {_said(was.judged)}: these do not compare; "
            "make the same sensors available, or write a new baseline with --update.",
        )
    for name, mine, theirs in (
        ("samples", run.samples_per_step, was.samples_per_step),
        ("tokens", run.tokens_per_step, was.tokens_per_step),
    ):
        if mine and theirs and abs(mine / theirs - 1) > SAME_WORK:
            raise ConfigError(
                "run",
                run.run_id,
                f"its steps have {mine:,.6g} {name}, and those of the baseline {theirs:,.6g}: that is other work; "
                "give the run a name of its own, or write a new baseline with --update.",
            )
    step = run.joules_per_step / was.joules_per_step
    token = None
    if run.joules_per_token is not None and was.joules_per_token is not None:
        token = run.joules_per_token / was.joules_per_token
    return Comparison(_verdict([step] if token is None else [step, token], tolerance), tolerance, run, was, step, token)


def _verdict(ratios: Sequence[float], tolerance: float) -> Verdict:
    if max(ratios) > 1 + tolerance:
        return Verdict.RISEN
    return Verdict.FALLEN if min(ratios) < 1 - tolerance else Verdict.WITHIN


def _kinds(parts: Sequence[PartCost]) -> set[tuple[str, str]]:
    return {(part.kind, part.provenance) for part in parts}


def _said(parts: Sequence[PartCost]) -> str:
    return ", ".join(f"{kind_word(part.kind)} {part.provenance}" for part in parts)


def _row(name: str, before: float | None, now: float | None) -> tuple[str, str, str, str]:
    change = NOTHING if not before or now is None else f"{now / before - 1:+.1%}".replace("%", " %")
    return (name, _joules(before), _joules(now), change)


def _joules(value: float | None) -> str:
    return NOTHING if value is None else amount(value, ENERGY)


def _change(ratio: float) -> str:
    return f"{percent(abs(ratio - 1))} {'more' if ratio >= 1 else 'less'}"
