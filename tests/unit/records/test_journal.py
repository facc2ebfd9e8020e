"""Journals as plain values, and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import RecordError
from lightning_carbon.records.journal import JOURNAL_SCHEMA, RankPart, SensorBeat, beat_mapping, header_mapping, part_of
from tests.unit.records.parts import SECOND, domain, part, parts

ONE = part(0, {domain("gpu:0"): 5_000_000, domain("dram:0"): 7}, steps=3)


def written(rank: RankPart) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two lines of a rank, after they have been through a file."""
    return json.loads(json.dumps(header_mapping(rank.header))), json.loads(json.dumps(beat_mapping(rank.beat)))


@given(parts())
def test_a_journal_survives_being_written_and_read(ranks: list[RankPart]) -> None:
    """Through JSON and back, every figure is the same."""
    assert ranks == [part_of(*written(rank)) for rank in ranks]


def test_a_domain_adds_up_over_its_phases() -> None:
    """Energy and coverage of a rank are those of its phases."""
    header, beat = written(ONE)
    beat["phases"]["validate"] = {"ns": SECOND, "uj": [3, 4], "covered_ns": [SECOND, 0]}
    found = part_of(header, beat).beat

    assert [5_000_003, 11] == [found.uj(0), found.uj(1)]
    assert [11 * SECOND, 10 * SECOND] == [found.covered_ns(0), found.covered_ns(1)]


def test_keys_of_a_later_version_are_ignored() -> None:
    """Keys are added within a schema, and an older reader leaves them alone."""
    header, beat = written(ONE)
    for place in (header, beat, header["domains"][0], header["pue"]):
        place["later"] = True

    assert part_of(header, beat) == ONE


def test_a_journal_from_before_parts_were_told_has_none() -> None:
    """It is read as it was meant."""
    header, beat = written(ONE)
    del beat["parts"]

    assert part_of(header, beat) == ONE


def test_what_has_shown_about_sensors_survives() -> None:
    """Of those of which nothing has shown, nothing is told; a journal of before tells of none."""
    told = replace(ONE.beat, sensors=(SensorBeat(0.5, "it stood still", 7, "integrated", 0.1, "power"), None))
    header, beat = written(replace(ONE, beat=told))
    found = part_of(header, beat)
    del beat["sensors"]

    assert told == found.beat
    assert SensorBeat() == found.beat.sensor(1) == part_of(header, beat).beat.sensor(0)


def test_a_journal_of_a_newer_schema_is_refused() -> None:
    """It is not read half."""
    header, beat = written(ONE)

    with pytest.raises(RecordError, match=rf"schema {JOURNAL_SCHEMA + 1}.*up to {JOURNAL_SCHEMA}"):
        part_of(header | {"schema": JOURNAL_SCHEMA + 1}, beat)


@pytest.mark.parametrize(
    ("of_header", "of_beat"),
    [
        ({"schema": "first"}, {}),
        ({"domains": None}, {}),
        ({"domains": [{}]}, {}),
        ({"intensity": {}}, {}),
        ({}, {"status": "asleep"}),
        ({}, {"step_uj": [1]}),
        ({}, {"phases": {"train": {"ns": 1, "uj": [1], "covered_ns": [1, 2]}}}),
        ({}, {"phases": [1]}),
        ({}, {"lost": None}),
        ({}, {"parts": {"train": {"forward": {"ns": 1, "uj": [1]}}}}),
    ],
)
def test_what_is_no_journal_is_refused(of_header: dict[str, Any], of_beat: dict[str, Any]) -> None:
    """Whatever is wrong with it, the reader sees one error that says so."""
    header, beat = written(ONE)

    with pytest.raises(RecordError, match="not a journal of a run"):
        part_of(header | of_header, beat | of_beat)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_other_json_is_refused(value: object) -> None:
    """Any JSON value in the place of a line is one error, and no other."""
    header, beat = written(ONE)
    lines: list[tuple[Any, Any]] = [(value, beat), (header, value)]
    for first, last in lines:
        with pytest.raises(RecordError):
            part_of(first, last)
