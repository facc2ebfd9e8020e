"""The assumptions of an estimate, a line for each figure: its value, range, source, and whether the user gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.estimate.factors import SourcedBounds
from lightning_carbon.estimate.planning import GIVEN
from lightning_carbon.units import TERA
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.estimate.estimating import Estimate


@dataclass(frozen=True, slots=True)
class Assumption:
    """A figure that an estimate rests on.

    Args:
        name: The name of the figure.
        span: Its value and range.
        unit: Its unit, or an empty string for a share.
        source: Its source; ``"given"`` for a figure of the user's.
        assumed: Whether it stands in for a figure that the user did not give.
    """

    name: str
    span: Bounds[float]
    unit: str
    source: str
    assumed: bool


def assumptions(estimate: Estimate) -> tuple[Assumption, ...]:
    """List the assumptions of an estimate, from the hardware to the prices."""
    return tuple(_lines(estimate))


def _lines(estimate: Estimate) -> Iterator[Assumption]:
    job, priced = estimate.job, estimate.footprint
    part = job.accelerator
    is_rating = part is not None and job.rated_watts == part.device_watts
    rating = f"{part.source}, {part.year}, {part.url}" if part is not None and is_rating else GIVEN
    yield Assumption("rated power", Bounds.exactly(job.rated_watts), "W", rating, assumed=False)
    yield Assumption("hours", job.hours.span, "h", job.hours.source, assumed=False)
    if part is not None and job.precision is not None and job.mfu is not None:
        name, peak = job.precision
        source = f"{part.source}, {part.year}"
        yield Assumption(f"dense peak in {name}", Bounds.exactly(peak / TERA), "TFLOP/s", source, assumed=False)
        yield _of("MFU", job.mfu)
    if job.utilisation is not None:
        yield Assumption("utilisation", Bounds.exactly(job.utilisation), "", GIVEN, assumed=False)
    yield _of("mean power, of the rating", job.share)
    host = job.host
    yield _of("rest of the machine, of its accelerators", host.share)
    if host.rating_share is None:
        yield _of("rest of the machine, fixed, for each accelerator", host.fixed_watts, "W")
    else:
        yield _of("rest of the machine, fixed, of the rating", host.rating_share)
    pue = SourcedBounds(priced.pue, priced.pue.source)
    yield _of("PUE", pue, assumed=priced.pue.assumed)
    per_kwh = priced.intensity
    year = "" if per_kwh.year is None else f", {per_kwh.year}, {per_kwh.basis}"
    intensity = SourcedBounds(per_kwh, f"{per_kwh.source}{year}")
    yield _of(f"carbon intensity, {per_kwh.place}", intensity, "gCO2e/kWh", assumed=per_kwh.assumed)
    yield _of("electricity", estimate.usd_per_kwh, "USD/kWh")
    if part is not None and part.price is not None:
        source = f"{part.price.source}, {part.price.year}"
        for which, usd in (("cheapest", part.price.low), ("dearest", part.price.high)):
            yield Assumption(f"cloud, the {which}", Bounds.exactly(usd), "USD/h each", source, assumed=True)


def _of(name: str, factor: SourcedBounds, unit: str = "", *, assumed: bool | None = None) -> Assumption:
    is_assumed = factor.source != GIVEN if assumed is None else assumed
    return Assumption(name, factor.span, unit, factor.source, is_assumed)
