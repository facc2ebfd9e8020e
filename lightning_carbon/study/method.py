"""The method by which a study prices energy: PUE, carbon intensity, electricity and clouds, with source and year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.estimate.prices import CloudPrice, ElectricityPrice

STRUBELL_2019 = "strubell2019"
"""The name of the method of the study of 2019, for ``--method``."""
CURRENT = "current"
"""The name of the method with present and the user's own factors, for ``--method``."""


@dataclass(frozen=True, slots=True)
class Method:
    """The factors that turn measured energy into a row of a study's table.

    Args:
        name: Its name.
        pue: The site's energy for each unit of the computers' energy.
        intensity: The carbon intensity of electricity.
        electricity: The price of a kWh; ``None`` where it is not known.
        cloud: The prices of an hour of accelerators, by name; empty where none is known.
        intensity_given: Whether the carbon intensity was asked for, and so holds for runs that were told another.
        pue_given: The same of the PUE.
    """

    name: str
    pue: PowerUsage
    intensity: Intensity
    electricity: ElectricityPrice | None
    cloud: Mapping[str, CloudPrice]
    intensity_given: bool = False
    pue_given: bool = False
