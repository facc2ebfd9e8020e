"""The energy mixes of Table 2, and the carbon intensity that follows from them."""

from __future__ import annotations

import pytest

from lightning_carbon.study.published.mixes import grams_of, mix_mapping, mixes_sheet, other_percent
from lightning_carbon.study.published.study import strubell2019

MIXES = {mix.id: mix for mix in strubell2019().mixes}


def test_the_mix_of_the_united_states_by_hand() -> None:
    """Shares times medians, with the missing 2 % counted like the rest."""
    grams = grams_of(MIXES["us"])
    known = 0.17 * 31 + 0.35 * 490 + 0.27 * 820 + 0.19 * 12

    assert known / 0.98 == pytest.approx(grams.value)
    assert 0.17 * 11 + 0.35 * 410 + 0.27 * 740 + 0.19 * 3.7 + 0.02 * 11 == pytest.approx(grams.low)
    assert 0.17 * 230 + 0.35 * 650 + 0.27 * 910 + 0.19 * 110 + 0.02 * 820 == pytest.approx(grams.high)


def test_every_mix_has_a_range_and_at_most_all_of_its_energy() -> None:
    """No printed mix exceeds 100 %, and each value lies in its range."""
    for mix in MIXES.values():
        grams = grams_of(mix)
        assert 0 <= other_percent(mix) < 10
        assert grams.low < grams.value < grams.high


def test_the_mixes_explain_the_study_s_factor() -> None:
    """The factor that the study prices with lies in the range of its mix of the United States, and not in Google's."""
    used = strubell2019().method.intensity.value

    assert grams_of(MIXES["us"]).low < used < grams_of(MIXES["us"]).high
    assert grams_of(MIXES["google"]).high < used


def test_the_table_and_the_mapping_have_the_same_figures() -> None:
    """Printed shares, the rest and the intensity."""
    sheet = mixes_sheet(strubell2019().mixes, 432.7)
    [row] = [cells for cells in sheet.rows if cells[0] == "Google"]
    mapping = mix_mapping(MIXES["google"])

    assert ("Google", "56", "14", "15", "10", "5") == row[:6]
    assert {"renewable": 56, "gas": 14, "coal": 15, "nuclear": 10, "other": 5} == mapping["percent"]
    assert f"{mapping['grams_co2e_per_kilowatt_hour']['value']:.0f}" == row[6]
    assert "432.7" in sheet.notes[0]
