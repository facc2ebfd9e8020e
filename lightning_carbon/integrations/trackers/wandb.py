"""Defining, for Weights & Biases, which value of a metric stands for a run in its summary and in tables of runs.

By default that is the last value, which is right for the run so far, and misleading for a row, which is a piece of it.
Like logging, defining a metric is a message to the process that wandb runs beside the program; nothing waits for a
network.

Knows a run of wandb by its methods.

References: https://docs.wandb.ai/ref/python/sdk/classes/run (``define_metric``)
"""

from __future__ import annotations

import sys
from typing import Any, Final

from lightning_carbon.integrations.trackers.ending import IMAGE_NAME, RECORD_FILE, SECTION, Ending
from lightning_carbon.records.rows import METRICS, Scope

SUMMARIES: Final = {Scope.ROW: "none", Scope.RATE: "mean"}
"""Rows differ in length, so their mean says nothing; that of a rate is near the rate of the run. The run so far is not
defined, since an explicit "last" makes a mapping of what is a plain value by default (seen with wandb 0.31, 2026)."""


def define_metrics(run: Any, before: str, x_axis: str | None) -> None:  # noqa: ANN401 - a run of any version
    """Define the metrics whose last value does not stand for a run, before the first of them is logged.

    Args:
        run: A run of wandb.
        before: The prefix of their names.
        x_axis: The metric on the x-axis of all others. A definition for a single metric replaces a trainer's definition
            for all, so it repeats the x-axis; ``None`` where that is wandb's own count of steps.
    """
    for metric in METRICS:
        summary = SUMMARIES.get(metric.scope)
        if summary is None:
            continue
        axis = {} if x_axis is None else {"step_metric": x_axis, "step_sync": True}
        run.define_metric(before + metric.name, **axis, summary=summary)


def show(run: Any, ending: Ending) -> None:  # noqa: ANN401 - a run of any version
    """Put the end of a run into its summary, its configuration, an artifact and an image.

    Args:
        run: A run of wandb, whose module the program has imported.
        ending: What is told.
    """
    wandb: Any = sys.modules["wandb"]
    run.config.update({SECTION: dict(ending.settings)}, allow_val_change=True)
    if ending.image is not None:
        run.log({IMAGE_NAME: wandb.Image(ending.image)})
    if ending.record_text is not None:
        artifact = wandb.Artifact(f"energy-{run.id}", type="energy", description="the energy of a run")
        with artifact.new_file(RECORD_FILE, mode="w", encoding="utf-8") as file:
            file.write(ending.record_text)
        run.log_artifact(artifact)
    run.summary.update(ending.facts)
