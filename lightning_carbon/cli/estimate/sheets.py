"""An estimate as tables: the figures with their ranges, the same job elsewhere, and the assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.equivalents import equivalent_of
from lightning_carbon.estimate.accelerators import PRECISIONS, Accelerator, accelerators
from lightning_carbon.estimate.assumptions import assumptions
from lightning_carbon.records.numbers import CO2E, ENERGY, NOTHING, POWER, amount, digits, duration, span
from lightning_carbon.report.elsewhere import elsewhere_sheet
from lightning_carbon.report.sheets import Column, Sheet, sheet_of
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, SECONDS_PER_HOUR, TERA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lightning_carbon.carbon.footprint import Footprint
    from lightning_carbon.carbon.uncertainty import Bounds
    from lightning_carbon.carbon.what_if import Elsewhere
    from lightning_carbon.estimate.assumptions import Assumption
    from lightning_carbon.estimate.estimating import Estimate
    from lightning_carbon.units import Energy

_MUCH: Final = 1e4
_NO_CENTS: Final = 100
_PLAIN: Final = 999.5


def estimate_sheets(
    planned: Estimate, moved: Sequence[Elsewhere] | None, others: Sequence[Accelerator]
) -> tuple[Sheet, ...]:
    """The tables of an estimate, with the assumptions below the last table.

    Args:
        planned: The estimate.
        moved: The same job elsewhere; ``None`` where it was not asked for.
        others: Other accelerators that the same name may mean.
    """
    notes = tuple(_notes(planned, others))
    rows = tuple(_figures(planned))
    if moved is None:
        return (Sheet(_title(planned), ("", "Value", "Range"), "<>>", rows, notes),)
    return (
        Sheet(_title(planned), ("", "Value", "Range"), "<>>", rows),
        elsewhere_sheet("Elsewhere, with the same hardware, hours and PUE", moved, here="planned", notes=notes),
    )


def gpus_sheet() -> Sheet:
    """The packaged table of accelerators."""
    notes = (
        "Peaks are dense, without sparsity, in TFLOP/s; fp16 and bf16 accumulate in 32 bits.",
        "USD/h is the price of an accelerator in clouds, the cheapest seller to the dearest; --json has the sources.",
        f"{NOTHING} stands for what no source says.",
    )
    columns = (
        Column[Accelerator]("Accelerator", str, "<"),
        Column[Accelerator]("GB", lambda gpu: NOTHING if gpu.memory_gigabytes is None else f"{gpu.memory_gigabytes:g}"),
        Column[Accelerator]("W", lambda gpu: NOTHING if gpu.power_watts is None else f"{gpu.power_watts:g}"),
        *(Column[Accelerator](precision, _peak(precision)) for precision in PRECISIONS),
        Column[Accelerator](
            "USD/h", lambda gpu: NOTHING if gpu.price is None else _ends(gpu.price.low, gpu.price.high)
        ),
        Column[Accelerator]("Source", lambda gpu: f"{gpu.source}, {gpu.year}", "<"),
    )
    return sheet_of("Accelerators", accelerators(), columns, notes=notes)


def _peak(precision: str) -> Callable[[Accelerator], str]:
    def cell(gpu: Accelerator) -> str:
        peak = gpu.peak_flops.get(precision)
        return NOTHING if peak is None else f"{peak / TERA:g}"

    return cell


def _title(planned: Estimate) -> str:
    job, hours = planned.job, planned.job.hours.span
    what = f"accelerators of {job.rated_watts:g} W" if job.accelerator is None else str(job.accelerator)
    exact = f"{hours.value:,g}" if hours.low == hours.high else f"about {digits(hours.value)}"
    return f"Estimate, before any run: {job.count:,} x {what}, {exact} h ({duration(hours.value * SECONDS_PER_HOUR)})"


def _figures(planned: Estimate) -> Iterator[tuple[str, ...]]:
    priced, hours, watts = planned.footprint, planned.job.hours.span, planned.mean_watts
    if hours.low != hours.high:
        yield ("Hours", digits(hours.value), _ends(hours.low, hours.high))
    yield ("Mean power", amount(watts.value, POWER), span(watts.low, watts.high, POWER, like=watts.value))
    yield _energy("Accelerators", planned.accelerators)
    yield _energy(f"Rest of the machine ({planned.job.host.machine})", planned.host)
    yield _energy("Energy (IT)", planned.energy)
    site = planned.site_kwh.times(JOULES_PER_KILOWATT_HOUR)
    ends = span(site.low, site.high, ENERGY, like=site.value)
    yield (f"Energy (site, PUE {priced.pue.value:g})", amount(site.value, ENERGY), ends)
    yield (f"CO2e ({priced.intensity.place})", amount(priced.value.grams, CO2E), _grams(priced))
    money = planned.electricity_usd
    yield ("Electricity", f"{_usd(money.value)} USD", f"{_usd(money.low)} to {_usd(money.high)} USD")
    if planned.cloud_usd is not None:
        low, high = planned.cloud_usd
        yield ("Cloud", "", f"{_usd(low)} to {_usd(high)} USD")


def _energy(name: str, energy: Bounds[Energy]) -> tuple[str, ...]:
    value, low, high = energy.value.joules, energy.low.joules, energy.high.joules
    return (name, amount(value, ENERGY), span(low, high, ENERGY, like=value))


def _grams(priced: Footprint) -> str:
    return span(priced.low.grams, priced.high.grams, CO2E, like=priced.value.grams)


def _notes(planned: Estimate, others: Sequence[Accelerator]) -> Iterator[str]:
    equivalent = equivalent_of(planned.footprint.value)
    if equivalent is not None:
        yield f"{amount(planned.footprint.value.grams, CO2E)}: {equivalent.sentence}."
    if others:
        names = ", ".join(f"{gpu.name} ({gpu.power_watts:g} W)" for gpu in others if gpu.power_watts)
        yield f"{planned.job.accelerator} is meant by that name; there are also {names}."
    for figure in assumptions(planned):
        low, high = figure.span.low, figure.span.high
        ends = "" if low == high else f" ({_ends(low, high)})"
        yield f"{figure.name}: {_value(figure)}{ends}; {'assumed: ' if figure.assumed else ''}{figure.source}"


def _value(figure: Assumption) -> str:
    value = f"{figure.span.value:,.4g}" if figure.span.value < _MUCH else f"{figure.span.value:,.0f}"
    return f"{value} {figure.unit}".rstrip()


def _ends(low: float, high: float) -> str:
    return _three(low) if low == high else f"{_three(low)} to {_three(high)}"


def _three(value: float) -> str:
    """A figure with three digits at most, without trailing zeros: 0.05 and not 0.0500."""
    return f"{value:.3g}" if value < _PLAIN else digits(value)


def _usd(value: float) -> str:
    return digits(value) if value < _NO_CENTS else f"{value:,.0f}"
