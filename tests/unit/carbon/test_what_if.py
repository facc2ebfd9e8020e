"""The same energy elsewhere: the ratio of the factors, the saving, the order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.intensity import PowerUsage
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.carbon.what_if import Alternative, what_if
from lightning_carbon.report.elsewhere import elsewhere_mapping, elsewhere_sheet
from lightning_carbon.units import Energy
from tests.unit.carbon.test_footprint import intensity_of

PUE = PowerUsage(1.5, 1.0, 2.0, "a test", assumed=True)
KWH = Bounds.exactly(Energy.from_joules(3_600_000))


def place(name: str, grams: float, pue: PowerUsage = PUE) -> Alternative:
    """A place with an exact carbon intensity."""
    return Alternative(name, intensity_of(grams, grams, grams), pue)


@given(grams=st.lists(st.floats(0.1, 1_000), min_size=1, max_size=8), here=st.floats(0.1, 1_000))
def test_moving_keeps_the_energy_and_changes_the_carbon(grams: list[float], here: float) -> None:
    """CO2e elsewhere is in the ratio of the intensities, the cleanest place first, and the present place among them."""
    rows = what_if(KWH, place("here", here), [place(f"R{index}", value) for index, value in enumerate(grams)])

    assert pytest.approx(sorted([*grams, here])) == [row.footprint.intensity.value for row in rows]
    assert ["here"] == [row.name for row in rows if row.is_here]
    for row in rows:
        there = row.footprint.intensity.value
        assert 1.5 * there == pytest.approx(row.footprint.value.grams)
        assert 1.5 * (here - there) == pytest.approx(row.saved_grams_co2e)
        assert 1 - there / here == pytest.approx(row.saved_ratio, abs=1e-9)


def test_where_nothing_is_emitted_no_share_is_saved() -> None:
    """A share of nothing is not known, and the table shows none."""
    rows = what_if(KWH, place("here", 0.0), [place("SWE", 35.0), place("here", 99.0)])

    assert [None, None] == [row.saved_ratio for row in rows]
    assert [0.0, -52.5] == [row.saved_grams_co2e for row in rows]
    assert ["planned", "–"] == [cells[-1] for cells in elsewhere_sheet("", rows, here="planned").rows]
    assert "saved_ratio" not in elsewhere_mapping(rows[1])


def test_a_better_site_is_an_alternative_and_shows_its_pue() -> None:
    """PUE has a column where it differs, and saves what its ratio says."""
    better = PowerUsage(1.2, 1.2, 1.2, "given", assumed=False)
    rows = what_if(KWH, place("here", 100.0), [place("PUE 1.2", 100.0, better)])
    sheet = elsewhere_sheet("", rows, here="as run")

    assert ("Place", "gCO2e/kWh", "PUE", "CO2e", "Range", "Saved") == sheet.head
    assert ("PUE 1.2", "100", "1.2", "120 gCO2e", "20.0 %") == tuple(sheet.rows[0][place] for place in (0, 1, 2, 3, 5))
    assert 0.2 == pytest.approx(elsewhere_mapping(rows[0])["saved_ratio"])
