"""What TensorBoard gets beside the rows: names and layout."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from lightning_carbon.records.rows import FORMER_NAMES, METRICS
from lightning_carbon.report.board import CHARTS, SHOWN, layout

NAMES = {metric.name for metric in METRICS}


def test_no_metric_has_a_name_of_what_is_shown() -> None:
    """TensorBoard shows one kind of thing under a name; and ours stand in the groups of our metrics."""
    names = [metric.name for metric in SHOWN]

    assert len(names) == len(set(names))
    assert set() == NAMES.intersection(names)
    assert {name.split("/")[0] for name in names} <= {name.split("/")[0] for name in NAMES}


def test_charts_show_metrics_that_there_are() -> None:
    """Every metric has its place, each once, save the one that tells how far to trust the others."""
    charted = list(chain.from_iterable(metrics for charts in CHARTS.values() for metrics in charts.values()))

    assert sorted(NAMES - {"energy/coverage_ratio"}) == sorted(charted)


def test_a_chart_finds_its_metrics_under_every_trainer() -> None:
    """In Lightning, with a logger's prefix or without, and in Hugging Face; and nothing that only begins like it."""
    [(kind, [gpu, total])] = layout(["power/total_watts"])["Power"].values()

    assert "Multiline" == kind
    for name in ("power/total_watts", "train/power/total_watts", "mine-power/total_watts"):
        assert re.match(total, name)
        assert not re.match(gpu, name)
    assert not re.match(total, "power/total_watts_squared")
    assert not re.match(total, "validate/power/total_watts")


def test_what_was_not_logged_has_no_chart() -> None:
    """No chart stands empty, and a category without charts is not there."""
    assert {"Power": ["power (W)"], "Carbon": ["CO2e of the run (g)"]} == {
        category: list(charts) for category, charts in layout({"power/gpu_watts", "carbon/run_grams_co2e"}).items()
    }
    assert {} == layout([])


def test_equal_charts_of_runs_with_and_without_a_gpu_are_one() -> None:
    """TensorBoard merges charts that are equal, so what is in a chart does not depend on what the run has."""
    without, with_gpu = layout({"power/total_watts"}), layout({"power/total_watts", "power/gpu_watts"})

    assert without == with_gpu


@pytest.mark.parametrize("former", FORMER_NAMES)
def test_runs_of_before_are_in_the_same_charts(former: str) -> None:
    """A chart finds what a run of before logged under a former name, in every trainer."""
    patterns = [pattern for chart in layout(NAMES)["Energy"].values() for pattern in chart[1]]

    for before in ("", "train/", "mine-"):
        assert 1 == sum(re.match(pattern, before + former) is not None for pattern in patterns)
        assert 1 == sum(re.match(pattern, before + FORMER_NAMES[former]) is not None for pattern in patterns)
