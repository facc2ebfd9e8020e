"""The check of ``intensity``: a number, the file of a series over time, or the name of a live provider."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, NoReturn

from lightning_carbon.carbon.intensity import Intensity
from lightning_carbon.carbon.series import IntensitySeries
from lightning_carbon.errors import ConfigError, UnknownRegion
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.live.plans import ELECTRICITY_MAPS, UK, LivePlan, plan_of, zone_in
from lightning_carbon.settings.grid_checks import check_intensity

GridSeries = IntensitySeries | LivePlan
"""What prices a run over time: the series itself, or the provider that it is fetched from."""
SUFFIXES: Final = (".csv", ".tsv", ".txt", ".parquet")
"""The endings of a file with a series."""


def check_intensity_or_series(given: object) -> Intensity | GridSeries | None:
    """Check ``intensity``; ``None`` where it is not given.

    A text that ends like a file is the path of a series, which is read here and now; the name of a provider stands for
    itself, and nothing is fetched; everything else is a number.

    Raises:
        ConfigError: It is neither, or the file cannot be read or cannot be right.
    """
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if isinstance(given, str) and given.strip().lower().endswith(SUFFIXES):
        from lightning_carbon.grid.series import read_series  # csv and the layouts are for those alone who have a file

        return read_series(given)
    plan = plan_of(given) if isinstance(given, str) else None
    return plan or check_intensity(given)


def with_rest(
    found: GridSeries, given: object, *, region: object, place: Intensity | None
) -> tuple[Intensity, GridSeries]:
    """A series, or a provider with its zone, and the factor for what it does not cover.

    Args:
        found: The series, or the provider and the zone as far as it was named.
        given: The text that named it.
        region: The region beside it, as it was given; it is also the zone, where it has the form of one.
        place: The factor of that region.

    Raises:
        ConfigError: The provider cannot be asked.
    """
    if isinstance(found, IntensitySeries):
        return place or intensity_of(None), found
    from lightning_carbon.grid.live.providers import check_plan

    plan = found
    if plan.provider == ELECTRICITY_MAPS and not plan.zone:
        plan = plan._replace(zone=zone_in(region))
    check_plan(plan, given)
    code = "GB" if plan.provider == UK else zone_in(plan.zone)[:2] if plan.provider == ELECTRICITY_MAPS else None
    if place is None:
        try:
            place = intensity_of(code)
        except UnknownRegion:
            place = intensity_of(None)
    return place, plan


def both_given(
    intensity: object, region: object, environ: Mapping[str, str], *, variables: tuple[str, str]
) -> ConfigError:
    """The error for a number beside a region, as a single figure must decide.

    Args:
        intensity: The number, where it was an argument.
        region: The region, where it was an argument.
        environ: The environment variables.
        variables: The variables that stand in for the two.
    """
    if region is not None:
        fix = f"the region {region!r} is given too, and one of them must decide; leave one out."
        return ConfigError("intensity", intensity, fix)
    number, place = variables
    fix = f"{place}={environ[place]!r} is set too, and one of them must decide; unset one."
    return ConfigError("intensity", environ[number], fix, variable=number)


def refuse_series(given: object) -> NoReturn:
    """Refuse a series where nothing has a time.

    Raises:
        ConfigError: Always.
    """
    fix = "a series prices a run while it is metered; give a number here, or ask `lightning-carbon grid what-if`."
    raise ConfigError("intensity", given, fix)
