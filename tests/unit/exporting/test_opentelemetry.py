"""What OpenTelemetry gets, read back by its own reader and held against its own list of conventions."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.semconv._incubating.attributes import hw_attributes
from opentelemetry.semconv._incubating.metrics import hw_metrics

from lightning_carbon.exporting.opentelemetry import observe
from lightning_carbon.exporting.publishing import publisher_of
from lightning_carbon.settings import configure
from tests.unit.exporting.worlds import (
    DRAM_WATTS,
    GPU_ID,
    GPU_WATTS,
    MACHINE_WATTS,
    PACKAGE_WATTS,
    hardware,
    world,
)
from tests.unit.metering.worlds import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lightning_carbon.exporting.live import LiveRun

WATTS = {GPU_ID: GPU_WATTS, "package:0": PACKAGE_WATTS, "dram:0": DRAM_WATTS}


@pytest.fixture
def reader() -> InMemoryMetricReader:
    """What collects on demand."""
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader: InMemoryMetricReader) -> Iterator[MeterProvider]:
    """The provider of a program."""
    made = MeterProvider([reader], shutdown_on_exit=False)
    yield made
    made.shutdown()


def collected(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    """The points of each metric, which is also held against the conventions for its name."""
    data = reader.get_metrics_data()
    found: dict[str, list[Any]] = {}
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                found[metric.name] = list(metric.data.data_points)
                if metric.name.startswith("hw."):
                    assert conventions()[metric.name] == metric.unit
    return found


def conventions() -> dict[str, str]:
    """The units of metrics of hardware by their names, as OpenTelemetry's own package makes them."""
    told: dict[str, str] = {}
    for name, make in vars(hw_metrics).items():
        if name.startswith("create_"):
            make(Listing(told), *[[]] * (len(signature(make).parameters) - 1))
    return told


class Listing:
    """A meter of OpenTelemetry's kind that notes names and units.

    Args:
        told: Where to.
    """

    def __init__(self, told: dict[str, str]) -> None:
        self._told = told

    def _note(self, name: str, unit: str, **_: object) -> None:
        self._told[name] = unit

    create_counter = create_up_down_counter = create_observable_gauge = create_gauge = _note


def by_id(points: list[Any]) -> Mapping[str, float]:
    """The values by component."""
    return {point.attributes["hw.id"]: point.value for point in points}


def publishing(provider: MeterProvider) -> Callable[[LiveRun], Callable[[], None]]:
    """What exports to a provider, as the setting does."""
    return publisher_of(configure({}, ledger="unused", opentelemetry=provider))


def test_components_have_their_energy_and_the_power_since_the_last_collection(
    reader: InMemoryMetricReader, provider: MeterProvider
) -> None:
    """And the whole machine is under names of its own, so that no sum has it twice."""
    of_run = world(publishing(provider))
    with of_run.engine:
        of_run.steps(40)
        collected(reader)
        of_run.steps(40)
        found = collected(reader)

    assert {name: watts * 8 for name, watts in WATTS.items()} == pytest.approx(by_id(found["hw.energy"]), abs=1e-6)
    assert pytest.approx(by_id(found["hw.power"])) == WATTS
    assert [MACHINE_WATTS * 8] == pytest.approx([point.value for point in found["hw.host.energy"]], abs=1e-6)
    assert [MACHINE_WATTS] == pytest.approx([point.value for point in found["hw.host.power"]])
    assert [80] == [point.value for point in found["lightning_carbon.steps"]]


def test_a_gpu_tells_how_busy_hot_and_full_it_is(reader: InMemoryMetricReader, provider: MeterProvider) -> None:
    """A sensor of temperature is a component, too, with the GPU as its parent."""
    of_run = world(publishing(provider))
    with of_run.engine:
        of_run.steps(40)
        found = collected(reader)
    [temperature] = found["hw.temperature"]

    assert {GPU_ID: 0.9} == by_id(found["hw.gpu.utilization"])
    assert {GPU_ID: 1e9} == by_id(found["hw.gpu.memory.usage"])
    assert (50.0, GPU_ID) == (temperature.value, temperature.attributes["hw.parent"])
    assert hw_attributes.HwTypeValues.TEMPERATURE.value == temperature.attributes["hw.type"]


def test_attributes_are_those_of_the_conventions(reader: InMemoryMetricReader, provider: MeterProvider) -> None:
    """A known kind of component, its parent where it is inside another, and our own under our own name."""
    of_run = world(publishing(provider))
    with of_run.engine:
        of_run.steps(10)
        points = collected(reader)["hw.energy"]
    names = {value for name, value in vars(hw_attributes).items() if name.startswith("HW_")}
    kinds = {kind.value for kind in hw_attributes.HwTypeValues}

    assert {"gpu", "cpu", "memory"} == {point.attributes["hw.type"] for point in points} & kinds
    assert {"package:0"} == {point.attributes["hw.parent"] for point in points if "hw.parent" in point.attributes}
    for point in points:
        assert {name for name in point.attributes if not name.startswith("lightning_carbon.")} <= names


def test_the_last_counts_of_a_run_stay_and_another_run_is_another_series(
    reader: InMemoryMetricReader, provider: MeterProvider
) -> None:
    """An export after the end has all of it; what is shown of the present, such as power, ends with the run."""
    for steps in (10, 20):
        of_run = World(hardware, publish=lambda run: observe(run, provider))
        with of_run.engine:
            of_run.steps(steps)
    found = collected(reader)

    assert [10, 20] == [point.value for point in found["lightning_carbon.steps"]]
    assert {"hw.power", "hw.temperature"} & found.keys() == set()
    assert 2 * GPU_WATTS + GPU_WATTS == pytest.approx(
        sum(point.value for point in found["hw.energy"] if point.attributes["hw.id"] == GPU_ID), abs=1e-6
    )
