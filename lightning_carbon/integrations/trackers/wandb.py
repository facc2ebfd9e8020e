"""Tells Weights & Biases which value of a metric stands for a run in its summary, and in tables of runs.

By default that is the last value: right for the run so far, and misleading for a row, which is a piece of it. To define
a metric is a message to the process that wandb runs beside the program, as logging is; nothing waits for a network.

Knows a run of wandb by its methods.

References: https://docs.wandb.ai/ref/python/sdk/classes/run (``define_metric``)
"""

from __future__ import annotations

from typing import Any, Final

from lightning_carbon.records.rows import METRICS, Scope

SUMMARIES: Final = {Scope.RUN: "last", Scope.ROW: "none", Scope.RATE: "mean", Scope.FORECAST: "last"}
"""Rows differ in length, so their mean says nothing; that of a rate is near the rate of the run."""


def define_metrics(run: Any, before: str, x_axis: str) -> None:  # noqa: ANN401 - a run of any version
    """Define all metrics of rows, before the first of them is logged.

    Args:
        run: A run of wandb.
        before: What stands before their names.
        x_axis: The metric that all others are drawn over. What is defined for a single metric replaces what a trainer
            has defined for all, so it is said again.
    """
    for metric in METRICS:
        summary = SUMMARIES[metric.scope]
        run.define_metric(before + metric.name, step_metric=x_axis, step_sync=True, summary=summary)
