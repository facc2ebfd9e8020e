"""The study's Table 2, the energy mixes of countries and clouds, and the carbon intensity that follows from each. Pure.

The study prints shares of renewable energy, gas, coal and nuclear power. What they leave to 100 % is computed here, and
the life-cycle intensity of each mix by the medians of the IPCC. Renewables count as hydropower, from wind to biomass;
the rest counts as the known part does, from wind to coal.

References:
    [AR5] IPCC, Fifth Assessment Report, Working Group III, Annex III, table A.III.2, 2014.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.report.sheets import Column, Sheet, sheet_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.study.published.study import PublishedMix

MEDIANS = "IPCC AR5 2014, Annex III, medians"
TABLE_2 = 2

_GRAMS = {
    "renewable": Bounds(24.0, 11.0, 230.0),
    "gas": Bounds.exactly(490.0),
    "coal": Bounds.exactly(820.0),
    "nuclear": Bounds.exactly(12.0),
}
"""Life-cycle gCO2e/kWh [AR5]; renewable: hydropower, onshore wind, biomass."""
_LEAST, _MOST = 11.0, 820.0


def other_percent(mix: PublishedMix) -> float:
    """What the printed shares leave to 100 %."""
    return 100 - sum(mix.percent.values())


def grams_of(mix: PublishedMix) -> Bounds[float]:
    """The life-cycle carbon intensity of a mix, in gCO2e/kWh."""
    known = Bounds.exactly(0.0)
    for source, percent in mix.percent.items():
        known += _GRAMS[source].times(percent / 100)
    rest = other_percent(mix) / 100
    return Bounds(known.value / (1 - rest), known.low + rest * _LEAST, known.high + rest * _MOST)


def mixes_sheet(mixes: Sequence[PublishedMix], used_grams: float) -> Sheet:
    """Table 2 as text.

    Args:
        mixes: The mixes.
        used_grams: The carbon intensity that the study prices with, in gCO2e/kWh.
    """
    note = (
        f"gCO2e/kWh is life-cycle, by the {MEDIANS}: renewables count as hydropower, from wind to biomass; what the "
        "printed shares leave to 100 % counts like the rest, from wind to coal. The study prices all with "
        f"{used_grams:.1f} gCO2e/kWh, the average of the United States, whose mix it calls comparable to that of AWS."
    )
    columns = (
        Column["PublishedMix"]("Consumer", lambda mix: mix.name, "<"),
        *(_share(source) for source in _GRAMS),
        Column["PublishedMix"]("Other, %", lambda mix: f"{other_percent(mix):g}"),
        Column["PublishedMix"]("gCO2e/kWh", lambda mix: f"{grams_of(mix).value:.0f}"),
        Column["PublishedMix"]("Range", lambda mix: f"{grams_of(mix).low:.0f} – {grams_of(mix).high:.0f}"),
    )
    return sheet_of("Energy mixes (the study's Table 2)", mixes, columns, notes=(note,))


def mix_mapping(mix: PublishedMix) -> dict[str, Any]:
    """A mix as plain values (JSON types only)."""
    grams = grams_of(mix)
    return {
        "table": TABLE_2,
        "id": mix.id,
        "name": mix.name,
        "percent": {**mix.percent, "other": other_percent(mix)},
        "grams_co2e_per_kilowatt_hour": {"value": grams.value, "low": grams.low, "high": grams.high},
    }


def _share(source: str) -> Column[PublishedMix]:
    return Column(f"{source.capitalize()}, %", lambda mix: f"{mix.percent[source]:g}")
