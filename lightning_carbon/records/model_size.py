"""The size of a model in parameters, trained and frozen, in journals and records. Pure."""

from __future__ import annotations

from lightning_carbon.values import dataclass


@dataclass(frozen=True, slots=True)
class ModelSize:
    """The parameters of the model that a run trains.

    Args:
        parameters: Their number, frozen parameters included.
        trained: The number of those that the run changes.
    """

    parameters: int
    trained: int

    @property
    def sentence(self) -> str:
        """How many parameters are trained, for people: ``"294,912 of 124,734,720 parameters trained"``."""
        whole = f"{self.parameters:,} parameters"
        return f"{whole}, all trained" if self.trained == self.parameters else f"{self.trained:,} of {whole} trained"
