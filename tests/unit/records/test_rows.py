"""Rows as metrics: what is known, under fixed names, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.records.rows import METRICS, Metric, Row, metrics_table

ROW = Row(
    seconds=10.0,
    total_joules=3_000.0,
    coverage_ratio=0.5,
    grams_co2e=0.25,
    run_joules=7_200_000.0,
    run_grams_co2e=500.0,
    kind_joules={"gpu": 2_000.0, "package": 900.0, "dram": 100.0, "psys": 1.0},
    phase_joules={"train": 3_000.0},
    steps=10,
    step_joules=2_500.0,
    samples=80,
    tokens=1_000,
)

maybe = st.none() | st.floats(0, 1e9)
rows = st.builds(
    Row,
    seconds=st.floats(0, 1e6),
    total_joules=maybe,
    coverage_ratio=st.none() | st.floats(0, 1),
    grams_co2e=maybe,
    run_joules=maybe,
    run_grams_co2e=maybe,
    kind_joules=st.dictionaries(st.sampled_from(["gpu", "package", "dram", "psys"]), st.floats(0, 1e9)),
    steps=st.integers(0, 10**6),
    step_joules=maybe,
    samples=st.none() | st.integers(0, 10**6),
    tokens=st.none() | st.integers(0, 10**9),
)


def test_a_whole_row_has_every_metric() -> None:
    """Every name, by hand."""
    assert ROW.as_metrics() == {
        "energy/gpu_joules": 2_000.0,
        "energy/cpu_joules": 900.0,
        "energy/dram_joules": 100.0,
        "energy/total_joules": 3_000.0,
        "energy/run_kwh": 2.0,
        "power/gpu_watts": 200.0,
        "power/total_watts": 300.0,
        "carbon/row_grams_co2e": 0.25,
        "carbon/run_grams_co2e": 500.0,
        "energy/joules_per_step": 250.0,
        "energy/joules_per_sample": 31.25,
        "energy/joules_per_token": 2.5,
        "energy/coverage_ratio": 0.5,
    }


def test_a_row_without_energy_has_no_metrics() -> None:
    """Where nothing is measured nothing is logged, rather than zeros."""
    assert Row(10.0, None, None, None, None, None, steps=10, samples=80).as_metrics() == {}


@given(rows, st.text(max_size=5))
def test_a_row_tells_what_it_knows_and_no_more(row: Row, prefix: str) -> None:
    """Metrics are numbers under known names, in the table's order; what a quotient lacks makes it absent."""
    metrics = row.as_metrics(prefix)
    names = [prefix + metric.name for metric in METRICS]

    assert list(metrics) == [name for name in names if name in metrics]
    assert all(isinstance(value, float) for value in metrics.values())
    assert (f"{prefix}energy/joules_per_step" in metrics) == (row.step_joules is not None and row.steps > 0)
    assert (f"{prefix}power/total_watts" in metrics) == (row.total_joules is not None and row.seconds > 0)
    assert (f"{prefix}energy/total_joules" in metrics) == (row.total_joules is not None)


def test_none_and_zero_are_told_apart() -> None:
    """A GPU that used nothing reads zero; where there is no GPU there is no number."""
    assert Row(1.0, 0.0, 1.0, 0.0, 0.0, 0.0, {"gpu": 0.0}).as_metrics()["energy/gpu_joules"] == 0.0
    assert "energy/gpu_joules" not in Row(1.0, 0.0, 1.0, 0.0, 0.0, 0.0).as_metrics()


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_in_the_table_for_the_documentation(metric: Metric) -> None:
    """With its unit and its meaning, one line each."""
    line = f"| `{metric.name}` | {metric.unit} | {metric.meaning} |"

    assert line in metrics_table().splitlines()
