"""Measured rows beside published ones, and what is said of them."""

from __future__ import annotations

import json

import pytest

from lightning_carbon.measuring.pricing import method_of, row_of
from lightning_carbon.report.sheets import as_markdown
from lightning_carbon.study.measured.measurement import Speed
from lightning_carbon.study.measured.table import (
    beside,
    component_sheet,
    how_measured,
    how_priced,
    measured_mapping,
    measured_sheet,
)
from lightning_carbon.study.measured.training_length import TrainingLength
from lightning_carbon.study.published.tables import published_rows
from tests.unit.study.measured.measurements import measured, method, power

BIG = measured(
    power("gpu:0", 300.0), power("package:0", 40.0, uncertainty=0.5), published="transformer_big", name="Big"
)
OWN = measured(power("package:0", 20.0), name="Own", run_id="20261122T080000Z-0002", settled=False)


def test_a_measured_row_stands_under_the_one_that_it_answers() -> None:
    """What answers none stands at the end, and every published training is there once."""
    pairs = [(measurement, row_of(measurement, method())) for measurement in (OWN, BIG)]
    names = [(row.name, row.table) for row in beside(published_rows(), pairs)]

    assert names.index(("Big", None)) == names.index(("Transformer (big)", 3)) + 1
    assert ("Own", None) == names[-1]
    assert 8 + 2 == len(names)


def test_components_have_power_range_and_provenance() -> None:
    """The total is that of what counts, with ends that add up."""
    sheet = component_sheet(BIG)

    assert ("GPU", "NVIDIA Tesla P100-SXM2-16GB", "300.00", "285.0 – 315.0", "counter") == sheet.rows[0]
    assert ("CPU", "package:0", "40.00", "20.0 – 60.0", "modelled") == sheet.rows[1]
    assert ("total", "", "340.00", "305.0 – 375.0", "") == sheet.rows[2]
    assert ("Not measured: rapl: only root may read it.",) == sheet.notes


def test_what_is_in_another_component_and_what_is_not_known_is_shown_so() -> None:
    """Neither is in the total."""
    measurement = measured(power("psys:0", 100.0), power("package:0", 60.0, counted=False), power("gpu:0", None))
    cells = [row[0] + " " + row[2] for row in component_sheet(measurement).rows]

    assert ["platform 100.00", "CPU (in another) 60.00", "GPU –"] == cells


def test_what_has_to_be_said_of_a_measurement() -> None:
    """Run, time, warm-up, drift and speed; that power has not settled cannot be overlooked."""
    assert (
        "Big: run 20261122T080000Z-0001 on node-7, 2026-11-22, 540 s averaged after a warm-up of 60.0 s (found); power "
        "has settled, and drifts by +0.120 ± 0.0500 W a minute (+0.0353 %); 10.0 steps/s, 640 samples/s, "
        "81,920 tokens/s."
    ) == how_measured(BIG)
    assert "NOT settled" in how_measured(OWN)
    assert how_measured(measured(speed=Speed(0))).endswith("W a minute; no step was counted.")


def test_the_factors_are_said_with_their_ranges() -> None:
    """And what is assumed."""
    assert "PUE 1.58, 432.7 gCO2e/kWh (USA 2018), 0.12 USD/kWh (average of" in how_priced(method_of("strubell2019"))
    assert "(1 to 2.19), assumed" in how_priced(method_of(environ={}))
    assert "100 gCO2e/kWh (80 to 120) (custom)" in how_priced(method(spread=0.2))


@pytest.mark.parametrize(
    ("hours", "text"), [(84.0, "84"), (190.3261197, "190.3"), (27_412.34, "27,412"), (0.00508390, "0.005084")]
)
def test_hours_are_as_exact_as_the_speed_that_they_follow_from(hours: float, text: str) -> None:
    """Published ones stay as they are."""
    row = row_of(measured(power("gpu:0", 300.0), seconds=10.0), method(), TrainingLength(hours=hours))
    sheet = measured_sheet([row, *beside(published_rows(), [])], [], title="")
    column = [cells[sheet.head.index("Hours")] for cells in sheet.rows]

    assert [text, "12", "84"] == column[:3]


def test_the_sheet_and_the_mapping_have_everything() -> None:
    """Every form comes from the same row; JSON has the measurement, too."""
    row = row_of(BIG, method())
    text = as_markdown(measured_sheet([row], [(BIG, method())], title="Measured"))
    mapping = json.loads(json.dumps(measured_mapping(BIG, row)))

    assert "| Big | P100-SXM2-16GB x1 | counter + modelled | 340.00 | 84 | 28.6 |" in text
    assert ("transformer_big", 340.0, 300.0) == (
        mapping["published"],
        mapping["power_watts"],
        mapping["measurement"]["domains"][0]["watts"],
    )


def test_rows_that_are_priced_differently_say_which_is_which() -> None:
    """A single note where all have the same prices, else a note for each, with the names of the models."""
    alike = measured_sheet([], [(BIG, method()), (OWN, method())], title="")
    apart = measured_sheet([], [(BIG, method()), (OWN, method(grams=35.0))], title="")

    assert alike.notes[0].startswith("Measured rows (current): ")
    assert ["Big: Measured rows", "Own: Measured rows"] == [note.partition(" (current)")[0] for note in apart.notes[:2]]
