"""An estimate as tables: the figures with their ranges, the same job elsewhere, and all that it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.equivalents import equivalent_of
from lightning_carbon.estimate.accelerators import PRECISIONS, accelerators
from lightning_carbon.estimate.assumptions import assumptions
from lightning_carbon.records.numbers import CO2E, ENERGY, POWER, amount, digits, duration, percent, span
from lightning_carbon.study.rows import NOTHING, Sheet
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lightning_carbon.carbon.footprint import EnergyRange
    from lightning_carbon.estimate.accelerators import Accelerator
    from lightning_carbon.estimate.assumptions import Assumption
    from lightning_carbon.estimate.estimating import Elsewhere, Estimate

_SECONDS_PER_HOUR: Final = 3_600
_TERAFLOPS: Final = 1e12
_MUCH: Final = 1e4
_NO_CENTS: Final = 100
_PLAIN: Final = 999.5


def estimate_sheets(
    planned: Estimate, moved: Sequence[Elsewhere] | None, others: Sequence[Accelerator]
) -> tuple[Sheet, ...]:
    """The tables of an estimate, what it stands on below the last one.

    Args:
        planned: The estimate.
        moved: The same job elsewhere; ``None`` where nobody asked.
        others: Accelerators that might have been meant by the same name.
    """
    notes = tuple(_notes(planned, others))
    rows = tuple(_figures(planned))
    if moved is None:
        return (Sheet(_title(planned), ("", "Value", "Range"), "<>>", rows, notes),)
    head = ("Region", "gCO2e/kWh", "CO2e", "Range", "Saved")
    places = tuple(_place(planned, one) for one in moved)
    return (
        Sheet(_title(planned), ("", "Value", "Range"), "<>>", rows),
        Sheet("Elsewhere, with the same hardware, hours and PUE", head, "<>>>>", places, notes),
    )


def gpus_sheet() -> Sheet:
    """The packaged table of accelerators."""
    head = ("Accelerator", "GB", "W", *PRECISIONS, "USD/h", "Source")
    notes = (
        "Peaks are dense, without sparsity, in TFLOP/s; fp16 and bf16 accumulate in 32 bits.",
        "USD/h is what one costs in a cloud, pre-emptible to on demand where both are known; --json has the sources.",
        f"{NOTHING} is what no source says.",
    )
    return Sheet("Accelerators", head, "<" + ">" * (len(head) - 2) + "<", tuple(map(_part, accelerators())), notes)


def _part(one: Accelerator) -> tuple[str, ...]:
    peaks = (one.peak_flops.get(name) for name in PRECISIONS)
    return (
        str(one),
        f"{one.memory_gigabytes:g}",
        NOTHING if one.power_watts is None else f"{one.power_watts:g}",
        *(NOTHING if peak is None else f"{peak / _TERAFLOPS:g}" for peak in peaks),
        NOTHING if one.price is None else _ends(one.price.low, one.price.high),
        f"{one.source}, {one.year}",
    )


def _title(planned: Estimate) -> str:
    job, hours = planned.job, planned.job.hours.span
    what = f"accelerators of {job.rated_watts:g} W" if job.accelerator is None else str(job.accelerator)
    exact = f"{hours.value:,g}" if hours.low == hours.high else f"about {digits(hours.value)}"
    return f"Estimate, before any run: {job.count:,} x {what}, {exact} h ({duration(hours.value * _SECONDS_PER_HOUR)})"


def _figures(planned: Estimate) -> Iterator[tuple[str, ...]]:
    priced, hours, watts = planned.footprint, planned.job.hours.span, planned.mean_watts
    if hours.low != hours.high:
        yield ("Hours", digits(hours.value), _ends(hours.low, hours.high))
    yield ("Mean power", amount(watts.value, POWER), span(watts.low, watts.high, watts.value, POWER))
    yield _energy("Accelerators", planned.accelerators)
    yield _energy("Rest of their servers", planned.host)
    yield _energy("Energy (IT)", planned.energy)
    site = planned.site_kwh.times(JOULES_PER_KILOWATT_HOUR)
    ends = span(site.low, site.high, site.value, ENERGY)
    yield (f"Energy (site, PUE {priced.pue.value:g})", amount(site.value, ENERGY), ends)
    ends = span(priced.low.grams, priced.high.grams, priced.mass.grams, CO2E)
    yield (f"CO2e ({priced.intensity.region})", amount(priced.mass.grams, CO2E), ends)
    money = planned.electricity_usd
    yield ("Electricity", f"{_usd(money.value)} USD", f"{_usd(money.low)} to {_usd(money.high)} USD")
    if planned.cloud_usd is not None:
        low, high = planned.cloud_usd
        yield ("Cloud", "", f"{_usd(low)} to {_usd(high)} USD")


def _energy(name: str, energy: EnergyRange) -> tuple[str, ...]:
    value, low, high = energy.value.joules, energy.low.joules, energy.high.joules
    return (name, amount(value, ENERGY), span(low, high, value, ENERGY))


def _place(planned: Estimate, one: Elsewhere) -> tuple[str, ...]:
    there, region = one.footprint, one.footprint.intensity.region
    if region == planned.footprint.intensity.region:
        saved = "planned"
    elif one.saved_ratio is None:
        saved = NOTHING
    else:
        saved = percent(one.saved_ratio) if one.saved_ratio >= 0 else f"{percent(-one.saved_ratio)} more"
    return (
        region,
        digits(there.intensity.value.grams_per_kilowatt_hour),
        amount(there.mass.grams, CO2E),
        span(there.low.grams, there.high.grams, there.mass.grams, CO2E),
        saved,
    )


def _notes(planned: Estimate, others: Sequence[Accelerator]) -> Iterator[str]:
    equivalent = equivalent_of(planned.footprint.mass)
    if equivalent is not None:
        yield f"{amount(planned.footprint.mass.grams, CO2E)}: {equivalent.sentence}."
    if others:
        names = ", ".join(f"{one.name} ({one.power_watts:g} W)" for one in others if one.power_watts)
        yield f"{planned.job.accelerator} is meant by that name; there are also {names}."
    for one in assumptions(planned):
        ends = "" if one.span.low == one.span.high else f" ({_ends(one.span.low, one.span.high)})"
        yield f"{one.name}: {_value(one)}{ends}; {'assumed: ' if one.assumed else ''}{one.source}"


def _value(one: Assumption) -> str:
    value = f"{one.span.value:,.4g}" if one.span.value < _MUCH else f"{one.span.value:,.0f}"
    return f"{value} {one.unit}".rstrip()


def _ends(low: float, high: float) -> str:
    return _three(low) if low == high else f"{_three(low)} to {_three(high)}"


def _three(value: float) -> str:
    """Three digits at most, without zeros that say nothing: 0.05 and not 0.0500."""
    return f"{value:.3g}" if value < _PLAIN else digits(value)


def _usd(value: float) -> str:
    return digits(value) if value < _NO_CENTS else f"{value:,.0f}"
