"""Tells Comet of the end of a run: what is told under "Other", settings as parameters, the record and the figure.

Knows an experiment of Comet by its methods.

References: https://www.comet.com/docs/v2/api-and-sdk/python-sdk/reference/Experiment/
"""

from __future__ import annotations

from typing import Any

from lightning_carbon.integrations.trackers.ending import IMAGE_NAME, RECORD_FILE, SECTION, Ending


def show(experiment: Any, ending: Ending) -> None:  # noqa: ANN401 - an experiment of any version
    """Put the end of a run into an experiment.

    Args:
        experiment: An ``Experiment``, be it offline.
        ending: What is told.
    """
    experiment.log_others(ending.facts)
    experiment.log_parameters(dict(ending.settings), prefix=SECTION)
    if ending.record_text is not None:
        experiment.log_asset_data(ending.record_text, name=f"{SECTION}/{RECORD_FILE}", step=ending.step)
    if ending.image is not None:
        experiment.log_image(ending.image, name=IMAGE_NAME, step=ending.step)
