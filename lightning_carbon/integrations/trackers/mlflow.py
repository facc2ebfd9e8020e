"""Tells MLflow of the end of a run: numbers as metrics, texts as tags, settings as parameters, files as artifacts.

Knows a client of MLflow by its methods.

References: https://mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html
"""

from __future__ import annotations

import sys
import time
from typing import Any

from lightning_carbon.integrations.trackers.ending import IMAGE_FILE, RECORD_FILE, SECTION, Ending
from lightning_carbon.units import NANOSECONDS_PER_MILLISECOND


def show(client: Any, run_id: str, ending: Ending) -> None:  # noqa: ANN401 - a client of any version
    """Put the end of a run into MLflow.

    Args:
        client: An ``MlflowClient``, whose module the program has imported.
        run_id: The run of MLflow.
        ending: What is told.
    """
    entities: Any = sys.modules["mlflow.entities"]
    now_ms = time.time_ns() // NANOSECONDS_PER_MILLISECOND
    client.log_batch(
        run_id,
        metrics=[entities.Metric(name, value, now_ms, ending.step) for name, value in ending.figures.items()],
        params=[entities.Param(f"{SECTION}/{name}", str(value)) for name, value in ending.settings.items()],
        tags=[entities.RunTag(name, value) for name, value in ending.words.items()],
    )
    if ending.record_text is not None:
        client.log_text(run_id, ending.record_text, f"{SECTION}/{RECORD_FILE}")
    if ending.image is not None:
        client.log_image(run_id, ending.image, artifact_file=f"{SECTION}/{IMAGE_FILE}")
