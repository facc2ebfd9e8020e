"""The study's tables come out of our arithmetic, and would not if an input were another."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lightning_carbon.study.published
from lightning_carbon.estimate.prices import CloudPrice, cloud_usd, electricity_usd
from lightning_carbon.study.arithmetic import energy_of, figures_of, range_of
from lightning_carbon.study.published.study import strubell2019, study_from_mapping
from lightning_carbon.study.published.tables import published_rows, published_sheets, rows_of
from lightning_carbon.study.rows import StudyRow
from lightning_carbon.units import Energy, Power
from tests.strategies import around

FILE = Path(lightning_carbon.study.published.__file__).with_name("data") / "strubell2019.json"


@cache
def packaged() -> dict[str, Any]:
    """The packaged file, as plain values."""
    values: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return values


def row(table: int, name: str, rows: tuple[StudyRow, ...] | None = None) -> StudyRow:
    """One row."""
    [found] = [row for row in rows or published_rows() if (row.table, row.id) == (table, name)]
    return found


def test_every_row_closes_to_its_printed_digits() -> None:
    """All of Tables 1, 3 and 4."""
    rows = published_rows()

    assert [(row.id, True) for row in rows] == [(row.id, row.closes) for row in rows]
    assert {1: 8, 3: 8, 4: 3} == {table: sum(row.table == table for row in rows) for table in (1, 3, 4)}


@pytest.mark.parametrize("model", [entry["id"] for entry in packaged()["models"]])
def test_a_row_with_another_input_does_not_close(model: str) -> None:
    """Two per cent more hours, and the verdict is another: it is computed."""
    values = deepcopy(packaged())
    [changed] = [entry for entry in values["models"] if entry["id"] == model]
    changed["hours"] *= 1.02
    rows = rows_of(study_from_mapping(values))

    assert row(3, model, rows).closes is False
    assert all(row.closes for row in rows if row.table == 3 and row.id != model)


@pytest.mark.parametrize(
    ("model", "hours"),
    [("bert_base", 79), ("nas_tpu", 32_623)],
)
def test_the_printed_hours_do_not_give_the_printed_figures(model: str, hours: float) -> None:
    """With 79 hours of BERT and 32,623 of the search, the printed figures cannot be had."""
    values = deepcopy(packaged())
    [changed] = [entry for entry in values["models"] if entry["id"] == model]
    changed["hours"] = hours

    assert row(3, model, rows_of(study_from_mapping(values))).closes is False


def test_a_wrong_constant_of_the_method_is_seen_in_every_row_with_energy() -> None:
    """The PUE of today in the place of that of 2018 closes nowhere."""
    values = deepcopy(packaged())
    values["method"]["pue"]["value"] = 1.54
    rows = rows_of(study_from_mapping(values))

    assert {"nas", "bert_base", "elmo", "transformer_base", "transformer_big"} == {
        row.id for row in rows if row.table == 3 and row.closes is False
    }


def test_figures_come_by_the_study_s_own_formula() -> None:
    """1.58 t p / 1000 and 0.954 lb for each kWh, for the largest row, by hand."""
    figures = row(3, "nas").computed
    assert figures is not None

    kwh = 1.58 * 274_120 * 1_515.43 / 1_000
    assert kwh == pytest.approx(figures.kwh_pue)
    assert 0.954 * kwh == pytest.approx(figures.co2e_lbs)
    assert 0.954 * kwh * 0.45359237 == pytest.approx(figures.co2e_kg)
    assert (8 * 274_120 * 0.43, 8 * 274_120 * 1.46) == pytest.approx(figures.cloud_usd)
    assert 0.12 * kwh == pytest.approx(figures.electricity_usd)


@pytest.mark.parametrize("model", ["bert_base_tpu", "nas_tpu", "gpt2"])
def test_without_a_published_power_there_is_no_energy(model: str) -> None:
    """TPUs have a price and no power: their cells are absent, not zero."""
    found = row(3, model).as_mapping()

    assert found["power_watts"] is None
    assert [None] * 4 == [found["computed"][key] for key in ("kwh_pue", "co2e_lbs", "co2e_kg", "electricity_usd")]
    assert found["computed"]["cloud_usd"][0] > 0


def test_a_row_as_plain_values_is_what_json_has() -> None:
    """BERT on GPUs: inputs, computed and printed figures, and the verdict."""
    found = json.loads(json.dumps(row(3, "bert_base").as_mapping()))

    assert {
        "table": 3,
        "id": "bert_base",
        "name": "BERT (base)",
        "hardware": "V100 x64",
        "hours": 79.2,
        "power_watts": 12_041.51,
        "printed": {
            "hours": 79,
            "kwh_pue": 1_507,
            "co2e_lbs": 1_438,
            "cloud_usd": [3_751, 12_571],
            "electricity_usd": None,
        },
        "closes": True,
    } == {key: value for key, value in found.items() if key not in {"computed", "notes"}}
    assert {
        "kwh_pue": 1_506.826395,
        "co2e_lbs": 1_437.512381,
        "co2e_kg": 652.044648,
        "electricity_usd": 180.819167,
    } == {key: round(value, 6) for key, value in found["computed"].items() if key != "cloud_usd"}


def test_the_notes_say_what_needs_care() -> None:
    """79 and 79.2 hours, 32,623 and 32,633, the contested search, and the power that nobody printed."""
    text = "\n".join(note for sheet in published_sheets(published_rows()) for note in sheet.notes)

    for words in ("79 hours are printed", "79.2 hours", "32,623", "32,633", "2104.10350", "No power was", "216.96 W"):
        assert words in text


def test_the_power_of_the_development_follows_from_its_printed_electricity() -> None:
    """9,870 USD at 0.12 a kWh, without the PUE, over 239,942 GPU-hours."""
    study = strubell2019()
    kwh = 9_870 / 0.12 / 1.58

    assert study.development_watts == pytest.approx(1_000 * kwh / 239_942, abs=0.005)


def test_the_prices_of_2019_carry_their_source_and_year() -> None:
    """Every price and factor of the method says who published it and when."""
    method = strubell2019().method

    assert {"P100", "V100", "TPUv2", "TPUv3"} == set(method.cloud)
    assert all(price.source and price.year == 2019 and price.low < price.high for price in method.cloud.values())
    assert method.electricity is not None
    assert (0.12, 2019) == (method.electricity.usd_per_kwh, method.electricity.year)
    assert (1.58, 2018) == (method.pue.value, method.intensity.year)
    assert method.intensity.value == pytest.approx(432.727, abs=0.001)


# -- the arithmetic -----------------------------------------------------------------------------------------------


@given(st.floats(0, 1e7), st.integers(0, 10_000), st.floats(0, 100), st.floats(0, 100))
def test_a_cloud_s_price_is_linear_in_hours_and_accelerators(hours: float, count: int, low: float, more: float) -> None:
    """So many of them for so long cost so many times as much, low and high in order."""
    price = CloudPrice(low, low + more, "a test", 2_019)
    cheap, dear = cloud_usd(hours, count, price)

    assert (cheap, dear) == pytest.approx((hours * count * low, hours * count * (low + more)))
    assert cheap <= dear


@given(st.floats(0, 1e6), st.floats(0.01, 1e5), st.floats(0, 0.5))
def test_the_range_holds_the_figures(watts: float, hours: float, uncertainty_ratio: float) -> None:
    """Whatever the power, its uncertainty and the hours."""
    method = strubell2019().method
    energy = around(energy_of(Power(watts), hours), uncertainty_ratio)
    figures, ends = figures_of(energy, method), range_of(energy, method)

    for name in ("kwh_pue", "co2e_lbs", "co2e_kg", "electricity_usd"):
        low, high = getattr(ends, name)
        assert low - 1e-9 <= getattr(figures, name) <= high + 1e-9


def test_nothing_is_computed_of_what_is_not_known() -> None:
    """Neither energy nor price: no figure at all."""
    figures = figures_of(None, strubell2019().method, accelerator_hours=100.0)

    assert (None, None, None, None, None) == (
        figures.kwh_pue,
        figures.co2e_lbs,
        figures.co2e_kg,
        figures.cloud_usd,
        figures.electricity_usd,
    )


def test_a_kilowatt_hour_at_twelve_cents() -> None:
    """Costs twelve cents."""
    assert 0.12 == pytest.approx(electricity_usd(Energy.from_joules(3.6e6), 0.12))
