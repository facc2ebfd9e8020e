"""The names that others build upon: they change by an edit of a list that someone reads, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.rows import METRICS
from tests.unit.records.samples import FULL

DATA = Path(__file__).parents[2] / "data"


def frozen(name: str) -> list[str]:
    """The lines of a list, without its remarks."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def paths_of(value: object, path: str = "") -> Iterator[str]:
    """The keys of a mapping as it is stored, down to where it has keys of its own."""
    by_phase = {"energy.phases", "energy.domains[].phases", "energy.parts", "energy.domains[].parts"}
    by_gauge = {"energy.domains[].device.gauges", "energy.domains[].device.throttled"}
    by_cause = {f"{part}.interval.causes" for part in ("energy", "carbon", "machine")}
    free = {"phase_seconds", "part_seconds", "host"} | by_phase | by_gauge | by_cause
    if path in free:
        yield path + "{}"
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_of(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for inner in value:
            yield from paths_of(inner, f"{path}[]")
    else:
        yield path


def test_metric_names_and_units_are_the_frozen_ones() -> None:
    """A dashboard made today finds its metrics tomorrow: see tests/data/metric_names.txt before changing any."""
    assert frozen("metric_names.txt") == [f"{metric.name} {metric.unit}" for metric in METRICS]


def test_stored_records_have_the_frozen_keys() -> None:
    """A script that reads records today can read them tomorrow: see tests/data/record_keys.txt before changing any."""
    assert frozen("record_keys.txt") == list(dict.fromkeys(paths_of(to_mapping(FULL))))
