"""The keys of a measurement, which scripts may count on."""

from __future__ import annotations

from dataclasses import replace

from lightning_carbon.study.measured.measurement import Measurement, to_mapping
from lightning_carbon.study.measured.training_length import TrainingLength
from tests.unit.records.test_metric_names import frozen, keys_of, paths_of
from tests.unit.study.measured.measurements import measured, power


def test_keys_are_the_frozen_ones() -> None:
    """A script that reads measurements today can read them tomorrow: edit the list on purpose."""
    assert frozen("measurement_keys.txt") == list(keys_of(Measurement))


def test_stored_measurements_have_the_frozen_keys() -> None:
    """What the types say is what is written."""
    whole = replace(measured(power("gpu:0", 300.0)), extent=TrainingLength(hours=84.0))

    assert set(frozen("measurement_keys.txt")) == set(paths_of(to_mapping(whole)))
