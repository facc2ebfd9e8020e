"""Prices for measured rows: the study's constants, or present and the user's own factors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.accelerators import find_accelerator
from lightning_carbon.estimate.factors import USD_PER_KWH, USD_PER_KWH_YEAR
from lightning_carbon.estimate.prices import CloudPrice, ElectricityPrice
from lightning_carbon.settings.pricing import intensity_in_force, pue_in_force
from lightning_carbon.study.measured.projection import GPU, project, short_name
from lightning_carbon.study.measured.training_length import TrainingLength
from lightning_carbon.study.method import CURRENT, STRUBELL_2019, Method
from lightning_carbon.study.published.study import PublishedModel, strubell2019
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from lightning_carbon.study.measured.measurement import Measurement
    from lightning_carbon.study.rows import StudyRow

METHODS = (CURRENT, STRUBELL_2019)
_AVERAGE = ElectricityPrice(USD_PER_KWH.span.value, USD_PER_KWH.source, USD_PER_KWH_YEAR)


def method_of(
    name: str = CURRENT,
    *,
    region: str | None = None,
    intensity: float | str | None = None,
    pue: float | None = None,
    usd_per_kwh: float | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Method:
    """The method of pricing a study.

    Args:
        name: ``"current"``, or ``"strubell2019"`` for the constants of the study.
        region: The place of use of the electricity, as for a meter.
        intensity: The carbon intensity in gCO2e/kWh, as for a meter.
        pue: The site's PUE, as for a meter.
        usd_per_kwh: The price of a kWh; by default the average that estimates use.
        environ: The environment variables with defaults.

    Raises:
        ConfigError: There is no such method, a factor cannot be used, or a factor is given beside the study's.
    """
    given = {"region": region, "intensity": intensity, "pue": pue, "usd_per_kwh": usd_per_kwh}
    if name == STRUBELL_2019:
        for argument, value in given.items():
            if value is not None:
                raise ConfigError(argument, value, "the study's constants are fixed; leave it out, or the method.")
        return strubell2019().method
    if name != CURRENT:
        raise ConfigError("method", name, f"give one of {', '.join(METHODS)}.")
    if usd_per_kwh is not None and not 0 <= usd_per_kwh < float("inf"):
        raise ConfigError("usd_per_kwh", usd_per_kwh, "give US dollars for a kWh, zero or more, such as 0.12.")
    priced = intensity_in_force(region, intensity, environ)
    return Method(
        name=CURRENT,
        pue=pue_in_force(pue, priced, environ),
        intensity=priced,
        electricity=_AVERAGE if usd_per_kwh is None else ElectricityPrice(usd_per_kwh, "given", None),
        cloud={},
        intensity_given=region is not None or intensity is not None,
        pue_given=pue is not None,
    )


def as_told(method: Method, measurement: Measurement) -> Method:
    """The method for a measurement: carbon intensity and PUE as its run was told, unless they are asked for.

    Args:
        method: The method that was asked for; that of the study holds for every run.
        measurement: The measurement; what its run was not told, but had to assume, is taken from the method.
    """
    if method.name != CURRENT:
        return method
    intensity, pue = measurement.intensity, measurement.pue
    if intensity is not None and not intensity.assumed and not method.intensity_given:
        method = replace(method, intensity=intensity)
    if pue is not None and not pue.assumed and not method.pue_given:
        method = replace(method, pue=pue)
    return method


def price_of(measurement: Measurement, method: Method) -> CloudPrice | None:
    """The price of a measured accelerator for an hour; ``None`` where there is none, or several models."""
    names = {short_name(domain.name) for domain in measurement.of_kind(GPU)}
    if len(names) != 1:
        return None
    name = names.pop()
    if method.name == CURRENT:
        try:
            return find_accelerator(name).price
        except ConfigError:
            return None  # its price is not known, and that of another model is no substitute
    words = name.replace("-", " ").split()
    return next((price for name, price in method.cloud.items() if name in words), None)


def published_model_of(measurement: Measurement) -> PublishedModel | None:
    """The matching row of the study, if any."""
    return next((model for model in strubell2019().models if model.id == measurement.published), None)


def row_of(measurement: Measurement, method: Method, length: TrainingLength | None = None) -> StudyRow:
    """The row of a measurement.

    Args:
        measurement: The measurement.
        method: The method of pricing, which :func:`as_told` fits to the run.
        length: The length of the training; by default as asked for when it was measured, else that of the study's row,
            else as measured.

    Raises:
        ConfigError: It cannot be projected to that length.
    """
    return project(
        measurement,
        as_told(method, measurement),
        length or measurement.extent,
        published=published_model_of(measurement),
        price=price_of(measurement, method),
    )
