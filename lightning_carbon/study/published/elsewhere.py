"""Claims that reports set beside those about the study, of which the study itself says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.study.published.claims import Claim, Sense
from lightning_carbon.units import CarbonMass

if TYPE_CHECKING:
    from collections.abc import Iterator

CAR_YEAR = CarbonMass.from_kilograms(4_600)
"""The CO2 of a typical passenger car in a year, of fuel alone."""
CAR_YEAR_SOURCE = "EPA-420-F-23-014, 2023"

_BITCOIN_MEGATONNES = 69.0
_SWEDEN_MEGATONNES = 55.657
_FRANCE_MEGATONNES = 463.0
_AVIATION_PERCENT = 2.5

_BITCOIN = "Mora et al., Nature Climate Change 8 (2018) 931, of 2017"
_SWEDEN = "SMED for Naturvårdsverket, of 2013, without international transport"
_FRANCE = "Citepa, of 2017, without land use, by way of Enerdata 2022"
_AVIATION = "Ritchie, Our World in Data, 2020: of CO2, without other effects"


def elsewhere() -> Iterator[Claim]:
    """Every such claim: cryptocurrency beside countries, and aviation."""
    yield Claim(
        "bitcoin_above_sweden",
        "bitcoin: 69 Mt a year, more than Sweden's 56 Mt",
        56,
        _SWEDEN_MEGATONNES,
        "Mt",
        f"Sweden: {_SWEDEN_MEGATONNES:.2f} Mt, below {_BITCOIN_MEGATONNES:g} Mt",
        source=f"{_BITCOIN}; {_SWEDEN}",
        is_outside=True,
    )
    share = 100 * _BITCOIN_MEGATONNES / _FRANCE_MEGATONNES
    yield Claim(
        "bitcoin_15_percent_of_france",
        "bitcoin: 15 % of what France emits",
        15,
        share,
        "%",
        f"{_BITCOIN_MEGATONNES:g} Mt / {_FRANCE_MEGATONNES:g} Mt = {share:.2f} %",
        source=f"{_BITCOIN}; {_FRANCE}",
        is_outside=True,
    )
    yield Claim(
        "aviation_2_percent",
        "aviation: about 2 % of the world's emissions",
        2,
        _AVIATION_PERCENT,
        "%",
        f"{_AVIATION_PERCENT:.2f} % of CO2",
        Sense.ABOUT,
        remark="more of CO2, and more still of warming",
        source=_AVIATION,
        is_outside=True,
    )
