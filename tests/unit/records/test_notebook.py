"""A record in a notebook."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from lightning_carbon.errors import UsageError
from lightning_carbon.records.notebook import notebook_rows
from tests.unit.records.samples import FULL, NOTHING

HOSTILE = "<script>alert(1)</script> | `x` *y*"


def cells(html: str) -> list[str]:
    """The texts of a table's cells."""
    return ["".join(cell.itertext()) for cell in ET.fromstring(html).iter("td")]  # noqa: S314 - made here


def test_a_notebook_shows_a_small_table() -> None:
    """What the run used, how much of that was measured, and what it is priced with."""
    rows = dict(notebook_rows(FULL))

    assert ["run", "status", "duration", "energy", "machine", "measured", "CO2e", "region", "PUE"] == list(rows)
    assert ("13.5 kJ (chips)", "16.8 kJ", "88.6 %") == (rows["energy"], rows["machine"], rows["measured"])
    assert "WORLD, assumed, 473.2 gCO2e/kWh" == rows["region"]
    assert list(rows.values()) == cells(FULL._repr_html_())


def test_a_run_without_energy_has_none_in_the_table() -> None:
    """What is not known is a dash, or not there."""
    rows = dict(notebook_rows(NOTHING))

    assert "measured" not in rows
    assert not any(character.isdigit() for character in rows["energy"])


def test_assumptions_are_told_and_what_was_given_is_not_called_one() -> None:
    """Both for the region and for the PUE."""
    carbon = FULL.carbon
    given = replace(carbon, intensity=replace(carbon.intensity, assumed=False), pue=replace(carbon.pue, assumed=False))
    assumed = replace(carbon, intensity=replace(carbon.intensity, assumed=True), pue=replace(carbon.pue, assumed=True))

    assert "assumed" not in str(notebook_rows(replace(FULL, carbon=given)))
    assert 2 == str(notebook_rows(replace(FULL, carbon=assumed))).count("assumed")


def test_a_name_is_text_whatever_it_looks_like() -> None:
    """Markup of a user's name runs in no notebook, and breaks no table."""
    record = replace(FULL, run_name=HOSTILE)
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(record._repr_markdown_())

    assert HOSTILE == cells(record._repr_html_())[0]
    assert "<script>" not in shown
    assert shown.count("<tr>") == 1 + len(notebook_rows(record))
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | `x` *y*" in shown


def test_a_record_that_lies_nowhere_has_no_course_to_draw() -> None:
    """The error says so, instead of a figure without a line."""
    with pytest.raises(UsageError, match="not in the ledger"):
        replace(FULL, location=None).plot()
