"""The comparison of a run with its baseline: what changed, by how much, and whether that is too much. Pure."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.baseline.several import check_same_work
from lightning_carbon.baseline.trials import LEAST_TRIALS, Change, change, needed_words, noise_of
from lightning_carbon.energy.readings import kind_word
from lightning_carbon.records.numbers import ENERGY, NOTHING, amount, digits, percent, signed_percent
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.baseline.costs import Baseline, Cost, RunCost

COMPARISON_SCHEMA: Final = 1


class Verdict(StrEnum):
    """The judgement of a run."""

    WITHIN = "within"
    """The energy neither rose nor fell by more than the tolerance."""
    RISEN = "risen"
    """A step, or a token, takes more energy than the tolerance allows."""
    UNCLEAR = "unclear"
    """The interval holds both rises that are allowed and rises that are not: more runs would tell."""
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
        step_change: The change of a step with its interval; ``None`` where there are too few runs for one.
        token_change: The same for a token.
    """

    verdict: Verdict
    tolerance: float
    run: Cost
    baseline: Cost | None = None
    step_ratio: float | None = None
    token_ratio: float | None = None
    step_change: Change | None = None
    token_change: Change | None = None

    def as_mapping(self) -> dict[str, Any]:
        """The comparison as plain values."""
        mapping = {"schema": COMPARISON_SCHEMA, **asdict(self)}
        for name in ("run", "baseline"):
            if mapping[name] is not None:
                mapping[name] |= {key: list(mapping[name][key]) for key in ("parts", "runs")}
        return mapping

    def headline(self) -> str:
        """The verdict, in a sentence."""
        what = f"{self.run.work} on {self.run.hardware}"
        if self.baseline is None or self.step_ratio is None:
            return f"{what}: no baseline yet; this run took {_joules(self.run.joules_per_step)} a step"
        unit, ratio, found = self._decisive(self.step_ratio)
        change = f"{_change(ratio)} energy a {unit} than the baseline"
        limit = percent(self.tolerance)
        other = f" ({self.baseline.hardware})" if self.baseline.hardware != self.run.hardware else ""
        if found is not None:
            other += f" (95 % interval {found.span()}, p = {digits(found.p_value)})"
        match self.verdict:
            case Verdict.RISEN:
                return f"{what}: {change}{other}, more than the {limit} that are allowed"
            case Verdict.UNCLEAR:
                return f"{what}: {change}{other}, which may be more than the {limit} that are allowed"
            case Verdict.FALLEN:
                return f"{what}: {change}{other}; write a new baseline with --update"
            case _:
                return f"{what}: {change}{other}, within {limit}"

    def _decisive(self, step_ratio: float) -> tuple[str, float, Change | None]:
        """The unit whose change decides the verdict, its ratio and its change."""
        known = [("step", step_ratio, self.step_change)]
        if self.token_ratio is not None:
            known.append(("token", self.token_ratio, self.token_change))

        def ends(unit: tuple[str, float, Change | None]) -> tuple[float, float]:
            _, ratio, found = unit
            return (ratio, ratio) if found is None else (found.low, found.high)

        # Between equals the step, which every run has.
        match self.verdict:
            case Verdict.RISEN:
                return max(known, key=lambda unit: ends(unit)[0])
            case Verdict.FALLEN:
                return min(known, key=lambda unit: ends(unit)[1])
            case _:
                return max(known, key=lambda unit: ends(unit)[1])

    def rows(self) -> list[tuple[str, ...]]:
        """The figures behind the verdict: the baseline, the run and the change, with interval and p-value if known."""
        was = self.baseline
        before = {} if was is None else {(part.kind, part.provenance): part.joules_per_step for part in was.parts}
        now = {(part.kind, part.provenance): part.joules_per_step for part in self.run.parts}
        rows = [
            _row(f"{kind_word(part[0])} a step ({part[1]})", before.get(part), now.get(part))
            for part in sorted({*before, *now})
        ]
        judged = "measured" if self.run.judged[0].is_measured else "modelled"
        sums = (None if was is None else middle_step(was), middle_step(self.run))
        rows.append(_row(f"a step, all {judged}", *sums, found=self.step_change))
        mine = middle_token(self.run)
        if mine is not None:
            rows.append(
                _row(
                    f"a token, all {judged}", None if was is None else middle_token(was), mine, found=self.token_change
                )
            )
        return rows if self.step_change is not None else [row[:-2] for row in rows]

    def notes(self) -> list[str]:
        """The notes on the figures, a sentence each."""
        notes = []
        if len(self.run.judged) < len(self.run.parts):
            notes.append("What is modelled is shown, and not compared.")
        if not self.run.judged[0].is_measured:
            notes.append("Nothing was measured: all figures are modelled.")
        if self.baseline is not None:
            notes += self._about_runs(self.baseline)
            made = f"The baseline is run {self.baseline.run_id} of {self.baseline.ended_at[:10]}"
            notes.append(f"{made} ({self.baseline.steps:,} steps); this one is {self.run.run_id} ({self.run.steps:,}).")
            changed = [
                f"{name} {version} then, {self.run.versions[name]} now"
                for name, version in self.baseline.versions.items()
                if self.run.versions.get(name, version) != version
            ]
            notes += [f"Versions differ: {', '.join(changed)}."] if changed else []
        return notes

    def _about_runs(self, was: Cost) -> list[str]:
        """The notes on how many runs stand behind the figures, and whether that is enough."""
        counts = f"{_runs(was)} of the baseline and {len(self.run.every_run)} now"
        if self.step_change is None:
            rule = "the figures themselves are held against what is allowed"
            return [f"{counts}: an interval takes {LEAST_TRIALS} of each, so {rule}."]
        noise = noise_of(
            *([run.joules_per_step for run in cost.every_run] for cost in (was, self.run)), is_paired=False
        )
        notes = [
            f"{counts}; a run varies by {percent(noise)} (standard deviation). The rows by hardware are one run's."
        ]
        if self.verdict is Verdict.UNCLEAR and 0 < self.tolerance < 1:
            notes.append(needed_words(self.tolerance, noise, "runs"))
        return notes


def compare(run: Cost, baseline: Baseline, tolerance: float, *, hardware: str | None = None) -> Comparison:
    """Compare a run, or several, with their entry in a baseline.

    Where there are enough runs on both sides, the 95 % interval of the change decides; else the figures themselves do.

    Args:
        run: What the run cost, or the runs of the same work.
        baseline: The baseline.
        tolerance: The share by which the energy of a step or a token may rise.
        hardware: The hardware of the entry; by default that of the run.

    Raises:
        ConfigError: The two cannot be compared: one was measured and the other modelled, or their steps do other work.
    """
    was = baseline.find(hardware or run.hardware, run.work)
    if was is None:
        return Comparison(Verdict.NO_BASELINE, tolerance, run)
    check_same_work(run, was, "the baseline", remedy="write a new baseline with --update")
    step = _change_of(
        [cost.joules_per_step for cost in was.every_run], [cost.joules_per_step for cost in run.every_run]
    )
    of_tokens = [_tokens(was.every_run), _tokens(run.every_run)]
    token = _change_of(*of_tokens) if all(of_tokens) else (None, None)
    ratios = [step[0]] if token[0] is None else [step[0], token[0]]
    changes = [found for found in (step[1], token[1]) if found is not None]
    spans = [(found.low, found.high) for found in changes] or [(ratio, ratio) for ratio in ratios]
    return Comparison(_verdict(spans, tolerance), tolerance, run, was, step[0], token[0], step[1], token[1])


def middle_step(cost: Cost) -> float:
    """The median of the energy of a step over the runs of a cost, in joules."""
    return median(run.joules_per_step for run in cost.every_run)


def middle_token(cost: Cost) -> float | None:
    """The same for a token; ``None`` where a run does not know their number."""
    tokens = _tokens(cost.every_run)
    return median(tokens) if tokens else None


def _tokens(runs: Sequence[RunCost]) -> list[float]:
    """The energy of a token in every run, or nothing where one does not know it."""
    known = [run.joules_per_token for run in runs if run.joules_per_token is not None]
    return known if len(known) == len(runs) else []


def _change_of(before: Sequence[float], now: Sequence[float]) -> tuple[float, Change | None]:
    """The ratio of what runs take now to what they took before, and the change where there are runs enough."""
    if min(len(before), len(now)) < LEAST_TRIALS:
        return median(now) / median(before), None
    found = change(before, now)
    return found.ratio, found


def _verdict(spans: Sequence[tuple[float, float]], tolerance: float) -> Verdict:
    """The judgement of changes between a lowest and a highest ratio, which are the same where there is no interval."""
    if any(low > 1 + tolerance for low, _ in spans):
        return Verdict.RISEN
    if any(high > 1 + tolerance for _, high in spans):
        return Verdict.UNCLEAR
    return Verdict.FALLEN if any(high < 1 - tolerance for _, high in spans) else Verdict.WITHIN


def _row(name: str, before: float | None, now: float | None, *, found: Change | None = None) -> tuple[str, ...]:
    ratio = None if not before or now is None else now / before
    if found is not None:
        ratio = found.ratio
    change = NOTHING if ratio is None else signed_percent(ratio)
    span, chance = (NOTHING, NOTHING) if found is None else (found.span(), digits(found.p_value))
    return (name, _joules(before), _joules(now), change, span, chance)


def _runs(cost: Cost) -> str:
    count = len(cost.every_run)
    return "1 run" if count == 1 else f"{count} runs"


def _joules(value: float | None) -> str:
    return NOTHING if value is None else amount(value, ENERGY)


def _change(ratio: float) -> str:
    return f"{percent(abs(ratio - 1))} {'more' if ratio >= 1 else 'less'}"
