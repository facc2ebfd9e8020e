"""How a study prices energy: PUE, carbon intensity, electricity and clouds, each with its source and year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.estimate.prices import CloudPrice, ElectricityPrice

STRUBELL_2019 = "strubell2019"
"""The name of the method of the study of 2019, for ``--method``."""
CURRENT = "current"
"""The name of the method with the factors of today and of the user, for ``--method``."""


@dataclass(frozen=True, slots=True)
class Method:
    """What turns measured energy into a row of a study's table.

    Args:
        name: Its name.
        pue: What the site uses for each unit of the computers' energy.
        intensity: What a kWh stands for.
        electricity: What a kWh costs; ``None`` where nobody said.
        cloud: What an hour of an accelerator costs, by its name; nothing where nobody said.
    """

    name: str
    pue: PowerUsage
    intensity: Intensity
    electricity: ElectricityPrice | None
    cloud: Mapping[str, CloudPrice]
