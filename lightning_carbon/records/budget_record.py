"""The budget of a run in its record, and its line in the summary. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lightning_carbon.records.numbers import percent


@dataclass(frozen=True, slots=True)
class BudgetRecord:
    """The budget of a run.

    Args:
        limit: The budget, as it was given.
        used_ratio: The share of it that was used, which may be above 1; ``None`` where that is not known.
        stopped: Whether the run was ended because it was used up.
    """

    limit: str
    used_ratio: float | None = None
    stopped: bool = False

    @property
    def sentence(self) -> str:
        """What became of it, for people."""
        used = "an unknown share" if self.used_ratio is None else percent(self.used_ratio)
        return f"{used} of {self.limit} used{', so the run was stopped' if self.stopped else ''}"
