"""What NVML says of a GPU beside its power."""

from __future__ import annotations

import time
import types

import pytest

from lightning_carbon.energy.condition import Gauge, Throttle
from lightning_carbon.errors import SourceLost
from lightning_carbon.sources import nvml
from lightning_carbon.sources.nvml.conditions import gauges_of, throttles_of
from tests.nvml_standin import NOT_SUPPORTED, Gpu, Scenario, Standin

HOUR_SECONDS = 3_600


@pytest.mark.parametrize(
    ("mask", "reasons"),
    [
        (0x00, set()),
        (0x01 | 0x02 | 0x100, set()),  # idle, clocks that the user has set, and those of a display
        (0x04, {Throttle.POWER_CAP}),
        (0x20, {Throttle.HEAT}),
        (0x08 | 0x40, {Throttle.HEAT}),
        (0x08 | 0x80, {Throttle.POWER_BRAKE}),
        (0x08, {Throttle.HARDWARE}),
        (0x04 | 0x10, {Throttle.POWER_CAP, Throttle.SYNC_BOOST}),
        (0xFFFFFFFF, None),
        (-1, None),
    ],
)
def test_a_mask_of_reasons_is_told_by_what_a_user_can_act_on(mask: int, reasons: set[Throttle] | None) -> None:
    """A slowdown by the hardware is heat or the power brake where NVML says which."""
    assert reasons == throttles_of(mask)


def test_an_older_driver_knows_the_reasons_by_their_former_name(nvml_standin: Standin) -> None:
    """Before driver 530, reasons of clock events were reasons of throttling."""
    with nvml_standin.showing(Scenario.of(Gpu(older_reasons=True, event_reasons=0x04))):
        (finding,) = nvml.discover("all")
        assert finding.gauges is not None
        found = [finding.gauges.read_condition().throttled for _ in range(2)]

    assert [frozenset({Throttle.POWER_CAP})] * 2 == found


def test_what_a_gpu_does_not_know_is_asked_for_rarely(nvml_standin: Standin) -> None:
    """The question that fails costs an exception, so it rests for half a minute."""
    with nvml_standin.showing(Scenario.of(Gpu(gauges_code=NOT_SUPPORTED))):
        (finding,) = nvml.discover("all")
        assert finding.gauges is not None
        before = nvml_standin.calls("temperature")
        found = [finding.gauges.read_condition() for _ in range(17)]

        assert 2 == nvml_standin.calls("temperature") - before
        assert {Gauge.UTILIZATION, Gauge.POWER_LIMIT} == set(found[0].figures())
        assert found[0].throttled is None


def test_a_gpu_that_is_gone_is_lost(nvml_standin: Standin) -> None:
    """The port's own error, whatever the figure that was asked for."""
    with nvml_standin.showing(Scenario.of(Gpu(lost_at_ns=time.monotonic_ns() + HOUR_SECONDS * 1_000_000_000))):
        (finding,) = nvml.discover("all")
        nvml_standin.leap(HOUR_SECONDS)
        assert finding.gauges is not None
        with pytest.raises(SourceLost):
            finding.gauges.read_condition()
        nvml_standin.leap(-HOUR_SECONDS)


def test_without_access_or_functions_there_are_no_gauges() -> None:
    """A GPU that NVML hides, and a pynvml from before gauges."""
    assert gauges_of(None, types.ModuleType("pynvml")) is None
    assert gauges_of(object(), types.ModuleType("pynvml")) is None  # type: ignore[arg-type]
