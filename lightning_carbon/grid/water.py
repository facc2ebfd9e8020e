"""Water usage effectiveness: what the user gives, or a published mean where the user asks for it.

References:
    Amazon, *AWS data centers* (https://aws.amazon.com/sustainability/data-centers/): 0.15 litres/kWh in 2024.
    Microsoft, *Measuring energy and water efficiency* (https://datacenters.microsoft.com/sustainability/efficiency/):
    0.30 litres/kWh in the fiscal year 2024, 0.49 in 2021.
    Lawrence Berkeley National Laboratory, *2024 United States Data Center Energy Usage Report*: the country's mean was
    0.38 litres/kWh in 2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.intensity import GIVEN
from lightning_carbon.carbon.water import WaterUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEAST, _GREATEST = 0.15, 0.49  # the means of operators that the references name
UNITED_STATES: Final = WaterUsage(0.38, _LEAST, _GREATEST, "LBNL, mean of the United States, 2023", assumed=True)
_CLOUDS: Final[Mapping[str, WaterUsage]] = {
    "aws": WaterUsage(0.15, _LEAST, _GREATEST, "AWS, mean of its sites, 2024", assumed=True),
    "azure": WaterUsage(0.30, _LEAST, _GREATEST, "Microsoft, mean of its sites, 2024", assumed=True),
}


def wue_of(litres_per_kwh: float) -> WaterUsage:
    """Take the figure that the user gave, exactly."""
    return WaterUsage(litres_per_kwh, litres_per_kwh, litres_per_kwh, GIVEN, assumed=False)


def default_wue(region: str | None) -> WaterUsage:
    """The published mean of a cloud's sites, for a region such as ``"aws:eu-north-1"``, else of the United States."""
    cloud = (region or "").lower().partition(":")[0]
    return _CLOUDS.get({"amazon": "aws"}.get(cloud, cloud), UNITED_STATES)
