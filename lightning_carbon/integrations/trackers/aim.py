"""Tells Aim of the end of a run: all but the figure as parameters of the run, and that as an image.

Knows a run of Aim by its methods.

References: https://aimstack.readthedocs.io/en/latest/refs/sdk.html
"""

from __future__ import annotations

import sys
from typing import Any

from lightning_carbon.integrations.trackers.ending import IMAGE_NAME, SECTION, Ending


def show(run: Any, ending: Ending) -> None:  # noqa: ANN401 - a run of any version
    """Put the end of a run into its parameters.

    Args:
        run: A ``Run``, whose module the program has imported.
        ending: What is told.
    """
    told: dict[str, Any] = {**ending.facts, "settings": dict(ending.settings)}
    if ending.record_text is not None:
        told["record"] = ending.record_text  # as a text: it refuses what is absent in a mapping
    run.set(SECTION, told, strict=False)
    if ending.image is not None:
        aim: Any = sys.modules["aim"]
        pictures: Any = sys.modules["PIL.Image"]  # comes with matplotlib, which drew it
        run.track(aim.Image(pictures.fromarray(ending.image)), name=IMAGE_NAME, step=ending.step)
