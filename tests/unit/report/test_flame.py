"""The flame graph of the modules of a run: the same energies as SVG, as JSON for speedscope, and in the table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]  # it ships no types

from lightning_carbon.records.module_table import ModuleRecord, ModulesRecord
from lightning_carbon.report.flame import flame_of, flame_svg, flame_words, speedscope
from lightning_carbon.report.pages.module_table import module_table
from tests.unit.records.samples import FULL, SMALL

SCHEMA = Path(__file__).parents[2] / "data" / "speedscope" / "file-format-schema.json"
HOSTILE = '</title><script>alert("&")</script>\x1b[2J\u202e'


def hostile(depth: int = 1) -> ModulesRecord:
    """A table of a foreign record."""
    path = ".".join([HOSTILE] * depth)
    rows = [ModuleRecord("forward", path, 12_000.0, 1.0, 2.0, 0.1), ModuleRecord("rest", "", 345.6, 0.0, 1.0, 0.1)]
    return ModulesRecord(HOSTILE, 3, tuple(rows))


def test_the_tree_has_the_energy_of_the_steps() -> None:
    """In all its nodes together; a module stands in the model, and the model in its direction."""
    assert FULL.modules is not None
    root = flame_of(FULL.modules)
    model = root.children["backward"].children["Translator"]

    assert root.joules == pytest.approx(FULL.step_joules, abs=1e-6)
    assert 2_445.1 == model.own
    assert 5_000.4 == model.children["transformer"].children["decoder"].own
    assert ["backward", "forward", "optimizer", "rest of the step"] == list(root.children)


def test_speedscope_reads_it() -> None:
    """By the schema that it publishes, with weights that add up to the energy of the steps."""
    told = json.loads(json.dumps(speedscope(FULL, "test"), allow_nan=False))
    [profile] = told["profiles"]
    names = [frame["name"] for frame in told["shared"]["frames"]]

    Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(told)
    assert profile["endValue"] == pytest.approx(FULL.step_joules, abs=1e-6)
    assert len(profile["samples"]) == len(profile["weights"])
    assert ["steps", "backward", "Translator", "transformer", "decoder"] == [
        names[place] for place in max(profile["samples"], key=len)
    ]


def test_the_picture_says_in_words_what_it_shows() -> None:
    """A title for the whole, and one for every box, with its energy and share."""
    picture = ET.fromstring(flame_svg(FULL) or "")  # noqa: S314 - our own
    titles = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")]

    assert flame_words(FULL) == titles[0]
    assert "The energy of the steps, 12.3 kJ, by module and direction. The most: transformer.decoder backward" in (
        titles[0] or ""
    )
    assert "steps: 12.3 kJ, 100.0 %" == titles[1]
    assert "decoder: 5.00 kJ, 40.5 %" in titles


@pytest.mark.parametrize("depth", [1, 4])
def test_names_of_modules_are_text_and_nothing_else(depth: int) -> None:
    """Whatever a foreign record calls its modules, no element, control character or turned text comes of it."""
    record = replace(FULL, modules=hostile(depth))
    svg = flame_svg(record) or ""
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}  # noqa: S314 - our own

    assert {"svg", "title", "g", "rect", "text"} == tags
    assert "\x1b" not in svg
    assert "\u202e" not in svg
    assert "\x1b" not in json.dumps(speedscope(record, "test"), ensure_ascii=False)


def test_a_name_of_many_levels_is_drawn_to_a_depth() -> None:
    """What is deeper is one module."""
    table = ModulesRecord("Net", 3, (ModuleRecord("forward", "." * 199, 9.0, 1.0, 2.0, 0.1),))

    assert 16 == flame_of(table).levels


def test_without_modules_or_energy_there_is_nothing() -> None:
    """No picture, no words, no file and no table."""
    none = ModulesRecord("Net", 1, (ModuleRecord("rest", "", 0.0, 0.0, 0.0, 0.0),))

    assert [None, "", None, None] == [flame_svg(SMALL), flame_words(SMALL), speedscope(SMALL, ""), module_table(SMALL)]
    assert flame_svg(replace(FULL, step_joules=None)) is None
    assert "<rect" not in (flame_svg(replace(FULL, modules=none)) or "")


def test_the_table_has_every_row() -> None:
    """With its share of the steps, its interval and its time."""
    table = module_table(FULL)

    assert table is not None
    assert ["transformer.decoder", "backward", "1.39 Wh", "40.5 %", "1.31 to 1.47 Wh"] == [
        cell.text for cell in table.rows[0][:5]
    ]
    assert ["optimizer", ""] == [cell.text for cell in table.rows[4][:2]]
    assert 6 == len(table.rows)
