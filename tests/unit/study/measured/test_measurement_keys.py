"""The keys of a measurement, which scripts may count on."""

from __future__ import annotations

from dataclasses import replace

from lightning_carbon.study.measured.measurement import to_mapping
from lightning_carbon.study.measured.training_length import TrainingLength
from tests.unit.records.test_metric_names import frozen, paths_of
from tests.unit.study.measured.measurements import measured, method, power

INTENSITY, PUE = method().intensity, method().pue


def test_stored_measurements_have_the_frozen_keys() -> None:
    """A script that reads measurements today can read them tomorrow: edit the list on purpose."""
    whole = replace(measured(power("gpu:0", 300.0)), extent=TrainingLength(hours=84.0), intensity=INTENSITY, pue=PUE)

    assert frozen("measurement_keys.txt") == list(dict.fromkeys(paths_of(to_mapping(whole))))
