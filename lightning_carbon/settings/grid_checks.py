"""The checks of the settings that price energy: place, factors and the overhead of the site.

References:
    IPCC AR5 WG III (2014), Annex III, table A.III.2: life-cycle emissions of electricity supply, from 1.0 (the least,
    hydropower) to 2,200 gCO2eq/kWh (the greatest, hydropower again); coal 740 to 910.
    A. Lawrence, Uptime Institute Journal, 24 August 2020: of the power usage effectiveness that sites report, 1.0 to
    2.19 was kept, and the rest set aside as extreme or partial.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from lightning_carbon.carbon.intensity import GIVEN, MARKET, MAX_GRAMS, MIN_DOUBTLESS_GRAMS, Intensity, PowerUsage
from lightning_carbon.carbon.water import WaterUsage
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.pue import pue_of
from lightning_carbon.grid.water import UNITED_STATES, wue_of
from lightning_carbon.settings.checks import finite_number
from lightning_carbon.units import GRAMS_IN, GRAMS_PER_KILOGRAM, MILLIGRAMS_PER_GRAM, MILLILITRES_PER_LITRE

AUTO: Final = "auto"
"""The region of a machine in a cloud, which asks the cloud."""
MAX_PUE: Final = 10.0
"""Over four times the highest PUE of an ordinary site; a larger figure is in percent, or lacks its decimal point."""

MAX_WUE: Final = 20.0
"""Over ten times what sites with cooling towers report, in litres/kWh; a larger figure is in millilitres."""
DEFAULT: Final = "default"
"""The text that asks for a published mean."""

_QUANTITY: Final = r"(?P<number>.*?)\s*(?P<unit>mg|kg|g)(?:CO2e?)?(?:/kWh)?"
_INTENSITY_FIX: Final = "give gCO2e/kWh as a number, zero or more, such as 41.4."
_WUE_FIX: Final = 'give litres for a kWh of IT energy, zero or more, such as 0.3, or "default".'
_PUE_FIX: Final = "give site energy over IT energy, 1.0 or more, such as 1.2."


def check_region(region: object, ask: Callable[[], str | None] | None = None) -> Intensity | None:
    """Check ``region``; ``None`` where it is not given.

    ``"auto"`` asks the metadata service of the cloud that this machine is in, for 0.3 s at most; nothing else does.

    The factor is that of the present year, or of the nearest that is published.

    Raises:
        ConfigError: It is neither text nor a mix, or a mix that cannot be used.
        UnknownRegion: The tables have no such place.
    """
    if region is None:
        return None
    if isinstance(region, str) and region.strip().lower() == AUTO:
        from lightning_carbon.grid.live.clouds import ASK_SECONDS, cloud_region

        found = (ask or cloud_region)()
        if found is None:
            fix = f"no metadata service of a cloud answered in {ASK_SECONDS:g} s; give the place, such as SE or WORLD."
            raise ConfigError("region", region, fix)
        region = found
    if not isinstance(region, str | Mapping):
        fix = 'give a place as text, such as SE, or the share of each source, such as {"coal": 0.3, "wind": 0.7}.'
        raise ConfigError("region", region, fix)
    return intensity_of(region, datetime.now(tz=UTC).year)


def check_intensity(given: object) -> Intensity | None:
    """Check ``intensity``; ``None`` where it is not given.

    A number is in gCO2e/kWh. 0 is accepted. A number between 0 and 1, more likely in kg, is queried, as is a number
    that no supply of electricity reaches. A text may name its unit and is then believed: ``"0.5 g"``, ``"0.4 kg"``.

    Raises:
        ConfigError: It is no number, negative, not finite, or most likely in another unit.
    """
    if given is None:
        return None
    grams = _grams("intensity", given)
    return Intensity(grams, grams, grams, GIVEN, None, "as given", "custom", assumed=False)


def check_market_intensity(given: object) -> Intensity | None:
    """Check ``market_intensity``, which takes what ``intensity`` takes; ``None`` where it is not given.

    Raises:
        ConfigError: It is no number, negative, not finite, or most likely in another unit.
    """
    if given is None:
        return None
    grams = _grams("market_intensity", given)
    return Intensity(grams, grams, grams, GIVEN, None, "as given", "custom", assumed=False, accounting=MARKET)


def check_wue(given: object) -> WaterUsage | None:
    """Check ``wue``; ``None`` where it is not given, the mean of the United States for ``"default"``.

    Raises:
        ConfigError: It is no number, negative, not finite, or most likely in millilitres.
    """
    if given is None:
        return None
    if isinstance(given, str) and given.strip().lower() == DEFAULT:
        return UNITED_STATES
    litres = finite_number("wue", given, _WUE_FIX, given=given)
    if litres < 0:
        raise ConfigError("wue", given, _WUE_FIX)
    if litres > MAX_WUE:
        meant = f"was {litres / MILLILITRES_PER_LITRE:g} meant ({litres:g} ml)?"
        raise ConfigError("wue", given, f"no site uses so many litres for a kWh; {meant}")
    return wue_of(litres)


def check_pue(ratio: object) -> PowerUsage:
    """Check ``pue``; the world's average where it is not given.

    Raises:
        ConfigError: It is no number, below 1, not finite, or most likely in percent.
    """
    if ratio is None:
        return pue_of(None)
    value = finite_number("pue", ratio, _PUE_FIX, given=ratio)
    if value < 1:
        raise ConfigError("pue", ratio, _PUE_FIX)
    if value > MAX_PUE:
        likely = [value / divisor for divisor in (100, 10) if 1 <= value / divisor <= MAX_PUE]
        meant = f"was {likely[0]:g} meant?" if likely else _PUE_FIX
        raise ConfigError("pue", ratio, f"no site draws so many times what its computers draw; {meant}")
    return pue_of(value)


def _grams(argument: str, given: object) -> float:
    found = re.fullmatch(_QUANTITY, given.strip()) if isinstance(given, str) else None
    number = finite_number(argument, given if found is None else found["number"], _INTENSITY_FIX, given=given)
    grams = number if found is None else number * GRAMS_IN[found["unit"]]
    if grams < 0:
        raise ConfigError(argument, given, _INTENSITY_FIX)
    if found is None and 0 < grams < MIN_DOUBTLESS_GRAMS:
        meant = f"was {grams * GRAMS_PER_KILOGRAM:g} meant ({grams:g} kg)? If it is {grams:g} g, give '{grams:g} g'."
        raise ConfigError(argument, given, f"no supply of electricity emits so few gCO2e/kWh; {meant}")
    if grams > MAX_GRAMS:
        meant = f"was {grams / MILLIGRAMS_PER_GRAM:g} meant ({grams:g} mg)?"
        raise ConfigError(argument, given, f"no supply of electricity emits so many gCO2e/kWh; {meant}")
    return grams
