"""What is told of a whole run where there is room for a few values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lightning_carbon.carbon.intensity import Intensity
from lightning_carbon.carbon.water import WaterUsage
from lightning_carbon.records.accounting import MarketRecord, WaterRecord
from lightning_carbon.records.conclusion import FACTS, Fact, facts_table, figures_of, words_of
from lightning_carbon.records.rows import METRICS, Scope
from tests.unit.records.samples import FULL, NOTHING


def test_a_run_is_told_with_its_range_and_what_it_rests_on() -> None:
    """By hand, from a record that has everything."""
    assert {
        "energy/run_joules": 13_545.7,
        "energy/run_low_joules": 12_173.2,
        "energy/run_high_joules": 14_918.2,
        "energy/measured_ratio": 12_000.5 / 13_545.7,
        "energy/run_coverage_ratio": 0.76,
        "energy/run_machine_kwh": 16_815.2 / 3_600_000,
        "energy/run_machine_low_kwh": 13_373.2 / 3_600_000,
        "energy/run_machine_high_kwh": 19_318.2 / 3_600_000,
        "carbon/run_grams_co2e": 3.404,
        "carbon/run_low_grams_co2e": 0.0761,
        "carbon/run_high_grams_co2e": 12.9,
        "carbon/intensity_grams_per_kwh": 473.2,
        "carbon/pue": 1.54,
    } == pytest.approx(figures_of(FULL))
    assert words_of(FULL, "mine/") == {
        "mine/carbon/region": "WORLD, assumed",
        "mine/carbon/intensity_source": FULL.carbon.intensity.source,
        "mine/carbon/boundary": "machine",
        "mine/energy/provenance": "GPU counter, CPU modelled, memory modelled",
        "mine/energy/status": "completed",
        "mine/energy/run_id": FULL.run_id,
    }


def test_a_region_that_was_given_is_not_called_assumed() -> None:
    """A reader of a dashboard sees which it is."""
    given = replace(FULL.carbon, intensity=replace(FULL.carbon.intensity, region="SWE", assumed=False))

    assert "SWE" == words_of(replace(FULL, carbon=given))["carbon/region"]


def test_a_contract_and_water_are_told_where_they_are_known() -> None:
    """Beside the figure of the place, and never in its stead."""
    contract = Intensity(9.0, 8.0, 10.0, "given", None, "as given", "custom", assumed=False, accounting="market")
    water = WaterRecord(0.8, 0.6, 1.1, WaterUsage(1.8, 1.8, 1.8, "given", assumed=False))
    carbon = replace(FULL.carbon, market=MarketRecord(0.7, 0.5, 0.9, contract))

    assert {
        "carbon/run_market_grams_co2e": 0.7,
        "carbon/run_market_low_grams_co2e": 0.5,
        "carbon/run_market_high_grams_co2e": 0.9,
        "carbon/market_intensity_grams_per_kwh": 9.0,
        "water/run_litres": 0.8,
        "water/run_low_litres": 0.6,
        "water/run_high_litres": 1.1,
        "water/wue_litres_per_kwh": 1.8,
    } == pytest.approx(dict(figures_of(replace(FULL, carbon=carbon, water=water)).items() - figures_of(FULL).items()))


def test_a_run_without_energy_has_none() -> None:
    """Nothing is told as 0 because it could not be read."""
    figures, words = figures_of(NOTHING), words_of(NOTHING)

    assert {"carbon/intensity_grams_per_kwh", "carbon/pue"} == figures.keys()
    assert "energy/provenance" not in words


def test_totals_are_called_as_in_rows() -> None:
    """The summary of a tracker holds one total of a run, not two."""
    so_far = {metric.name for metric in METRICS if metric.scope is Scope.RUN}
    names = {fact.name for fact in FACTS}
    totals = {"energy/run_joules", "energy/run_machine_kwh", "carbon/run_grams_co2e"}

    assert totals == names & {metric.name for metric in METRICS}
    assert totals <= so_far
    assert len(FACTS) == len(names)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_every_fact_is_in_the_table_for_the_documentation(fact: Fact) -> None:
    """With its unit and its meaning, a line each."""
    line = f"| `{fact.name}` | {fact.unit or 'text'} | {fact.meaning} |"

    assert line in facts_table().splitlines()
