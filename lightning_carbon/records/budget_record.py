"""The budget of a run in its record, and its line in the summary. Pure."""

from __future__ import annotations

from lightning_carbon.records.numbers import percent
from lightning_carbon.values import dataclass


@dataclass(frozen=True, slots=True)
class BudgetRecord:
    """The budget of a run.

    Args:
        limit: The budget, as it was given.
        used_ratio: The share of it that was used, which may be above 1; ``None`` where that is not known.
        stopped: Whether the run was ended because it was used up.
        scope: Whose usage counts: that of the ``run``, or of its whole ``lineage``.
    """

    limit: str
    used_ratio: float | None = None
    stopped: bool = False
    scope: str = "run"

    @property
    def sentence(self) -> str:
        """What became of it, for people."""
        used = "an unknown share" if self.used_ratio is None else percent(self.used_ratio)
        whose = " by all attempts at this training" if self.scope == "lineage" else ""
        return f"{used} of {self.limit} used{whose}{', so the run was stopped' if self.stopped else ''}"
