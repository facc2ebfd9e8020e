"""The other places of ``estimate --what-if`` and ``grid what-if``, from the text of an option."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.what_if import Alternative
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.factors import intensity_of, regions
from lightning_carbon.grid.pue import pue_of_cloud

if TYPE_CHECKING:
    from lightning_carbon.carbon.intensity import PowerUsage

ALL: Final = "all"
DEFAULT: Final = "default"
_USUAL_PLACES: Final = (
    *("NO", "SE", "FR", "CH", "BR", "CA", "FI", "ES", "GB", "NL", "DE", "IE", "IT", "US", "JP", "SG", "KR"),
    *("AU", "CN", "TW", "IN", "PL", "ZA", "WORLD"),
)
"""The default regions: those with much of the world's computing, and the world."""


def places_of(places: str, pue: PowerUsage, *, argument: str) -> list[Alternative]:
    """The places that a text names, each once.

    Args:
        places: Regions, separated by commas; ``"default"`` or ``"all"``.
        pue: The PUE there, but for regions of clouds, which have that of the cloud.
        argument: The name of the argument that holds the text, for errors.

    Raises:
        ConfigError: There is no such region.
    """
    codes = (
        [region.iso2 for region in regions()]
        if places == ALL
        else _USUAL_PLACES
        if places == DEFAULT
        else places.split(",")
    )
    try:
        found = {intensity.place: intensity for intensity in map(intensity_of, codes)}
    except ConfigError as error:
        raise ConfigError(argument, error.value, f"{error.fix} Or say default, or all.") from None
    return [Alternative(name, intensity, pue_of_cloud(name) or pue) for name, intensity in found.items()]
