"""Several runs held against several: the verdict comes from the interval, and one run on a side is told."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_carbon.baseline.comparison import Comparison, Verdict, compare
from lightning_carbon.baseline.costs import MOST_RUNS, Baseline, Cost, PartCost, RunCost, baseline_from, baseline_to
from lightning_carbon.baseline.several import cost_of_runs
from lightning_carbon.cli.check.checking import comparison_markdown, comparison_text
from lightning_carbon.errors import ConfigError, RecordError

TOLERANCE = 0.1
WAS = Cost(
    hardware="NVIDIA H100 80GB HBM3",
    work="gpu/bert_base",
    run_id="was",
    ended_at="2026-11-21T10:12:40Z",
    steps=1_200,
    seconds_per_step=0.08,
    parts=(PartCost("gpu", "counter", 40.0),),
    tokens_per_step=16_384.0,
)


def costs(*joules: float, name: str = "run") -> list[Cost]:
    """Runs whose steps took so much."""
    return [
        replace(WAS, run_id=f"{name}-{place}", parts=(PartCost("gpu", "counter", value),))
        for place, value in enumerate(joules)
    ]


def drawn(ratio: float, noise: float, count: int = 5, seed: int = 1) -> Cost:
    """Runs with a noise, as one cost."""
    random = Random(seed)
    return cost_of_runs(costs(*(40.0 * ratio * random.lognormvariate(0, noise) for _ in range(count))))


BEFORE = drawn(1.0, 0.005)


@pytest.mark.parametrize(
    ("ratio", "noise", "verdict"),
    [
        (1.0, 0.005, Verdict.WITHIN),
        (1.2, 0.005, Verdict.RISEN),
        (0.8, 0.005, Verdict.FALLEN),
        (1.1, 0.05, Verdict.UNCLEAR),
        (1.05, 0.2, Verdict.UNCLEAR),
    ],
)
def test_the_interval_decides(ratio: float, noise: float, verdict: Verdict) -> None:
    """A rise fails a build where all of its interval is more than allowed, and is unclear where a part is."""
    found = compare(drawn(ratio, noise, seed=2), Baseline((BEFORE,)), TOLERANCE)

    assert verdict is found.verdict
    assert "(95 % interval " in found.headline()
    assert ["95 % interval", "p"] == [word.strip() for word in comparison_markdown(found).splitlines()[2].split("|")][
        5:7
    ]


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.7, 1.4), st.floats(0.0, 0.5))
def test_a_verdict_says_what_its_intervals_say(seed: int, ratio: float, tolerance: float) -> None:
    """Risen, fallen, within and unclear cut the line without a gap."""
    found = compare(drawn(ratio, 0.05, seed=seed), Baseline((BEFORE,)), tolerance)
    assert found.step_change is not None
    low, high = found.step_change.low, found.step_change.high
    expected = (
        Verdict.RISEN
        if low > 1 + tolerance
        else Verdict.UNCLEAR
        if high > 1 + tolerance
        else Verdict.FALLEN
        if high < 1 - tolerance
        else Verdict.WITHIN
    )

    assert expected is found.verdict


def test_the_same_runs_have_not_changed() -> None:
    """Whatever they took: the ratio is 1, and lies in its interval."""
    found = compare(BEFORE, Baseline((BEFORE,)), TOLERANCE)

    assert found.step_change is not None
    assert (1.0, 1.0) == pytest.approx((found.step_ratio, found.token_ratio))
    assert found.step_change.low <= 1 <= found.step_change.high
    assert 1.0 == found.step_change.p_value


def test_too_few_runs_are_told_and_the_figures_decide() -> None:
    """By the median of each side, which is no worse than the one run of before."""
    found = compare(drawn(1.2, 0.005), Baseline((WAS,)), TOLERANCE)

    assert (Verdict.RISEN, None) == (found.verdict, found.step_change)
    assert "1 run of the baseline and 5 now: an interval takes 5 of each" in comparison_text(found)
    assert "95 % interval" not in found.headline()


@pytest.mark.parametrize(
    ("tolerance", "noise", "said"),
    [
        (0.1, 0.1, "To see a change of 10.0 % at this noise takes "),
        (0.0001, 0.1, "This noise hides a change of <0.1 % from any reasonable number of runs."),
        (0.0, 0.1, None),
    ],
)
def test_what_is_unclear_says_how_many_runs_tell(tolerance: float, noise: float, said: str | None) -> None:
    """Where so many can be named."""
    found = compare(drawn(1 + tolerance, noise, seed=3), Baseline((BEFORE,)), tolerance)
    text = comparison_text(found)

    assert found.verdict is Verdict.UNCLEAR
    assert comparison_markdown(found).startswith("**Unclear.**")
    assert (said or "a run varies by") in text
    assert (said is not None) == ("This noise" in text or "at this noise" in text)


def test_tokens_that_some_runs_do_not_count_are_not_compared() -> None:
    """Absent is absent."""
    run = cost_of_runs([replace(cost, tokens_per_step=None) for cost in costs(40.0, 41.0, 42.0, 43.0, 44.0)])
    found = compare(run, Baseline((BEFORE,)), TOLERANCE)

    assert (None, None) == (found.token_ratio, found.token_change)
    assert found.step_change is not None


def test_several_runs_are_the_one_in_the_middle_with_what_each_took() -> None:
    """And the file gives them back; the file of a single run is as it was before."""
    several = cost_of_runs(costs(44.0, 40.0, 41.0, 43.0, 42.0))
    plain = json.loads(json.dumps(baseline_to(Baseline((several,)))))
    single = baseline_to(Baseline((WAS,)))

    assert WAS is cost_of_runs([WAS])
    assert ("run-4", 42.0) == (several.run_id, several.joules_per_step)
    assert [44.0, 40.0, 41.0, 43.0, 42.0] == [run.joules_per_step for run in several.runs]
    assert Baseline((several,)) == baseline_from(plain)
    assert "runs" not in single["entries"][0]
    assert (RunCost("was", 40.0, 40.0 / 16_384),) == baseline_from(single).entries[0].every_run


def test_a_comparison_of_several_is_plain() -> None:
    """JSON gives back what was put in."""
    found: Comparison = compare(drawn(1.1, 0.01), Baseline((BEFORE,)), TOLERANCE)
    mapping = found.as_mapping()

    assert mapping == json.loads(json.dumps(mapping))
    assert found.step_change is not None
    assert (5, found.step_change.low) == (len(mapping["run"]["runs"]), mapping["step_change"]["low"])


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (replace(WAS, run_id="b", work="other"), "its work is other, and that of run was gpu/bert_base"),
        (replace(WAS, run_id="b", hardware="NVIDIA A100"), "its hardware is NVIDIA A100, and that of run was NVIDIA H"),
        (replace(WAS, run_id="b", tokens_per_step=1.0), "its steps have 1 tokens, and those of run was 16,384"),
        (replace(WAS, run_id="b", parts=(PartCost("gpu", "modelled", 1.0),)), "and that of run was GPU counter"),
        (WAS, "it is given twice"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(second: Cost, said: str) -> None:
    """By name, with what differs."""
    with pytest.raises(ConfigError, match=said):
        cost_of_runs([WAS, second])


def test_more_runs_than_help_are_refused() -> None:
    """As arguments, and in a file, which could hold any number."""
    many = costs(*[40.0] * (MOST_RUNS + 1))
    values = baseline_to(Baseline((replace(WAS, runs=tuple(cost.every_run[0] for cost in many)),)))

    with pytest.raises(ConfigError, match="give at most 500"):
        cost_of_runs(many)
    with pytest.raises(RecordError, match="runs has more than 500 runs"):
        baseline_from(values)


def test_a_run_without_energy_in_a_file_is_refused() -> None:
    """Nothing is divided by it."""
    values = baseline_to(Baseline((BEFORE,)))
    values["entries"][0]["runs"][0]["joules_per_step"] = 0.0

    with pytest.raises(RecordError, match=r"joules_per_step is 0\.0"):
        baseline_from(values)
