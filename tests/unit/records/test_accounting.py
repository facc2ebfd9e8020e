"""What stands beside the location-based figure: a contract's, the parts by scope, and water."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.intensity import MARKET, Intensity, PowerUsage
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.carbon.water import WaterUsage
from lightning_carbon.records.accounting import MarketRecord, ScopesRecord, WaterRecord, market_of, scopes_of, water_of
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.units import Energy
from tests.unit.records.parts import domain, part
from tests.unit.records.samples import FULL

KWH = Bounds(Energy.from_joules(3_600_000), Energy.from_joules(3_240_000), Energy.from_joules(3_960_000))
PUE = PowerUsage(1.5, 1.5, 1.5, "given", assumed=False)
WUE = WaterUsage(0.4, 0.1, 0.5, "somebody", assumed=True)
MIX = Intensity(
    100.0, 90.0, 110.0, "IPCC", None, "life-cycle, mix by source", "mix", assumed=False, direct=70.0, upstream=30.0
)
CONTRACT = replace(MIX, value=0.0, low=0.0, high=0.0, accounting=MARKET, direct=None, upstream=None, source="given")


def test_a_contract_prices_the_same_energy() -> None:
    """Certificates for all of it make the market-based figure zero, and touch no other figure."""
    dear = replace(CONTRACT, value=10.0, low=10.0, high=10.0)

    assert (None, 0.0) == (market_of(KWH, PUE, None), getattr(market_of(KWH, PUE, CONTRACT), "grams_co2e", None))
    found = market_of(KWH, PUE, dear)
    assert found is not None
    assert (found.low, found.grams_co2e, found.high) == pytest.approx((13.5, 15.0, 16.5))


@given(value=st.floats(0, 2000), share=st.floats(0, 1))
def test_the_scopes_add_up_to_the_figure(value: float, share: float) -> None:
    """Scope 2 and Scope 3 of a run are the parts of one sum."""
    split = replace(MIX, value=value, low=value, high=value, direct=share * value, upstream=(1 - share) * value)
    found = scopes_of(KWH.value, PUE, split)

    assert found is not None
    assert found.scope2_grams_co2e + found.scope3_grams_co2e == pytest.approx(1.5 * value)


def test_what_a_source_does_not_split_has_no_scopes() -> None:
    """Absent is absent, where the source gives the sum alone or the direct part alone."""
    sum_alone, direct_alone = replace(MIX, direct=None), replace(MIX, upstream=None)

    assert [None, None] == [scopes_of(KWH.value, PUE, factor) for factor in (sum_alone, direct_alone)]


def test_water_is_told_where_it_was_asked_for() -> None:
    """Litres follow the IT energy, PUE aside, and range over both ranges."""
    found = water_of(KWH, WUE)

    assert [None, None] == [water_of(KWH, None), water_of(None, WUE)]
    assert found is not None
    assert (found.low, found.litres, found.high) == pytest.approx((0.09, 0.4, 0.55))


def test_a_record_tells_them_side_by_side_and_keeps_them() -> None:
    """The summary names each, and the record comes back from its plain form as it was."""
    carbon = replace(FULL.carbon, market=MarketRecord(1.2, 1.0, 1.4, CONTRACT), scopes=ScopesRecord(2.0, 1.4))
    record = replace(FULL, carbon=carbon, water=WaterRecord(0.4, 0.1, 0.5, WUE), location=None)
    text = " ".join(record.summary().split())

    assert "of which Scope 2 2.00 gCO2e, Scope 3 category 3 1.40 gCO2e" in text
    assert "market-based, beside it and never netted: 1.20 gCO2e (1.00 to 1.40 gCO2e) at 0 gCO2e/kWh; given" in text
    assert "water of the site: 0.4 litres (0.1 to 0.5) at 0.4 litres/kWh; somebody" in text
    assert record == from_mapping(to_mapping(record))


def test_a_contract_without_a_range_is_told_as_it_is() -> None:
    """A point has no limits."""
    record = replace(FULL, carbon=replace(FULL.carbon, market=MarketRecord(0.0, 0.0, 0.0, CONTRACT)))

    assert "never netted: 0 gCO2e at 0 gCO2e/kWh" in " ".join(record.summary().split())


def test_a_run_with_a_contract_and_water_is_merged_with_both() -> None:
    """The header of the first rank says by what to price; without energy nothing is priced."""
    told = part(0, {domain("gpu:0"): 3_600_000_000_000})
    header = replace(told.header, intensity=MIX, pue=PUE, market_intensity=CONTRACT, wue=WUE)
    empty = part(0)
    record = record_of([replace(told, header=header)])
    nothing = record_of([replace(empty, header=replace(header, domains=empty.header.domains))])

    assert record.carbon.market is not None
    assert record.carbon.scopes is not None
    assert record.water is not None
    assert (record.carbon.grams_co2e, record.carbon.market.grams_co2e) == pytest.approx((150.0, 0.0))
    assert record.carbon.scopes.scope2_grams_co2e == pytest.approx(105.0)
    assert record.water.litres == pytest.approx(0.4)
    assert (None, None) == (nothing.carbon.market, nothing.water)
