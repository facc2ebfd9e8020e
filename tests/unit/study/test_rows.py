"""Rows of studies as cells and as plain values."""

from __future__ import annotations

import pytest

from lightning_carbon.records.numbers import NOTHING
from lightning_carbon.study.printed import Printed
from lightning_carbon.study.rows import (
    MODELS,
    PROVENANCE,
    RANGE,
    FigureRanges,
    Figures,
    PrintedFigures,
    StudyRow,
    number,
    study_sheet,
)

PRINTED = StudyRow(
    id="bert",
    name="BERT",
    table=3,
    hardware="V100 x64",
    hours=79.2,
    power_watts=12_041.51,
    computed=Figures(1_506.83, 1_437.51, 652.04, (3_750.91, 12_570.62), 180.82),
    printed=PrintedFigures(
        hours=Printed("79"),
        kwh_pue=Printed("1507"),
        co2e_lbs=Printed("1438"),
        cloud_usd=(Printed("3751"), Printed("12571")),
    ),
    notes=("One is 100 % sure.",),
)
MEASURED = StudyRow(
    id="mine",
    name="my | own_model",
    hours=2,
    power_watts=350.0,
    computed=Figures(kwh_pue=0.84, co2e_lbs=0.0653, co2e_kg=0.0296),
    provenance="counter",
    range=FigureRanges(co2e_kg=(0.0279, 0.0339)),
    notes=("One is 100 % sure.",),
)


def test_a_row_shows_what_was_printed_beside_what_is_computed() -> None:
    """In brackets, hours only where they differ."""
    [cells] = study_sheet("", [PRINTED]).rows

    assert (
        "BERT",
        "V100 x64",
        "12,041.51",
        "79.2 (79)",
        "1,506.8 (1507)",
        "1,437.5 (1438)",
        "652.0",
        "0.652",
        "3,750.9 – 12,570.6 (3751 – 12571)",
        "180.8",
        "yes",
    ) == cells


def test_a_measured_row_stands_in_the_same_table() -> None:
    """With its provenance and range, and dashes for what was printed of no one."""
    table = study_sheet("", [PRINTED, MEASURED], [*MODELS, PROVENANCE, RANGE])

    assert (NOTHING, "350.00", "2") == table.rows[1][1:4]
    assert (NOTHING, NOTHING, NOTHING, "counter", "0.0279 – 0.0339") == table.rows[1][-5:]
    assert ("One is 100 % sure.",) == table.notes


def test_a_row_that_knows_nothing_is_all_dashes() -> None:
    """Absent is absent, never 0."""
    [cells] = study_sheet("", [StudyRow("x", "X")]).rows

    assert {NOTHING} == set(cells[1:])
    assert (None, None, None) == (
        StudyRow("x", "X").closes,
        StudyRow("x", "X").as_mapping()["computed"],
        StudyRow("x", "X").as_mapping()["printed"],
    )


def test_what_was_printed_and_cannot_be_computed_does_not_close() -> None:
    """A verdict needs a figure; where nothing was printed there is none."""
    printed = PrintedFigures(kwh_pue=Printed("5"))

    assert printed.closes(None) is False
    assert printed.closes(Figures(kwh_pue=5.2)) is True
    assert PrintedFigures(cloud_usd=(Printed("5"), Printed("6"))).closes(Figures(kwh_pue=5.2)) is False
    assert PrintedFigures(hours=Printed("5")).closes(Figures(kwh_pue=5.2)) is None


def test_plain_values_have_provenance_range_and_notes_only_where_there_are_any() -> None:
    """A published row is its figures; a measured one says how it came about."""
    measured, bare = MEASURED.as_mapping(), StudyRow("x", "X").as_mapping()

    assert ("counter", [0.0279, 0.0339], None) == (
        measured["provenance"],
        measured["range"]["co2e_kg"],
        measured["range"]["kwh_pue"],
    )
    assert {"provenance", "range", "notes"} == set(measured) - set(bare)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 1, NOTHING),
        (0.0, 1, "0.0"),
        (1234.56, 1, "1,234.6"),
        (1.0, 2, "1.00"),
        (0.0653, 1, "0.0653"),
        (0.5, 3, "0.500"),
        (7.1e-8, 1, "7.10e-08"),
    ],
)
def test_what_is_small_is_never_shown_as_nothing(value: float | None, decimals: int, text: str) -> None:
    """Three digits below one, an exponent below a thousandth."""
    assert text == number(value, decimals)
