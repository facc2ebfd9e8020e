"""Tells ClearML of the end of a run: numbers as single values, texts and settings as a configuration, and artifacts.

Knows a task of ClearML by its methods.

References: https://clear.ml/docs/latest/docs/references/sdk/task
"""

from __future__ import annotations

from typing import Any

from lightning_carbon.integrations.trackers.ending import IMAGE_NAME, RECORD_FILE, SECTION, Ending


def show(task: Any, ending: Ending) -> None:  # noqa: ANN401 - a task of any version
    """Put the end of a run into a task.

    Args:
        task: A ``Task``.
        ending: What is told.
    """
    board = task.get_logger()
    for name, value in ending.figures.items():
        board.report_single_value(name, value)
    task.set_configuration_object(SECTION, config_dict={**ending.settings, **ending.words})
    if ending.image is not None:
        title, series = IMAGE_NAME.split("/")
        board.report_image(title, series, iteration=ending.step, image=ending.image)
    if ending.record is not None:
        task.upload_artifact(RECORD_FILE.removesuffix(".json"), dict(ending.record), wait_on_upload=False)
