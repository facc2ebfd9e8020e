"""What the report of a run says of the ranges of its figures. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.records.numbers import CO2E, WATT_HOURS, Scale, likely, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.carbon.interval import Interval
    from lightning_carbon.carbon.uncertainty import Bounds
    from lightning_carbon.records.run import RunRecord


def between(bounds: Bounds[float], interval: Interval | None, scale: Scale) -> str:
    """The 90 % interval of a headline; its bounds in a record of before, or of a run that goes on.

    Args:
        bounds: The figure with its bounds.
        interval: Its interval, where the record has one.
        scale: The units of the figure.
    """
    ends = likely(interval, scale, like=bounds.value)
    if not ends and bounds.low < bounds.high:
        ends = span(bounds.low, bounds.high, scale, like=bounds.value)
    return f"{ends}; " if ends else ""


def ranges_of(record: RunRecord) -> Iterator[str]:
    """What the ranges of a report are, with the bounds of figures that show their interval.

    Args:
        record: The record of the run.
    """
    energy, machine, carbon = record.energy, record.machine, record.carbon
    if energy.interval is None or energy.total_joules is None:
        yield "Ranges follow from those of sensors, models, PUE and grid; they are no confidence intervals."
        return
    bounds = [f"chips {span(energy.low_joules, energy.high_joules, WATT_HOURS, like=energy.total_joules)}"]
    if machine is not None:
        bounds.append(f"machines {span(machine.low_joules, machine.high_joules, WATT_HOURS, like=machine.joules)}")
    if carbon.grams_co2e is not None and carbon.low is not None and carbon.high is not None:
        bounds.append(f"CO2e {span(carbon.low, carbon.high, CO2E, like=carbon.grams_co2e)}")
    yield (
        "Ranges marked (90 %) are 90 % intervals of figures whose errors partly cancel. The bounds, with all errors at "
        f"their worst together: {', '.join(bounds)}. Ranges in tables are such bounds."
    )
