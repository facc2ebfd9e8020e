"""Tells trackio of the end of a run: what is told in its last log, the record as an artifact, the figure as an image.

trackio keeps the configuration of a run with its first log, so settings are told before that. It logs the power and the
energy of GPUs itself, under ``gpu/``; no name of ours begins so.

Knows a run of trackio by its methods.

References: https://huggingface.co/docs/trackio
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lightning_carbon.integrations.trackers.ending import IMAGE_NAME, RECORD_FILE, SECTION, Ending


def configure(run: Any, settings: Mapping[str, str | float]) -> None:  # noqa: ANN401 - a run of any version
    """Tell the settings, before anything is logged.

    Args:
        run: A run of trackio.
        settings: What it is metered with.
    """
    run.config[SECTION] = dict(settings)


def show(run: Any, ending: Ending) -> None:  # noqa: ANN401 - see above
    """Put the end of a run into its logs.

    Args:
        run: A run of trackio, whose module the program has imported.
        ending: What is told.
    """
    trackio: Any = sys.modules["trackio"]
    image = {} if ending.image is None else {IMAGE_NAME: trackio.Image(ending.image)}
    run.log({**ending.facts, **image})
    if ending.record_text is None or not hasattr(run, "log_artifact"):
        return
    with TemporaryDirectory() as folder:  # it takes files alone, and copies them
        path = Path(folder) / RECORD_FILE
        path.write_text(ending.record_text, encoding="utf-8")
        run.log_artifact(path, name=f"{SECTION}-{run.name}", type="energy")
