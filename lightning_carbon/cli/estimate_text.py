"""An estimate for people: the figures with their ranges, the same job elsewhere, and all that was assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.records.figures import CO2E, ENERGY, POWER, amount, digits, duration, percent, span, table, wrap
from lightning_carbon.study.accelerators import PRECISIONS, accelerators
from lightning_carbon.study.assumptions import assumptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lightning_carbon.records.figures import Scale
    from lightning_carbon.study.accelerators import Accelerator
    from lightning_carbon.study.assumptions import Assumption
    from lightning_carbon.study.estimate_factors import Span
    from lightning_carbon.study.estimating import Elsewhere, Estimate

_SECONDS_PER_HOUR: Final = 3_600
_TERAFLOPS: Final = 1e12
_NOTHING: Final = "–"

Rows = list[tuple[str, ...]]


def as_text(planned: Estimate, moved: Sequence[Elsewhere], others: Sequence[Accelerator]) -> str:
    """Write an estimate for a terminal.

    Args:
        planned: The estimate.
        moved: The same job elsewhere.
        others: Accelerators that might have been meant by the same name.
    """
    blocks = [[_title(planned)], *([[_also(others)]] if others else []), _aligned(_figures(planned), "<>>")]
    if moved:
        blocks += [[_MOVED], _aligned(_places(planned, moved), "<>>>>")]
    blocks.append(["Stands on", *_standing(planned)])
    return "\n\n".join("\n".join(block) for block in blocks)


def as_markdown(planned: Estimate, moved: Sequence[Elsewhere], others: Sequence[Accelerator]) -> str:
    """Write an estimate as Markdown; the arguments are those of :func:`as_text`."""
    blocks = [f"**{_title(planned)}**", *([_also(others)] if others else []), _markdown(_figures(planned), "<>>")]
    if moved:
        blocks += [_MOVED, _markdown(_places(planned, moved), "<>>>>")]
    rows: Rows = [("stands on", "value", "range", "source")]
    rows += [(one.name, _value(one), _ends(one), _source(one)) for one in assumptions(planned)]
    return "\n\n".join([*blocks, _markdown(rows, "<>><")])


def gpus_as_text() -> str:
    """Write the table of accelerators for a terminal."""
    rows: Rows = [("Accelerator", "GB", "W", *(f"{name}" for name in PRECISIONS), "USD/h", "source")]
    for one in accelerators():
        peaks = (one.peak_flops.get(name) for name in PRECISIONS)
        price = _NOTHING if one.price is None else _ends_of(one.price.low, one.price.high)
        rows.append(
            (
                str(one),
                f"{one.memory_gigabytes:g}",
                _NOTHING if one.power_watts is None else f"{one.power_watts:g}",
                *(_NOTHING if peak is None else f"{peak / _TERAFLOPS:g}" for peak in peaks),
                price,
                f"{one.source}, {one.year}",
            )
        )
    return "\n".join([*table(rows, "<>>>>>>>>" + "<"), "", "Peaks are dense, in TFLOP/s; – is what no source says."])


_MOVED: Final = "Elsewhere: the same hardware, hours and PUE, the same energy, at another carbon intensity"


def _title(planned: Estimate) -> str:
    job = planned.job
    what = f"accelerators of {job.rated_watts:g} W" if job.accelerator is None else str(job.accelerator)
    hours = job.hours.span
    seconds = hours.value * _SECONDS_PER_HOUR
    exact = f"{hours.value:,g} h" if hours.low == hours.high else f"{digits(hours.value)} h"
    return f"Estimate before any run: {job.count:,} x {what} for {exact} ({duration(seconds)})"


def _also(others: Sequence[Accelerator]) -> str:
    names = ", ".join(
        f"{one.name} ({_NOTHING if one.power_watts is None else f'{one.power_watts:g}'} W)" for one in others
    )
    return f"By that name there are also: {names}"


def _figures(planned: Estimate) -> Rows:
    priced, energy = planned.footprint, planned.energy
    rows: Rows = [("", "value", "range")]
    if planned.job.hours.span.low != planned.job.hours.span.high:
        hours = planned.job.hours.span
        rows.append(("Hours", digits(hours.value), _ends_of(hours.low, hours.high)))
    rows.append(_row("Mean power", planned.mean_watts, POWER))
    for name, part in (("  accelerators", planned.accelerators), ("  rest of the servers", planned.host)):
        rows.append(_joules(name, part.value.joules, part.low.joules, part.high.joules))
    rows.insert(-2, _joules("Energy (IT)", energy.value.joules, energy.low.joules, energy.high.joules))
    site = planned.site_kwh.times(3.6e6)
    rows.append(_row(f"Energy (site, PUE {priced.pue.value:g})", site, ENERGY))
    ends = span(priced.low.grams, priced.high.grams, priced.mass.grams, CO2E)
    rows.append((f"CO2e ({priced.intensity.region})", amount(priced.mass.grams, CO2E), ends))
    money = planned.electricity_usd
    rows.append(("Electricity", f"{_usd(money.value)} USD", f"{_usd(money.low)} to {_usd(money.high)} USD"))
    if planned.cloud_usd is not None:
        low, high = planned.cloud_usd
        rows.append(("Cloud", "", f"{_usd(low)} to {_usd(high)} USD"))
    return rows


def _places(planned: Estimate, moved: Sequence[Elsewhere]) -> Rows:
    rows: Rows = [("Region", "gCO2e/kWh", "CO2e", "range", "saved")]
    for one in moved:
        there = one.footprint
        is_here = there.intensity.region == planned.footprint.intensity.region
        saved = "planned" if is_here else _NOTHING if one.saved_ratio is None else f"{_signed(one.saved_ratio)}"
        rows.append(
            (
                there.intensity.region,
                digits(there.intensity.value.grams_per_kilowatt_hour),
                amount(there.mass.grams, CO2E),
                span(there.low.grams, there.high.grams, there.mass.grams, CO2E),
                saved,
            )
        )
    return rows


def _standing(planned: Estimate) -> Iterable[str]:
    for one in assumptions(planned):
        ends = _ends(one)
        figure = f"{_value(one)} ({ends})" if ends else _value(one)
        yield from wrap(f"{figure}: {_source(one)}", first=f"  {one.name}: ", rest=" " * 6)


def _source(one: Assumption) -> str:
    return f"assumed; {one.source}" if one.assumed else one.source


def _value(one: Assumption) -> str:
    value = f"{one.span.value:,.4g}" if one.span.value < 1e4 else f"{one.span.value:,.0f}"  # noqa: PLR2004
    return f"{value} {one.unit}".rstrip()


def _ends(one: Assumption) -> str:
    return "" if one.span.low == one.span.high else _ends_of(one.span.low, one.span.high)


def _ends_of(low: float, high: float) -> str:
    return digits(low) if low == high else f"{digits(low)} to {digits(high)}"


def _row(name: str, figure: Span, scale: Scale) -> tuple[str, ...]:
    return (name, amount(figure.value, scale), span(figure.low, figure.high, figure.value, scale))


def _joules(name: str, value: float, low: float, high: float) -> tuple[str, ...]:
    return (name, amount(value, ENERGY), span(low, high, value, ENERGY))


def _usd(value: float) -> str:
    return digits(value) if value < 100 else f"{value:,.0f}"  # noqa: PLR2004


def _signed(ratio: float) -> str:
    return percent(ratio) if ratio >= 0 else f"-{percent(-ratio)}"


def _aligned(rows: Rows, align: str) -> list[str]:
    return table([(f"  {row[0]}", *row[1:]) for row in rows], align)


def _markdown(rows: Rows, align: str) -> str:
    rule = ["---:" if side == ">" else "---" for side in align]
    head, *body = rows
    lines = [head, rule, *body]
    return "\n".join("| " + " | ".join(cell.strip().replace("|", "\\|") for cell in line) + " |" for line in lines)
