"""The settings that price energy: clouds, contracts and water."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lightning_carbon.errors import ConfigError
from lightning_carbon.settings import configure

if TYPE_CHECKING:
    from pathlib import Path


def test_a_cloud_brings_its_pue_unless_a_site_is_said(tmp_path: Path) -> None:
    """The mean of a provider's sites is assumed, and gives way to the argument and to the variable."""
    amazon = configure({}, ledger=tmp_path, region="aws:eu-north-1").pue
    said = configure({}, ledger=tmp_path, region="aws:eu-north-1", pue=1.3).pue
    by_variable = configure({"LIGHTNING_CARBON_PUE": "1.4"}, ledger=tmp_path, region="aws:eu-north-1").pue
    mine = configure({}, ledger=tmp_path, region="aws:eu-north-1", pue=1.54).pue

    assert ("AWS, mean of its sites, 2025", True) == (amazon.source, amazon.assumed)
    assert (1.14, 1.3, 1.4, 1.54) == (amazon.value, said.value, by_variable.value, mine.value)


def test_a_mix_may_stand_in_place_of_a_region(tmp_path: Path) -> None:
    """As Python has it, and as a variable does."""
    by_argument = configure({}, ledger=tmp_path, region={"coal": 0.3, "wind": 0.7})
    by_variable = configure({"LIGHTNING_CARBON_REGION": "coal=0.3,wind=0.7"}, ledger=tmp_path)

    assert by_argument.intensity == by_variable.intensity


def test_a_contract_is_market_based_and_touches_nothing_else(tmp_path: Path) -> None:
    """Location-based and market-based factors stand side by side."""
    plain = configure({}, ledger=tmp_path, region="SE")
    both = configure({"LIGHTNING_CARBON_MARKET_INTENSITY": "0"}, ledger=tmp_path, region="SE")

    assert plain.market_intensity is None
    assert both.market_intensity is not None
    assert (0.0, "market") == (both.market_intensity.value, both.market_intensity.accounting)
    assert (plain.intensity, "location") == (both.intensity, both.intensity.accounting)


@pytest.mark.parametrize(
    ("region", "wue", "litres", "source"),
    [
        ("SE", 0.3, 0.3, "given"),
        ("SE", "0.3", 0.3, "given"),
        ("SE", "default", 0.38, "LBNL, mean of the United States, 2023"),
        ("aws:eu-north-1", "default", 0.15, "AWS, mean of its sites, 2024"),
        ("amazon:eu-north-1", "default", 0.15, "AWS, mean of its sites, 2024"),
        ("azure:westeurope", "default", 0.3, "Microsoft, mean of its sites, 2024"),
    ],
)
def test_water_has_a_default_only_when_asked(
    region: str, wue: float | str, litres: float, source: str, tmp_path: Path
) -> None:
    """A figure is taken as given; a published mean, where its word asks for it; else there is no water."""
    asked, silent = (
        configure({}, ledger=tmp_path, region=region, wue=wue),
        configure({}, ledger=tmp_path, region=region),
    )

    assert silent.wue is None
    assert asked.wue is not None
    assert (litres, source, source != "given") == (asked.wue.value, asked.wue.source, asked.wue.assumed)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"market_intensity": -1}, "market_intensity=-1 cannot be used: give gCO2e/kWh as a number"),
        ({"market_intensity": 0.4}, "was 400 meant (0.4 kg)?"),
        ({"market_intensity": "384400"}, "was 384.4 meant (384400 mg)?"),
        ({"wue": -0.1}, "wue=-0.1 cannot be used: give litres for a kWh"),
        ({"wue": 1800}, "was 1.8 meant (1800 ml)?"),
        ({"wue": "little"}, "wue='little' cannot be used: give litres for a kWh"),
        ({"region": 7}, "region=7 cannot be used: give a place as text"),
    ],
)
def test_a_factor_off_by_a_thousand_is_asked_about(settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    """The likely meaning is named."""
    with pytest.raises(ConfigError) as refused:
        configure({}, ledger=tmp_path, **settings)

    assert said in str(refused.value)
