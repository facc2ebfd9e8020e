"""What Weights & Biases is told of our metrics."""

from __future__ import annotations

from typing import Any

from lightning_carbon.integrations.trackers.wandb import define_metrics
from lightning_carbon.records.rows import METRICS, Scope


class Run:
    """A run of wandb that keeps what is defined."""

    def __init__(self) -> None:
        self.defined: dict[str, dict[str, Any]] = {}

    def define_metric(self, name: str, **settings: Any) -> None:  # noqa: ANN401 - as wandb's
        """Keep it."""
        self.defined[name] = settings


def test_the_run_so_far_stands_for_a_run() -> None:
    """Its last value is the total, plainly, as by default; a row is no figure of a run, and a rate has a mean."""
    run = Run()
    define_metrics(run, "train/", "train/global_step")
    summaries = {name.removeprefix("train/"): settings["summary"] for name, settings in run.defined.items()}

    assert {metric.name for metric in METRICS if metric.scope in {Scope.ROW, Scope.RATE}} == summaries.keys()
    assert "none" == summaries["energy/row_joules"] == summaries["carbon/row_grams_co2e"]
    assert "mean" == summaries["power/total_watts"] == summaries["energy/joules_per_step"]


def test_metrics_stay_on_the_axis_of_the_loss() -> None:
    """What is defined for a single metric replaces what a trainer has defined for all."""
    run = Run()
    define_metrics(run, "", "trainer/global_step")
    axes = {(settings["step_metric"], settings["step_sync"]) for settings in run.defined.values()}

    assert {("trainer/global_step", True)} == axes


def test_without_an_axis_of_the_trainer_that_of_wandb_holds() -> None:
    """Accelerate counts by wandb's own steps, so no axis is defined."""
    run = Run()
    define_metrics(run, "", None)

    assert {("summary",)} == {tuple(settings) for settings in run.defined.values()}
