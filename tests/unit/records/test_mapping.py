"""Records as plain values, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from lightning_carbon.errors import RecordError
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.run import SCHEMA, RunRecord
from tests.strategies import run_records
from tests.unit.records.samples import FULL, NOTHING, SMALL


@given(run_records)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_record_survives_being_written_and_read(record: RunRecord) -> None:
    """Through JSON and back, every figure is the same to the last bit; where it lies is told by who found it."""
    stored = json.loads(json.dumps(to_mapping(record), allow_nan=False))

    assert record == from_mapping(stored, location=record.location)


@pytest.mark.parametrize("record", [FULL, SMALL, NOTHING])
def test_phases_still_sum_to_the_total_after_reading(record: RunRecord) -> None:
    """Exactly, in plain floats, left to right."""
    again = from_mapping(json.loads(json.dumps(to_mapping(record))))

    assert (again.energy.total_joules or 0.0) == sum(again.energy.phases.values())


def test_a_mapping_is_a_copy() -> None:
    """Whoever changes it does not change the record."""
    mapping = to_mapping(FULL)
    mapping["energy"]["phases"]["train"] = 0.0
    mapping["energy"]["domains"][0]["joules"] = 0.0

    assert "location" not in mapping
    assert FULL == from_mapping(to_mapping(FULL), location=FULL.location)


def test_keys_of_a_later_version_are_ignored() -> None:
    """Keys are added within a schema, and an older reader leaves them alone, at every level."""
    mapping = to_mapping(FULL)
    mapping["water_litres"] = 3.0
    for part in (mapping["energy"], mapping["carbon"], mapping["energy"]["domains"][0], mapping["carbon"]["pue"]):
        part["later"] = True

    assert FULL == from_mapping(mapping, location=FULL.location)


def test_what_an_earlier_version_did_not_write_stays_absent() -> None:
    """A record from before a source could be absent has none that is."""
    mapping = to_mapping(FULL)
    del mapping["energy"]["absent"], mapping["energy"]["domains"][0]["phases"]
    record = from_mapping(mapping)

    assert record.energy.absent == ()
    assert record.energy.domains[0].phases == {}
    assert record.location is None


def test_a_record_of_a_newer_schema_says_what_to_do() -> None:
    """It is not read half."""
    with pytest.raises(RecordError, match=rf"schema {SCHEMA + 1}.*up to {SCHEMA}: upgrade"):
        from_mapping(to_mapping(FULL) | {"schema": SCHEMA + 1})


@pytest.mark.parametrize(
    "damage",
    [
        {"schema": None},
        {"schema": "first"},
        {"energy": None},
        {"energy": {}},
        {"energy": {"domains": ["gpu"]}},
        {"carbon": {"intensity": {}, "pue": {}}},
    ],
)
def test_what_is_no_record_is_refused(damage: dict[str, Any]) -> None:
    """Whatever is wrong with it, the reader sees one error that says so."""
    with pytest.raises(RecordError, match="not a record of a run"):
        from_mapping(to_mapping(FULL) | damage)


@pytest.mark.parametrize("missing", ["schema", "run_id", "energy", "carbon"])
def test_a_record_without_its_main_parts_is_refused(missing: str) -> None:
    """Nothing is filled in for them."""
    mapping = to_mapping(FULL)
    del mapping[missing]

    with pytest.raises(RecordError, match=missing):
        from_mapping(mapping)
