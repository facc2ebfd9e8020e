"""A run that has ended, as trackers are shown it, with its figure drawn once for all of them."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any, Final

from lightning_carbon.integrations.shared.guard import guarded, logger
from lightning_carbon.records.power_profile import PowerProfile
from lightning_carbon.records.run import RunRecord
from lightning_carbon.report.figure import pixels, power_figure
from lightning_carbon.values import dataclass, replace

FIGURE_FROM_SECONDS: Final = 30.0
"""The least duration of a training with a figure, which takes less than 0.5 % of it (`make bench`, 2026)."""

_told: set[str] = set()


@dataclass(frozen=True)
class FinishedRun:
    """What is shown of a run.

    Args:
        record: Its record.
        profile: Its power over time.
        step: Where on the x-axis.
        names: The metrics that were logged.
        prefix: What stands before the names, such as ``"test/"``.
        is_training: Whether it was a training.
    """

    record: RunRecord
    profile: PowerProfile
    step: int
    names: Collection[str] = ()
    prefix: str = ""
    is_training: bool = True

    def under(self, prefix: str) -> FinishedRun:
        """The same with more before the names, and with the same figure."""
        ended = replace(self, prefix=prefix + self.prefix)
        vars(ended)["image"] = self.image
        return ended

    @cached_property
    def image(self) -> Any | None:  # noqa: ANN401 - an array of numpy, which is matplotlib's and not ours
        """The figure of its power, height by width by red, green and blue; ``None`` where there is none to show."""
        if not self.is_training or self.record.duration_seconds < FIGURE_FROM_SECONDS:
            return None
        return _drawn(self.record, self.profile)


@guarded()
def _drawn(record: RunRecord, profile: PowerProfile) -> Any | None:  # noqa: ANN401 - see above
    try:
        figure = power_figure(record, profile)
    except ImportError as error:
        if "figure" not in _told:
            _told.add("figure")
            logger.debug("no figure of the power: %s (pip install 'lightning-carbon[report]')", error)
        return None
    return None if figure is None else pixels(figure)
