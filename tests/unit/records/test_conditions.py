"""The condition of devices in journals and records."""

from __future__ import annotations

import json

import pytest

from lightning_carbon.energy.condition import Condition, ConditionSum, Look, Throttle, after
from lightning_carbon.errors import RecordError
from lightning_carbon.records.conditions import DeviceRecord, GaugeRecord, condition_mapping, device_record
from lightning_carbon.records.journal import Beat, beat_mapping, header_mapping, part_of
from tests.unit.records.parts import domain, part

SECOND = 1_000_000_000
COLD = Condition(0.5, 1_400.0, 2_600.0, 41.5, float(1 << 35), 700.0, frozenset())
HOT = Condition(1.0, 1_200.0, 2_600.0, 88.5, float(1 << 36), 700.0, frozenset({Throttle.HEAT}))


def sums() -> ConditionSum:
    """Two readings, two seconds apart."""
    first = Look(0, COLD, "train")
    return after(after(ConditionSum(), None, first), first, Look(2 * SECOND, HOT, "train"))


def read_back(conditions: object) -> Beat:
    """A beat that was written and read."""
    known = part(0, {domain("gpu:0"): 1_000})
    values = json.loads(json.dumps({**beat_mapping(known.beat), "conditions": conditions}))
    return part_of(header_mapping(known.header), values).beat


def test_a_journal_brings_back_what_it_was_given() -> None:
    """A killed run has its gauges as of its last beat."""
    assert sums() == read_back([condition_mapping(sums())]).condition(0)
    assert None is read_back([None]).condition(0)
    assert None is read_back([]).condition(7)


@pytest.mark.parametrize(
    "change",
    [
        {"gauges": {"temperature_celsius": [1, 2, 3]}},
        {"gauges": {"temperature_celsius": [-1, 2, 3, 4]}},
        {"gauges": {"temperature_celsius": "hot"}},
        {"gauges": None},
        {"throttled_ns": 3 * SECOND},
        {"reasons_ns": {"heat": 3 * SECOND}},
        {"train_busy_ns": 3 * SECOND},
        {"throttled": [1]},
    ],
)
def test_a_hostile_journal_is_refused(change: dict[str, object]) -> None:
    """No share above 1 and no list of the wrong length comes in."""
    with pytest.raises(RecordError, match="conditions"):
        read_back([{**(condition_mapping(sums()) or {}), **change}])


def test_a_record_has_means_maxima_and_shares() -> None:
    """What a reader wants of a device: how hot, how fast, and how long it was slowed down by what."""
    found = device_record(sums())

    assert isinstance(found, DeviceRecord)
    assert GaugeRecord(88.5, 65.0) == found.gauges["temperature_celsius"]
    assert (0.5, {"heat": 0.5}, 2.0) == (found.throttled_ratio, found.throttled, found.watched_seconds)


def test_nothing_known_is_no_device() -> None:
    """A device without gauges has no empty record."""
    assert None is device_record(None)
    assert None is device_record(ConditionSum())
    assert None is condition_mapping(None)
