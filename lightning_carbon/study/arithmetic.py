"""From energy and hours to the columns of the study's Table 3, with the same footprint that prices metered runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.footprint import footprint
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.estimate.prices import cloud_usd, electricity_usd
from lightning_carbon.study.rows import FigureRanges, Figures
from lightning_carbon.units import NANOSECONDS_PER_SECOND, SECONDS_PER_HOUR, Energy, Power

if TYPE_CHECKING:
    from lightning_carbon.estimate.prices import CloudPrice
    from lightning_carbon.study.method import Method


def energy_of(power: Power, hours: float) -> Energy:
    """The energy of a power held for so many hours."""
    return power.for_nanoseconds(round(hours * SECONDS_PER_HOUR * NANOSECONDS_PER_SECOND))


def site_energy(energy: Energy, pue_ratio: float) -> Energy:
    """The site's energy for that of its computers."""
    return Energy(round(energy.microjoules * pue_ratio))


def figures_of(
    energy: Energy | Bounds[Energy] | None,
    method: Method,
    *,
    accelerator_hours: float | None = None,
    price: CloudPrice | None = None,
) -> Figures:
    """The figures of a row.

    Args:
        energy: The computers' energy; ``None`` where it is not known, and then the figures that follow from it are not.
        method: The method of pricing.
        accelerator_hours: Hours times accelerators, for the cloud's price.
        price: The price of an accelerator for an hour in a cloud; ``None`` where it is not known.

    Returns:
        The figures, absent where their inputs are.
    """
    cloud = None if price is None or accelerator_hours is None else cloud_usd(accelerator_hours, 1, price)
    if energy is None:
        return Figures(cloud_usd=cloud)
    ranged = energy if isinstance(energy, Bounds) else Bounds.exactly(energy)
    site = site_energy(ranged.value, method.pue.value)
    mass = footprint(ranged, method.pue, method.intensity).value
    return Figures(
        kwh_pue=site.kilowatt_hours,
        co2e_lbs=mass.pounds,
        co2e_kg=mass.kilograms,
        cloud_usd=cloud,
        electricity_usd=None if method.electricity is None else electricity_usd(site, method.electricity.usd_per_kwh),
    )


def range_of(energy: Bounds[Energy], method: Method) -> FigureRanges:
    """The ranges of a row, by interval arithmetic from those of energy, PUE and intensity."""
    priced = footprint(energy, method.pue, method.intensity)
    site = energy.combine(method.pue, site_energy)
    costs = method.electricity
    return FigureRanges(
        kwh_pue=(site.low.kilowatt_hours, site.high.kilowatt_hours),
        co2e_lbs=(priced.low.pounds, priced.high.pounds),
        co2e_kg=(priced.low.kilograms, priced.high.kilograms),
        electricity_usd=None
        if costs is None
        else (electricity_usd(site.low, costs.usd_per_kwh), electricity_usd(site.high, costs.usd_per_kwh)),
    )
