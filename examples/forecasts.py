"""What was forecast while a run trained, beside what came of it: the logs have the one, the record the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.records.numbers import ENERGY, amount, duration, span, table
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

KWH: Final = "energy/forecast_run_kwh"
REMAINING: Final = "forecast/remaining_seconds"
MOST: Final = 3
"""The most forecasts that are shown."""


class Told(NamedTuple):
    """A forecast of the energy of a run, as it was told while it trained.

    Args:
        step: The step at which it was told.
        joules: The energy at the end of the run.
        low: The lower end of its 90 % interval.
        high: The upper end.
        remaining_seconds: How long the run still had to last.
    """

    step: int
    joules: float
    low: float
    high: float
    remaining_seconds: float


def read_forecasts(events: EventAccumulator) -> list[Told]:
    """The forecasts of a run, from its TensorBoard logs; a Hugging Face Trainer puts ``train/`` before their names."""
    written = events.Tags()["scalars"]
    prefix = next((name for name in ("", "train/") if f"{name}{KWH}" in written), None)
    if prefix is None:
        return []
    names = (KWH, f"{KWH}_low", f"{KWH}_high", REMAINING)
    columns = [[event.value for event in events.Scalars(f"{prefix}{name}")] for name in names]
    steps = [event.step for event in events.Scalars(f"{prefix}{KWH}")]
    per_kwh = JOULES_PER_KILOWATT_HOUR
    return [
        Told(step, value * per_kwh, low * per_kwh, high * per_kwh, left)
        for step, value, low, high, left in zip(steps, *columns, strict=False)
    ]


def forecast_lines(told: Sequence[Told], joules: float | None) -> list[str]:
    """Some of the forecasts, the first and the last among them, above what they were forecasts of.

    Args:
        told: The forecasts, in order.
        joules: The energy in the end; ``None`` where it is not known.
    """
    if not told or joules is None:
        return []
    places = {round(index * (len(told) - 1) / (MOST - 1)) for index in range(MOST)}
    rows = [("Forecast of all chips, as told", "", "90 %", "still to go")]
    for forecast in (told[place] for place in sorted(places)):
        ends = span(forecast.low, forecast.high, ENERGY, like=forecast.joules)
        left = duration(forecast.remaining_seconds)
        rows.append((f"  at step {forecast.step:,}", amount(forecast.joules, ENERGY), ends, left))
    return table([*rows, ("  in the end", amount(joules, ENERGY), "", "")], "<>>>")
