"""Rows as metrics: what is known, under fixed names, and nothing else."""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.records.rows import (
    FORMER_NAMES,
    METRICS,
    Forecast,
    Metric,
    Row,
    Scope,
    metrics_table,
    present_name,
)

FORMER = Path(__file__).parents[2] / "data" / "former"

ROW = Row(
    seconds=10.0,
    total_joules=3_000.0,
    coverage_ratio=0.5,
    grams_co2e=0.25,
    run_joules=7_200_000.0,
    run_grams_co2e=500.0,
    kind_joules={"gpu": 2_000.0, "package": 900.0, "dram": 100.0, "psys": 1.0},
    phase_joules={"train": 3_000.0},
    run_kind_joules={"gpu": 5_000_000.0, "package": 2_000_000.0, "dram": 200_000.0, "psys": 1.0},
    steps=10,
    step_joules=2_500.0,
    samples=80,
    tokens=1_000,
    machine_joules=4_000.0,
    run_machine_joules=10_800_000.0,
    accepted=40,
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
    run_kind_joules=st.dictionaries(st.sampled_from(["gpu", "package", "dram", "psys"]), st.floats(0, 1e9)),
    steps=st.integers(0, 10**6),
    step_joules=maybe,
    samples=st.none() | st.integers(0, 10**6),
    tokens=st.none() | st.integers(0, 10**9),
)


def test_a_whole_row_has_every_metric() -> None:
    """Every name, by hand."""
    assert ROW.as_metrics() == {
        "energy/row_gpu_joules": 2_000.0,
        "energy/row_cpu_joules": 900.0,
        "energy/row_dram_joules": 100.0,
        "energy/row_joules": 3_000.0,
        "energy/run_gpu_joules": 5_000_000.0,
        "energy/run_cpu_joules": 2_000_000.0,
        "energy/run_dram_joules": 200_000.0,
        "energy/run_joules": 7_200_000.0,
        "energy/run_kwh": 2.0,
        "energy/row_machine_joules": 4_000.0,
        "energy/run_machine_joules": 10_800_000.0,
        "energy/run_machine_kwh": 3.0,
        "power/gpu_watts": 200.0,
        "power/total_watts": 300.0,
        "carbon/row_grams_co2e": 0.25,
        "carbon/run_grams_co2e": 500.0,
        "energy/joules_per_step": 250.0,
        "energy/joules_per_sample": 31.25,
        "energy/joules_per_token": 2.5,
        "energy/run_joules_per_accepted_sample": 180_000.0,
        "energy/coverage_ratio": 0.5,
    }


def test_a_forecast_is_told_with_the_ends_of_its_interval() -> None:
    """Energy in kWh, CO2e at what the energy so far stands for, and time; CO2e is absent where nothing was used yet."""
    forecast = Forecast(Bounds(7.2e6, 3.6e6, 14.4e6), Bounds(90.0, 60.0, 120.0), Bounds(30.0, 0.0, 60.0))
    found = replace(ROW, forecast=forecast).as_metrics("test/", scopes=(Scope.FORECAST,))
    unused = replace(ROW, forecast=forecast, run_joules=0.0, run_grams_co2e=0.0).as_metrics(scopes=(Scope.FORECAST,))

    assert found == {
        "test/energy/forecast_run_kwh": 2.0,
        "test/energy/forecast_run_kwh_low": 1.0,
        "test/energy/forecast_run_kwh_high": 4.0,
        "test/carbon/forecast_run_grams_co2e": 500.0,
        "test/carbon/forecast_run_grams_co2e_low": 250.0,
        "test/carbon/forecast_run_grams_co2e_high": 1_000.0,
        "test/forecast/remaining_seconds": 30.0,
        "test/forecast/remaining_seconds_low": 0.0,
        "test/forecast/remaining_seconds_high": 60.0,
    }
    assert {"energy", "forecast"} == {name.split("/")[0] for name in unused}


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
    assert (f"{prefix}energy/row_joules" in metrics) == (row.total_joules is not None)


def test_none_and_zero_are_distinguished() -> None:
    """A GPU that used nothing reads zero; where there is no GPU there is no number."""
    assert Row(1.0, 0.0, 1.0, 0.0, 0.0, 0.0, {"gpu": 0.0}).as_metrics()["energy/row_gpu_joules"] == 0.0
    assert "energy/row_gpu_joules" not in Row(1.0, 0.0, 1.0, 0.0, 0.0, 0.0).as_metrics()


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_in_the_table_for_the_documentation(metric: Metric) -> None:
    """With its unit and its meaning, one line each."""
    line = f"| `{metric.name}` | {metric.unit} | {metric.meaning} |"

    assert line in metrics_table().splitlines()


def names(scope: Scope) -> set[str]:
    """The metrics of a scope."""
    return {metric.name for metric in METRICS if metric.scope is scope}


def test_energy_and_carbon_come_in_pairs() -> None:
    """What is told of a row is told of the run so far, and the name says which it is."""
    assert {name.replace("/row_", "/run_") for name in names(Scope.ROW)} == names(Scope.RUN) - {
        "energy/run_kwh",
        "energy/run_joules_per_accepted_sample",
        "energy/run_machine_kwh",
    }
    assert all("/row_" in name for name in names(Scope.ROW))
    assert all("/run_" in name for name in names(Scope.RUN))
    assert not [name for name in names(Scope.RATE) if "/row_" in name or "/run_" in name]


def test_the_rest_at_the_end_has_no_rates() -> None:
    """A few milliseconds say nothing of a power or of the energy of a step; what they used is told."""
    metrics = replace(ROW, is_rest=True).as_metrics()

    assert names(Scope.ROW) | names(Scope.RUN) == set(metrics)
    assert ROW.as_metrics() | metrics == ROW.as_metrics()


def test_a_step_has_one_row() -> None:
    """On the step of the row before, the totals of the run go on, and nothing is drawn over that row."""
    assert names(Scope.RUN) == set(ROW.as_metrics_at(7, 7))
    assert {f"test/{name}" for name in names(Scope.RUN)} == set(ROW.as_metrics_at(7, 7, "test/"))
    assert ROW.as_metrics_at(7, 6) == ROW.as_metrics() == ROW.as_metrics_at(0, None)


@pytest.mark.parametrize("before", ["", "train/", "mine-", "mine-validate/"])
@pytest.mark.parametrize("former", FORMER_NAMES)
def test_former_names_are_understood(former: str, before: str) -> None:
    """Whatever a trainer or a logger puts before them; a name that only ends like one stays."""
    present = present_name(before + former)

    assert before + FORMER_NAMES[former] == present
    assert present_name(present) == present
    assert f"my{former}" == present_name(f"my{former}")


def test_no_metric_has_a_former_name() -> None:
    """A name never means two things: former names are of no metric, and what they became is."""
    present = {metric.name for metric in METRICS}

    assert not present.intersection(FORMER_NAMES)
    assert present >= set(FORMER_NAMES.values())


def test_logs_of_former_names_are_read_under_the_present_ones() -> None:
    """A CSV file of Lightning's, written before energy came in pairs: its rows add up to its run."""
    with (FORMER / "metrics.csv").open(encoding="utf-8", newline="") as file:
        logged = [{present_name(name): value for name, value in line.items()} for line in csv.DictReader(file)]
    rows = [line for line in logged if line["energy/row_joules"]]
    grams = [float(line["carbon/run_grams_co2e"]) for line in rows]

    assert sum(float(line["energy/row_joules"]) for line in rows) == pytest.approx(388.705903, abs=1e-6)
    assert all(earlier < later for earlier, later in pairwise(grams))
    assert {metric.name for metric in METRICS} >= {name for name in logged[0] if "/" in name} - {
        "train/loss",
        "val/loss",
    }
