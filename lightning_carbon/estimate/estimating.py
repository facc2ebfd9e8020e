"""The energy, CO2e and cost of a training before it has run, from the rating of its accelerators.

Pure arithmetic on figures with ranges: low ends are multiplied with low ends and high ends with high ends, so a range
follows from the stated ranges and is not a confidence interval. The same footprint prices this energy and that of
metered runs.

    accelerators  W = rating x share of the rating
    their machine W = accelerators + accelerators x share of the rest + fixed part of the rest (``hosts``)
    energy          = machine x count x hours
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from lightning_carbon.carbon.footprint import Footprint, footprint
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.factors import USD_PER_KWH, SourcedBounds
from lightning_carbon.estimate.planning import GIVEN
from lightning_carbon.estimate.prices import cloud_usd
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, SECONDS_PER_HOUR, Energy
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.estimate.planning import PlannedTraining


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated energy, CO2e and cost of a job.

    Args:
        job: The job.
        accelerators: The energy of the accelerators.
        host: The energy of the rest of their servers.
        footprint: The CO2e, with the PUE and the carbon intensity behind it.
        usd_per_kwh: The price of a kilowatt-hour.
        electricity_usd: The site's cost of electricity.
        cloud_usd: The cloud's price of the accelerators; ``None`` where none is known.
    """

    job: PlannedTraining
    accelerators: Bounds[Energy]
    host: Bounds[Energy]
    footprint: Footprint
    usd_per_kwh: SourcedBounds
    electricity_usd: Bounds[float]
    cloud_usd: tuple[float, float] | None

    @property
    def energy(self) -> Bounds[Energy]:
        """The energy of the computers, without PUE."""
        return self.accelerators + self.host

    @property
    def site_kwh(self) -> Bounds[float]:
        """The energy that the site draws for the computers, in kWh."""
        return _site_kwh(self.energy, self.footprint.pue)

    @property
    def mean_watts(self) -> Bounds[float]:
        """The mean power of the computers."""
        return (_watts(self.job) + _rest_watts(self.job)).times(self.job.count)


def estimate(
    job: PlannedTraining, *, intensity: Intensity, pue: PowerUsage, usd_per_kwh: float | None = None
) -> Estimate:
    """Estimate and price a planned training.

    Args:
        job: The planned training.
        intensity: The carbon intensity, such as ``grid.factors.intensity_of("SE")``.
        pue: The power usage effectiveness, such as ``grid.pue.pue_of(1.2)``.
        usd_per_kwh: The price of a kilowatt-hour.

    Raises:
        ConfigError: The price cannot be used.
    """
    price = USD_PER_KWH
    if usd_per_kwh is not None:
        if not isfinite(usd_per_kwh) or usd_per_kwh < 0:
            raise ConfigError("usd_per_kwh", usd_per_kwh, "give USD for a kWh, zero or more, such as 0.12.")
        price = SourcedBounds(Bounds.exactly(usd_per_kwh), GIVEN)
    seconds = job.hours.span.times(job.count * SECONDS_PER_HOUR)
    accelerators, host = (_energy(watts.times(seconds)) for watts in (_watts(job), _rest_watts(job)))
    energy = accelerators + host
    cloud = None
    if job.accelerator is not None and job.accelerator.price is not None:
        cheap, _ = cloud_usd(job.hours.span.low, job.count, job.accelerator.price)
        _, dear = cloud_usd(job.hours.span.high, job.count, job.accelerator.price)
        cloud = cheap, dear
    return Estimate(
        job=job,
        accelerators=accelerators,
        host=host,
        footprint=footprint(energy, pue, intensity),
        usd_per_kwh=price,
        electricity_usd=_site_kwh(energy, pue).times(price.span),
        cloud_usd=cloud,
    )


def _watts(job: PlannedTraining) -> Bounds[float]:
    """The mean power of an accelerator."""
    return job.share.span.times(job.rated_watts)


def _rest_watts(job: PlannedTraining) -> Bounds[float]:
    """The mean power of the rest of the machine, for one accelerator."""
    return _watts(job).times(job.host.share.span) + job.host.fixed_watts.span


def _energy(joules: Bounds[float]) -> Bounds[Energy]:
    return joules.map(Energy.from_joules)


def _site_kwh(energy: Bounds[Energy], pue: PowerUsage) -> Bounds[float]:
    return energy.map(lambda amount: amount.joules).times(pue).times(1 / JOULES_PER_KILOWATT_HOUR)
