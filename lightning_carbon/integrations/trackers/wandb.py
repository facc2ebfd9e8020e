"""Defining, for Weights & Biases, which value of a metric stands for a run in its summary and in tables of runs.

By default that is the last value, which is right for the run so far, and misleading for a row, which is a piece of it.
Like logging, defining a metric is a message to the process that wandb runs beside the program; nothing waits for a
network.

Knows a run of wandb by its methods.

References: https://docs.wandb.ai/ref/python/sdk/classes/run (``define_metric``)
"""

from __future__ import annotations

from typing import Any, Final

from lightning_carbon.records.rows import METRICS, Scope

SUMMARIES: Final = {Scope.RUN: "last", Scope.ROW: "none", Scope.RATE: "mean", Scope.FORECAST: "last"}
"""The summary of a metric by scope: as rows differ in length, their mean says nothing; that of rates is near the
run's."""


def define_metrics(run: Any, before: str, x_axis: str) -> None:  # noqa: ANN401 - a run of any version
    """Define all metrics of rows, before the first of them is logged.

    Args:
        run: A run of wandb.
        before: The prefix of their names.
        x_axis: The metric on the x-axis of all others. A definition for a single metric replaces a trainer's definition
            for all, so it repeats the x-axis.
    """
    for metric in METRICS:
        summary = SUMMARIES[metric.scope]
        run.define_metric(before + metric.name, step_metric=x_axis, step_sync=True, summary=summary)
