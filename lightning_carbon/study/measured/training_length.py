"""The length of a training that a measurement is projected to. Pure."""

from __future__ import annotations

from lightning_carbon.errors import ConfigError
from lightning_carbon.values import dataclass


@dataclass(frozen=True, slots=True)
class TrainingLength:
    """The length of a projected training: at most one of the first three; without any, that of the published training.

    Args:
        hours: The duration in hours.
        steps: The number of steps, at the measured speed.
        epochs: The number of epochs, at the measured speed.
        count: The number of accelerators; by default as measured.

    Raises:
        ConfigError: More than one of the first three is given, or a number is not above 0.
    """

    hours: float | None = None
    steps: float | None = None
    epochs: float | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        """Refuse lengths that have no meaning."""
        said = [name for name in ("hours", "steps", "epochs") if getattr(self, name) is not None]
        if len(said) > 1:
            fix = f"{' and '.join(said[1:])} is given too, and one of them decides; leave one out."
            raise ConfigError(said[0], getattr(self, said[0]), fix)
        for name in [*said, *(["count"] if self.count is not None else [])]:
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise ConfigError(name, value, "give a number above 0.")
