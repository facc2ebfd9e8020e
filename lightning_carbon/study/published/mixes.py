"""The study's Table 2, the energy mixes of countries and clouds, and the carbon intensity that follows from each.

The study prints shares of renewable energy, gas, coal and nuclear power. They stand in
:mod:`lightning_carbon.grid.by_source`, with the emissions of each source: a mix has the same carbon intensity here as
where a run is priced with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.grid.by_source import STUDY_COLUMNS, STUDY_PERCENTS, preset
from lightning_carbon.report.sheets import Column, Sheet, sheet_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.study.published.study import PublishedMix

MEDIANS: Final = "IPCC AR5 2014, Annex III, medians"
TABLE_2: Final = 2


def other_percent(mix: PublishedMix) -> float:
    """What the printed shares leave to 100 %."""
    return 100 - sum(STUDY_PERCENTS[mix.preset].values())


def grams_of(mix: PublishedMix) -> Bounds[float]:
    """The life-cycle carbon intensity of a mix, in gCO2e/kWh.

    Raises:
        KeyError: There is no preset of that name.
    """
    found = preset(mix.preset)
    if found is None:
        raise KeyError(mix.preset)
    return Bounds(found.value, found.low, found.high)


def mixes_sheet(mixes: Sequence[PublishedMix], used_grams: float) -> Sheet:
    """Table 2 as text.

    Args:
        mixes: The mixes.
        used_grams: The carbon intensity that the study prices with, in gCO2e/kWh.
    """
    note = (
        f"gCO2e/kWh is life-cycle, by the {MEDIANS}, from the least to the greatest of the literature: renewables, "
        "which the study does not divide, count as the middle of theirs, from wind to biomass; what the printed shares "
        "leave to 100 % counts like the rest, from wind to coal. The study prices all with "
        f"{used_grams:.1f} gCO2e/kWh, the average of the United States, whose mix it calls comparable to that of AWS."
    )
    columns = (
        Column["PublishedMix"]("Consumer", lambda mix: mix.name, "<"),
        *(_share(source) for source in STUDY_COLUMNS),
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
        "percent": {**STUDY_PERCENTS[mix.preset], "other": other_percent(mix)},
        "grams_co2e_per_kilowatt_hour": {"value": grams.value, "low": grams.low, "high": grams.high},
    }


def _share(source: str) -> Column[PublishedMix]:
    return Column(f"{source.capitalize()}, %", lambda mix: f"{STUDY_PERCENTS[mix.preset][source]:g}")
