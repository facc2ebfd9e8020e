"""The settings that price energy: place, factors, the overhead and the water of the site, and what is in force."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.carbon.water import WaterUsage
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.pue import WORLD_AVERAGE, pue_of_cloud
from lightning_carbon.grid.water import UNITED_STATES, default_wue
from lightning_carbon.settings import checks, grid_checks, intensities
from lightning_carbon.settings.intensities import GridSeries
from lightning_carbon.settings.setting import Setting

REGION: Final = Setting(
    name="region",
    type=str | Mapping[str, float] | None,
    check=grid_checks.check_region,
    summary=(
        'Where the electricity is used: a country (``"SE"``, ``"Sweden"``), a part of it (``"US-CA"``), a region of a '
        'cloud (``"aws:eu-north-1"``) or ``"WORLD"``.'
    ),
    details=(
        'Never guessed; ``"auto"`` asks the cloud that it runs in. A mix by source works, too: ``{"coal": 0.3, '
        '"wind": 0.7}``, as a text ``"coal=0.3,wind=0.7"``, or one of the study of 2019 (``"mix:google-2019"``).'
    ),
    unset="the world's average, marked as assumed",
    variable="LIGHTNING_CARBON_REGION",
    option="--region",
    metavar="PLACE",
)
INTENSITY: Final = Setting(
    name="intensity",
    type=float | str | None,
    check=intensities.check_intensity_or_series,
    summary=(
        "Carbon intensity in gCO2e/kWh, instead of a region's yearly average: a number, the file of a series over time "
        "(CSV, Parquet), or a live provider."
    ),
    details=(
        "A run is priced with a series interval by interval, and with the region for what the series does not cover. "
        'Providers, fetched beside the training: ``"electricitymaps"`` (``"electricitymaps:DE"``), ``"uk"``, '
        '``"watttime:CAISO_NORTH"`` (marginal, beside the figure). '
        "0 is taken; a number between 0 and 1 is asked about, because it is more likely in kg, and can be given as a "
        'text with its unit: ``"0.5 g"``.'
    ),
    unset="that of the region",
    variable="LIGHTNING_CARBON_INTENSITY",
    option="--intensity",
    metavar="GRAMS",
)
PUE: Final = Setting(
    name="pue",
    type=float | None,
    check=grid_checks.check_pue,
    summary="Power usage effectiveness: the site's energy over its computers' energy, from 1.0.",
    details="``energy/*`` never includes it.",
    unset=f"that of the cloud in ``region``, else {WORLD_AVERAGE.value}, marked as assumed",
    variable="LIGHTNING_CARBON_PUE",
    parse=checks.number_of,
    option="--pue",
    metavar="RATIO",
)
MARKET_INTENSITY: Final = Setting(
    name="market_intensity",
    type=float | str | None,
    check=grid_checks.check_market_intensity,
    summary="The factor of a contract of yours in gCO2e/kWh, such as 0 for certificates.",
    details="Gives the market-based figure beside the location-based one; neither is netted with the other.",
    unset="none",
    variable="LIGHTNING_CARBON_MARKET_INTENSITY",
    option="--market-intensity",
    metavar="GRAMS",
)
WUE: Final = Setting(
    name="wue",
    type=float | str | None,
    check=grid_checks.check_wue,
    summary='Water usage effectiveness: the site\'s water in litres per kWh of its computers, or ``"default"``.',
    details='``"default"`` is the published mean of the cloud in ``region``, else of the United States.',
    unset="no water is told",
    variable="LIGHTNING_CARBON_WUE",
    option="--wue",
    metavar="LITRES",
)


def intensity_in_force(
    region: str | Mapping[str, float] | None = None,
    intensity: float | str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Intensity:
    """The carbon intensity: as given, else by the variables, else the world's average, marked as assumed.

    Either argument takes precedence over both ``LIGHTNING_CARBON_REGION`` and ``LIGHTNING_CARBON_INTENSITY``.

    Raises:
        ConfigError: It cannot be used, or both are given.
    """
    found, series = grid_in_force(region, intensity, environ)
    if series is not None:
        intensities.refuse_series(intensity or environ[INTENSITY.variable])
    return found


def grid_in_force(
    region: str | Mapping[str, float] | None = None,
    intensity: float | str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Intensity, GridSeries | None]:
    """The carbon intensity of a run, and the series over time that goes before it, if one is given.

    Raises:
        ConfigError: It cannot be used, or a region and a number are given.
    """
    variables = environ if region is None and intensity is None else {}
    figure, place = INTENSITY.in_force(intensity, variables), REGION.in_force(region, variables)
    if isinstance(figure, GridSeries):
        place, named = REGION.in_force(region, environ), region or environ.get(REGION.variable)
        return intensities.with_rest(figure, intensity or environ[INTENSITY.variable], region=named, place=place)
    if figure is None or place is None:
        return figure or place or intensity_of(None), None
    raise intensities.both_given(intensity, region, environ, variables=(INTENSITY.variable, REGION.variable))


def pue_in_force(pue: float | None, intensity: Intensity, environ: Mapping[str, str] = os.environ) -> PowerUsage:
    """The PUE: as given, else by the variable, else that of the cloud in the region, else the world's average.

    The last two are marked as assumed.

    Args:
        pue: The site's own figure, where the user gave it.
        intensity: The intensity in force, which knows the region as it was typed.
        environ: The environment variables.

    Raises:
        ConfigError: It cannot be used.
    """
    found = PUE.in_force(pue, environ)
    return pue_of_cloud(intensity.typed) or found if found is WORLD_AVERAGE else found


def wue_in_force(
    wue: float | str | None, intensity: Intensity, environ: Mapping[str, str] = os.environ
) -> WaterUsage | None:
    """The water usage effectiveness: as given, else by the variable; ``None`` where nobody asks for water.

    Args:
        wue: Litres for each kWh, or ``"default"``.
        intensity: The intensity in force, which knows the region as it was typed.
        environ: The environment variables.

    Raises:
        ConfigError: It cannot be used.
    """
    found = WUE.in_force(wue, environ)
    return default_wue(intensity.typed) if found is UNITED_STATES else found
