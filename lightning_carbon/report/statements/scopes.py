"""The CO2e of runs by the scopes of the GHG Protocol, as far as the sources of their factors divide it. Pure.

References:
    GHG Protocol, *Scope 2 Guidance* (2015): Scope 2 is stated by the grid of the place and by the contract, side by
    side. *Corporate Value Chain Standard* (2011), section 5.4: fuel and losses before the power station are Scope 3,
    category 3.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.intensity import AVERAGE, DIRECT, LIFE_CYCLE, LOCATION
from lightning_carbon.records.numbers import digits
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lightning_carbon.records.run import RunRecord

_MOST_TRACED: Final = 5
"""The most runs that the arithmetic names."""


class ScopeShare(StrEnum):
    """A share of the CO2e of a run, by where an inventory puts it."""

    LOCATION = "Scope 2, location-based"
    MARKET = "Scope 2, market-based"
    UPSTREAM = "Scope 3, category 3 (upstream), location-based"
    TOGETHER = "Scope 2 and Scope 3, category 3 together, location-based"
    UNKNOWN = "Scope not known"


@dataclass(frozen=True, slots=True)
class SharedGrams:
    """A share of the CO2e of runs.

    Args:
        grams_co2e: Its sum.
        runs: The number of runs that have it.
        trace: The arithmetic, a line for each of the first runs.
    """

    grams_co2e: float
    runs: int
    trace: tuple[str, ...]


def shares_of(records: Iterable[RunRecord]) -> dict[ScopeShare, SharedGrams]:
    """Add up the CO2e of runs by share; a share that no run has is left out.

    Args:
        records: The runs.
    """
    found: dict[ScopeShare, list[tuple[float, str]]] = {}
    for record in records:
        for share, grams, how in _shares(record):
            found.setdefault(share, []).append((grams, f"{record.run_id}: {how} = {digits(grams)} gCO2e"))
    return {
        share: SharedGrams(sum(grams for grams, _ in known), len(known), _cut([line for _, line in known]))
        for share, known in found.items()
    }


def _shares(record: RunRecord) -> Iterator[tuple[ScopeShare, float, str]]:
    carbon, energy = record.carbon, record.priced_energy
    if energy is None or carbon.grams_co2e is None:
        return
    site = f"{digits(energy.value.kilowatt_hours * carbon.pue.value)} kWh"
    if carbon.market is not None:
        yield ScopeShare.MARKET, carbon.market.grams_co2e, f"{site} x {carbon.market.intensity.value:.4g} gCO2e/kWh"
    factor, scopes = carbon.intensity, carbon.scopes
    if factor.accounting != LOCATION or factor.signal != AVERAGE:
        whole = ScopeShare.UNKNOWN
    elif scopes is not None:
        yield ScopeShare.LOCATION, scopes.scope2_grams_co2e, f"{site} x {factor.direct or 0.0:.4g} gCO2e/kWh"
        yield ScopeShare.UPSTREAM, scopes.scope3_grams_co2e, f"{site} x {factor.upstream or 0.0:.4g} gCO2e/kWh"
        return
    elif factor.basis.startswith(DIRECT):
        whole = ScopeShare.LOCATION
    else:
        whole = ScopeShare.TOGETHER if factor.basis.startswith(LIFE_CYCLE) else ScopeShare.UNKNOWN
    yield whole, carbon.grams_co2e, f"{site} x {factor.value:.4g} gCO2e/kWh"


def _cut(lines: list[str]) -> tuple[str, ...]:
    more = len(lines) - _MOST_TRACED
    return (*lines[:_MOST_TRACED], *([f"and {more} more runs"] if more > 0 else []))
