"""A run held against its baseline: the verdict, its edges, and what is never compared."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.baseline.comparison import COMPARISON_SCHEMA, Comparison, Verdict, compare
from lightning_carbon.baseline.costs import Baseline, Cost, PartCost
from lightning_carbon.baseline.trials import Change
from lightning_carbon.cli.check.checking import comparison_markdown, comparison_text
from lightning_carbon.errors import ConfigError

WAS = Cost(
    hardware="NVIDIA H100 80GB HBM3",
    work="gpu/bert_base",
    run_id="20261121T101112Z-3fa2",
    ended_at="2026-11-21T10:12:40Z",
    steps=1_200,
    seconds_per_step=0.08,
    parts=(PartCost("gpu", "counter", 40.0), PartCost("package", "modelled", 5.0)),
    samples_per_step=32.0,
    tokens_per_step=16_384.0,
    versions={"torch": "2.12.0", "python": "3.12.3"},
)
BASELINE = Baseline((WAS,))


def now(joules: float = 40.0, modelled: float = 5.0, tokens: float | None = 16_384.0) -> Cost:
    """The same work on the same hardware, some commits later."""
    parts = (PartCost("gpu", "counter", joules), PartCost("package", "modelled", modelled))
    versions = {"torch": "2.13.0", "python": "3.12.3"}
    return replace(WAS, run_id="20261122T080000Z-0001", parts=parts, tokens_per_step=tokens, versions=versions)


@pytest.mark.parametrize(
    ("joules", "verdict"),
    [
        (40.0, Verdict.WITHIN),
        (43.9, Verdict.WITHIN),
        (44.1, Verdict.RISEN),
        (400.0, Verdict.RISEN),
        (36.1, Verdict.WITHIN),
        (35.9, Verdict.FALLEN),
    ],
)
def test_the_verdict_turns_at_the_tolerance(joules: float, verdict: Verdict) -> None:
    """A step of 40 J may take up to 44 J; far less is told, and is no failure."""
    assert verdict == compare(now(joules), BASELINE, 0.1).verdict


def test_without_a_tolerance_any_rise_is_one() -> None:
    """And the same is not."""
    assert [Verdict.WITHIN, Verdict.RISEN] == [compare(now(joules), BASELINE, 0.0).verdict for joules in (40.0, 40.001)]


@given(st.floats(1.0, 1e6), st.floats(0.0, 5.0), st.floats(0.01, 100.0))
def test_the_unit_of_energy_does_not_matter(joules: float, tolerance: float, ratio: float) -> None:
    """A rise is judged by its share, not by its size."""
    was = replace(WAS, parts=(PartCost("gpu", "counter", joules),))
    run = replace(was, parts=(PartCost("gpu", "counter", joules * ratio),))
    found = compare(run, Baseline((was,)), tolerance)

    assert found.step_ratio == pytest.approx(ratio)
    if abs(ratio - 1 - tolerance) > 1e-6:
        assert (found.verdict is Verdict.RISEN) == (ratio > 1 + tolerance)


def test_a_token_may_rise_where_the_step_does_not() -> None:
    """A step with fewer tokens in it that takes as much does less for it."""
    found = compare(now(43.0, tokens=15_700.0), BASELINE, 0.1)

    assert (Verdict.RISEN, 43 / 40) == (found.verdict, found.step_ratio)
    assert found.token_ratio == pytest.approx(43 / 15_700 * 16_384 / 40)
    assert "12.2 % more energy a token than the baseline, more than the 10.0 %" in found.headline()


@pytest.mark.parametrize(
    ("verdict", "step", "token", "unit"),
    [
        (Verdict.RISEN, (1.10, 1.06, 1.14), (1.12, 1.02, 1.25), "step"),
        (Verdict.UNCLEAR, (1.04, 1.03, 1.045), (1.02, 0.98, 1.2), "token"),
        (Verdict.FALLEN, (0.90, 0.88, 0.92), (0.88, 0.8, 0.97), "step"),
    ],
)
def test_the_interval_that_decides_is_the_one_that_is_told(
    verdict: Verdict, step: tuple[float, float, float], token: tuple[float, float, float], unit: str
) -> None:
    """Also where the other unit has changed further, but is less surely known."""
    changes = [
        Change(*figures, p_value=0.01, least_p_value=0.01, trials=5, is_paired=False) for figures in (step, token)
    ]
    found = Comparison(verdict, 0.05, now(), WAS, step[0], token[0], *changes)

    assert f"energy a {unit} than" in found.headline()
    assert {"step": changes[0], "token": changes[1]}[unit].span() in found.headline()


def test_where_one_does_not_count_tokens_only_steps_are_judged() -> None:
    """Absent is absent."""
    found = compare(now(tokens=None), BASELINE, 0.1)

    assert (Verdict.WITHIN, None) == (found.verdict, found.token_ratio)
    assert "token" not in comparison_text(found)


def test_what_is_modelled_is_not_judged_beside_what_is_measured() -> None:
    """However much it rises; it is shown."""
    found = compare(now(modelled=50.0), BASELINE, 0.1)

    assert Verdict.WITHIN is found.verdict
    assert "CPU a step (modelled)" in comparison_text(found)
    assert "+900.0 %" in comparison_text(found)
    assert "What is modelled is shown, and not compared." in comparison_text(found)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((PartCost("gpu", "modelled", 40.0),), "its energy is GPU modelled, and that of the baseline GPU counter"),
        ((PartCost("gpu", "integrated", 40.0),), "its energy is GPU integrated, and"),
        ((PartCost("gpu", "counter", 40.0), PartCost("dram", "counter", 1.0)), "GPU counter, memory counter, and"),
    ],
)
def test_other_provenance_is_never_compared(parts: tuple[PartCost, ...], said: str) -> None:
    """A model is not held against a counter, nor power readings against one, nor more hardware against less."""
    with pytest.raises(ConfigError, match=said):
        compare(replace(now(), parts=parts), BASELINE, 0.1)


def test_models_are_compared_with_models_and_it_is_said() -> None:
    """On a machine without sensors there is nothing else."""
    was = replace(WAS, parts=(PartCost("package", "modelled", 5.0),))
    found = compare(replace(was, parts=(PartCost("package", "modelled", 6.0),)), Baseline((was,)), 0.1)

    assert Verdict.RISEN is found.verdict
    assert "Nothing was measured: all figures are modelled." in comparison_text(found)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (replace(now(), samples_per_step=16.0), "its steps have 16 samples, and those of the baseline 32"),
        (replace(now(), tokens_per_step=8_192.0), "its steps have 8,192 tokens, and those of the baseline 16,384"),
    ],
)
def test_steps_of_other_work_are_not_compared(run: Cost, said: str) -> None:
    """Half a batch takes less, and that is no saving."""
    with pytest.raises(ConfigError, match=said):
        compare(run, BASELINE, 0.1)


def test_other_hardware_has_no_baseline_yet() -> None:
    """Nor has other work; the run is shown alone."""
    run = replace(now(), hardware="NVIDIA A100-SXM4-40GB")
    found = compare(run, BASELINE, 0.1)

    assert (Verdict.NO_BASELINE, None, None) == (found.verdict, found.baseline, found.step_ratio)
    assert "gpu/bert_base on NVIDIA A100-SXM4-40GB: no baseline yet; this run took 40.0 J a step" == found.headline()
    assert "NVIDIA H100" not in comparison_text(found)


def test_the_entry_of_another_model_is_compared_on_demand() -> None:
    """And the verdict says whose it is."""
    run = replace(now(), hardware="NVIDIA H100 NVL")
    found = compare(run, BASELINE, 0.1, hardware="NVIDIA H100 80GB HBM3")

    assert Verdict.WITHIN is found.verdict
    assert "than the baseline (NVIDIA H100 80GB HBM3), within 10.0 %" in found.headline()


def test_the_text_has_the_figures_and_what_they_are_of() -> None:
    """Energies beside each other, both runs, and the versions that differ."""
    text = comparison_text(compare(now(42.0), BASELINE, 0.1)).splitlines()

    assert (
        "gpu/bert_base on NVIDIA H100 80GB HBM3: 5.0 % more energy a step than the baseline, within 10.0 %" == text[0]
    )
    assert ["GPU", "a", "step", "(counter)", "40.0", "J", "42.0", "J", "+5.0", "%"] == text[3].split()
    assert ["a", "token,", "all", "measured", "2.44", "mJ", "2.56", "mJ", "+5.0", "%"] == text[6].split()
    assert text[-2].startswith("The baseline is run 20261121T101112Z-3fa2 of 2026-11-21 (1,200 steps)")
    assert "Versions differ: torch 2.12.0 then, 2.13.0 now." == text[-1]


@pytest.mark.parametrize(
    ("run", "sign", "advice"),
    [
        (now(42.0), "**OK.**", "within 10.0 %."),
        (now(50.0), "**Risen.**", "more than the 10.0 % that are allowed."),
        (now(20.0), "**OK.**", "write a new baseline with --update."),
        (replace(now(), work="other"), "**No baseline.**", "40.0 J a step."),
    ],
)
def test_markdown_is_a_verdict_and_a_table(run: Cost, sign: str, advice: str) -> None:
    """Every row has the columns of the head."""
    lines = comparison_markdown(compare(run, BASELINE, 0.1)).splitlines()
    rows = [line for line in lines if line.startswith("|")]

    assert lines[0].startswith(sign)
    assert lines[0].endswith(advice)
    assert [5] * len(rows) == [row.count("|") for row in rows]
    assert len(rows) >= 4


def test_markdown_shows_names_as_they_are() -> None:
    """A tag, a bar or a backtick in the name of a GPU or of the work is text."""
    run = replace(now(), hardware="GPU <b>x</b> | y", work="a`b`\n# c")
    text = comparison_markdown(compare(run, BASELINE, 0.1))

    assert text.startswith("**No baseline.** a\\`b\\` \\# c on GPU &lt;b&gt;x&lt;/b&gt; \\| y: ")


@pytest.mark.parametrize("found", [compare(now(), BASELINE, 0.1), Comparison(Verdict.NO_BASELINE, 0.1, now())])
def test_the_mapping_is_plain(found: Comparison) -> None:
    """JSON gives back what was put in."""
    mapping = found.as_mapping()

    assert (COMPARISON_SCHEMA, found.verdict, 0.1) == (mapping["schema"], mapping["verdict"], mapping["tolerance"])
    assert mapping == json.loads(json.dumps(mapping))
