"""``lightning-carbon estimate``: the energy, CO2e and cost of a training, before any run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.what_if import Alternative, what_if
from lightning_carbon.cli.alternatives import places_of
from lightning_carbon.cli.estimate.sheets import estimate_sheets, gpus_sheet
from lightning_carbon.cli.output import show
from lightning_carbon.estimate.accelerators import accelerators, is_family_name, relatives
from lightning_carbon.estimate.assumptions import assumptions
from lightning_carbon.estimate.estimating import estimate
from lightning_carbon.estimate.planning import plan
from lightning_carbon.report.elsewhere import elsewhere_mapping
from lightning_carbon.settings.pricing import intensity_in_force, pue_in_force

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.carbon.footprint import Footprint
    from lightning_carbon.carbon.uncertainty import Bounds
    from lightning_carbon.carbon.what_if import Elsewhere
    from lightning_carbon.cli.forms import Form
    from lightning_carbon.estimate.accelerators import Accelerator
    from lightning_carbon.estimate.estimating import Estimate
    from lightning_carbon.units import Energy

SCHEMA: Final = 1


def show_estimate(
    arguments: Mapping[str, object],
    *,
    region: str | None,
    intensity: float | str | None,
    pue: float | None,
    usd_per_kwh: float | None,
    places: str | None,
    form: Form,
) -> None:
    """Print an estimate.

    Args:
        arguments: The arguments of :func:`~lightning_carbon.estimate.planning.plan`.
        region: The region of the training.
        intensity: The carbon intensity in gCO2e/kWh, instead of the region's.
        pue: The PUE of the site.
        usd_per_kwh: The price of electricity.
        places: Other regions: codes by commas, ``"default"`` or ``"all"``.
        form: The form of the output.

    Raises:
        ConfigError: An argument cannot be used.
    """
    job = plan(**arguments)  # type: ignore[arg-type]  # checked there, one by one
    priced = intensity_in_force(region, intensity)
    planned = estimate(job, intensity=priced, pue=pue_in_force(pue, priced), usd_per_kwh=usd_per_kwh)
    moved = None if places is None else _elsewhere(planned, places)
    gpu = arguments.get("gpu")
    others = relatives(job.accelerator) if job.accelerator and is_family_name(str(gpu), job.accelerator) else ()
    show(form, estimate_sheets(planned, moved, others), to_mapping(planned, moved), label="estimate")


def list_gpus(form: Form) -> None:
    """Print the table of accelerators."""
    show(form, [gpus_sheet()], [_part(gpu) for gpu in accelerators()], label="accelerators")


def to_mapping(planned: Estimate, moved: Sequence[Elsewhere] | None) -> dict[str, object]:
    """An estimate as JSON; unknown figures have no key.

    Args:
        planned: The estimate.
        moved: The same job elsewhere; ``None`` where it was not asked for.
    """
    job, priced = planned.job, planned.footprint
    mapping: dict[str, object] = {"schema": SCHEMA}
    if job.accelerator is not None:
        mapping["accelerator"] = _part(job.accelerator)
    mapping |= {
        "count": job.count,
        "rated_watts": job.rated_watts,
        "machine": {"class": job.host.machine, "assumed": job.host.assumed},
        "hours": _span(job.hours.span),
        "mean_watts": _span(planned.mean_watts),
        "energy_kwh": _kwh(planned.energy),
        "accelerators_kwh": _kwh(planned.accelerators),
        "host_kwh": _kwh(planned.host),
        "site_kwh": _span(planned.site_kwh),
        "grams_co2e": _grams(priced),
        "region": priced.intensity.region,
        "electricity_usd": _span(planned.electricity_usd),
    }
    if planned.cloud_usd is not None:
        mapping["cloud_usd"] = list(planned.cloud_usd)
    if job.flops is not None:
        mapping["flops"] = job.flops
    mapping["assumptions"] = [
        {
            "name": figure.name,
            **_span(figure.span),
            "unit": figure.unit,
            "source": figure.source,
            "assumed": figure.assumed,
        }
        for figure in assumptions(planned)
    ]
    if moved is not None:
        mapping["what_if"] = [elsewhere_mapping(place) for place in moved]
    return mapping


def _elsewhere(planned: Estimate, places: str) -> tuple[Elsewhere, ...]:
    """The job here and at other places, with the same hardware, hours and PUE."""
    intensity, pue = planned.footprint.intensity, planned.footprint.pue
    here = Alternative(intensity.place, intensity, pue)
    others = places_of(places, pue, argument="what_if")
    known = (intensity.region, pue)
    return what_if(planned.energy, here, [there for there in others if (there.intensity.region, there.pue) != known])


def _part(gpu: Accelerator) -> dict[str, object]:
    mapping: dict[str, object] = {"name": gpu.name, "vendor": gpu.vendor}
    known = {
        "memory_gigabytes": gpu.memory_gigabytes,
        "power_watts": gpu.power_watts,
        "system_watts": gpu.system_watts,
    }
    mapping |= {key: figure for key, figure in known.items() if figure is not None}
    mapping |= {"devices": gpu.dies, "peak_flops": gpu.peak_flops}
    if gpu.price is not None:
        price = gpu.price
        mapping["usd_per_hour"] = {"low": price.low, "high": price.high, "source": price.source, "year": price.year}
    return mapping | {"source": gpu.source, "year": gpu.year, "url": gpu.url, "aliases": list(gpu.aliases)}


def _span(span: Bounds[float]) -> dict[str, float]:
    return {"value": span.value, "low": span.low, "high": span.high}


def _kwh(energy: Bounds[Energy]) -> dict[str, float]:
    return {
        "value": energy.value.kilowatt_hours,
        "low": energy.low.kilowatt_hours,
        "high": energy.high.kilowatt_hours,
    }


def _grams(priced: Footprint) -> dict[str, float]:
    return {"value": priced.value.grams, "low": priced.low.grams, "high": priced.high.grams}
