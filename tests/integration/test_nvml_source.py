"""The NVML source on the stand-in driver: every way a GPU can be metered, against a known truth."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import pynvml
import pytest

from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.errors import ConfigError, ReadFailed, SourceLost
from lightning_carbon.ports import EnergyCounter, PowerGauge
from lightning_carbon.sources import nvml
from lightning_carbon.sources.nvml.accuracy import DATA_CENTRE, Family, stated
from tests.nvml_standin import (
    ALL_READINGS_FAIL,
    DRIVER_NOT_LOADED,
    FUNCTION_NOT_FOUND,
    GPU_IS_LOST,
    NO_PERMISSION,
    NOT_SUPPORTED,
    RESET_REQUIRED,
    TIMEOUT,
    UNKNOWN,
    Gpu,
    Scenario,
    gpu_uuid,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.ports import Finding
    from tests.nvml_standin import Standin

EVERY_WAY: tuple[Literal["auto", "all"] | list[int | str], ...] = ("auto", "all", [0])
HOUR_NS = 3_600_000_000_000
SWINGING = {"shape": "sine", "watts": 300.0, "amplitude_watts": 250.0, "period_seconds": 0.25}


def counter(finding: Finding) -> EnergyCounter:
    """The port of a finding, as a counter."""
    assert isinstance(finding.port, EnergyCounter), finding
    return finding.port


def gauge(finding: Finding) -> PowerGauge:
    """The port of a finding, as a gauge."""
    assert isinstance(finding.port, PowerGauge), finding
    return finding.port


def uuids(findings: Sequence[Finding]) -> list[str]:
    """The devices behind the findings."""
    return [finding.port.sensor.domain.id.removeprefix("gpu:") for finding in findings if finding.port is not None]


def gpu(**changes: object) -> Gpu:
    """A GPU with a few changes."""
    return Gpu(**changes)  # type: ignore[arg-type]


def test_a_counter_is_preferred_and_true(nvml_standin: Standin) -> None:
    """A GPU with an energy counter is metered by it, within a millijoule of what it drew."""
    with nvml_standin.showing(Scenario.of(gpu(**SWINGING))) as scenario:
        [finding] = nvml.discover(environ={})
        port = counter(finding)
        edges, energies = [], []
        for pause in (0.3, 0.0):
            before = time.monotonic_ns()
            energies.append(port.read_energy())
            edges.append((before, time.monotonic_ns()))
            time.sleep(pause)

        low = scenario.true_joules(0, edges[0][1], edges[1][0])
        high = scenario.true_joules(0, edges[0][0], edges[1][1])
        assert low - 0.002 <= (energies[1] - energies[0]).joules <= high + 0.002
        assert (Kind.GPU, f"gpu:{gpu_uuid(0)}", "NVIDIA H100 80GB HBM3") == (
            port.sensor.domain.kind,
            port.sensor.domain.id,
            port.sensor.domain.name,
        )
        assert (Provenance.COUNTER, None) == (port.sensor.provenance, port.sensor.wraps_at)
        assert stated(Family("Hopper", DATA_CENTRE)).accuracy == port.sensor.accuracy
        assert ("", "") == (finding.reason, finding.fix)


@pytest.mark.parametrize(
    ("trouble", "provenance", "method", "watts"),
    [
        ({"energy_code": NOT_SUPPORTED}, Provenance.INTEGRATED, "POWER_INSTANT", 300.0),
        ({"energy_code": FUNCTION_NOT_FOUND}, Provenance.INTEGRATED, "POWER_INSTANT", 300.0),
        ({"counter_start_joules": 0.0, "tick_ns": 10**18}, Provenance.INTEGRATED, "POWER_INSTANT", 300.0),
        ({"energy_code": UNKNOWN, "zero_from_ns": 1}, Provenance.MODELLED, "UtilizationRates", 399.0),
        ({"energy_code": 3, "field_type": 0}, Provenance.INTEGRATED, "POWER_INSTANT", 300.0),
        ({"energy_code": 3, "field_type": 2}, Provenance.INTEGRATED, "POWER_INSTANT", 300.0),
        ({"energy_code": 3, "field_type": 3}, Provenance.INTEGRATED, "POWER_INSTANT", 300.0),
        ({"energy_code": 3, "field_type": 4}, Provenance.INTEGRATED, "POWER_INSTANT", 300.0),
        ({"energy_code": 3, "field_type": 5}, Provenance.INTEGRATED, "POWER_INSTANT", 300.0),
        ({"energy_code": 3, "field_type": 6, "watts": 60.0}, Provenance.INTEGRATED, "POWER_INSTANT", 60.0),
        ({"energy_code": 3, "field_type": 77}, Provenance.INTEGRATED, "nvmlDeviceGetPowerUsage", 300.0),
        ({"energy_code": 3, "instant_code": 3}, Provenance.INTEGRATED, "POWER_AVERAGE", 300.0),
        ({"energy_code": 3, "instant_code": 3, **SWINGING}, Provenance.INTEGRATED, "POWER_AVERAGE", 300.0),
        (
            {"energy_code": 3, "instant_code": 3, "average_code": 3},
            Provenance.INTEGRATED,
            "PowerUsage, the mean",
            300.0,
        ),
        ({"energy_code": 3, "fields_code": FUNCTION_NOT_FOUND}, Provenance.INTEGRATED, "PowerUsage, the mean", 300.0),
        (
            {"energy_code": 3, "fields_code": 3, "architecture": 7},
            Provenance.INTEGRATED,
            "unless this is a GA100",
            300.0,
        ),
        ({"energy_code": 3, "fields_code": 3, "architecture": 5}, Provenance.INTEGRATED, "momentary", 300.0),
        (
            {"energy_code": 3, "fields_code": 3, "architecture": 0xFFFFFFFF},
            Provenance.INTEGRATED,
            "from Ampere on",
            300.0,
        ),
        ({**ALL_READINGS_FAIL, "utilization": 0}, Provenance.MODELLED, "UtilizationRates", 98.0),
        ({**ALL_READINGS_FAIL, "utilization": 50}, Provenance.MODELLED, "of 700 W", 399.0),
        ({**ALL_READINGS_FAIL, "utilization": 100}, Provenance.MODELLED, "assumed", 700.0),
        ({**ALL_READINGS_FAIL, "utilization_code": 3}, None, "", 0.0),
        ({**ALL_READINGS_FAIL, "limit_code": 3}, None, "", 0.0),
    ],
)
def test_the_best_sensor_that_answers_is_taken(
    nvml_standin: Standin, trouble: dict[str, object], provenance: Provenance | None, method: str, watts: float
) -> None:
    """Without a counter the power is taken, without power a model, without that a reason is given."""
    with nvml_standin.showing(Scenario.of(gpu(**trouble))):
        [finding] = nvml.discover(environ={})
        if provenance is None:
            assert finding.port is None
            assert "no sensor of this GPU answers (energy counter: " in finding.reason
            return
        port = gauge(finding)

        assert watts == pytest.approx(port.read_power().watts, abs=0.001)
        assert provenance is port.sensor.provenance
        assert method in port.sensor.method
        assert finding.reason.startswith("energy counter: ")
        assert (provenance is Provenance.MODELLED) == (port.sensor.accuracy is None)


def test_an_integrated_gauge_shows_the_moment(nvml_standin: Standin) -> None:
    """The momentary power is that of the time of the call."""
    swinging = gpu(**{**SWINGING, "shape": "saw", "period_seconds": 3_600.0}, energy_code=NOT_SUPPORTED)
    with nvml_standin.showing(Scenario.of(swinging)):
        port = gauge(nvml.discover(environ={})[0])
        before = time.monotonic_ns()
        watts = port.read_power().watts
        after = time.monotonic_ns()

    assert min(map(swinging.watts_at, (before, after))) - 0.001 <= watts
    assert max(map(swinging.watts_at, (before, after))) + 0.001 >= watts


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ({"lost_at_ns": 1}, SourceLost),
        ({"fail_from_ns": 1, "fail_code": GPU_IS_LOST}, SourceLost),
        ({"fail_from_ns": 1, "fail_code": RESET_REQUIRED}, SourceLost),
        ({"fail_from_ns": 1, "fail_code": DRIVER_NOT_LOADED}, SourceLost),
        ({"fail_from_ns": 1, "fail_code": UNKNOWN}, ReadFailed),
        ({"fail_from_ns": 1, "fail_code": TIMEOUT}, ReadFailed),
        ({"fail_from_ns": 1, "fail_code": NOT_SUPPORTED}, ReadFailed),
    ],
)
@pytest.mark.parametrize("energy_code", [0, NOT_SUPPORTED])
def test_trouble_after_the_start_is_told_as_passing_or_final(
    nvml_standin: Standin, trouble: dict[str, int], expected: type[Exception], energy_code: int
) -> None:
    """A lost GPU ends a source, another error fails one reading, from the moment it happens and not before."""
    starts_at = time.monotonic_ns() + HOUR_NS
    later = {key: starts_at if value == 1 else value for key, value in trouble.items()}
    with nvml_standin.showing(Scenario.of(gpu(**later, energy_code=energy_code))):
        port = nvml.discover(environ={})[0].port
        assert port is not None
        read = port.read_energy if isinstance(port, EnergyCounter) else port.read_power
        read()
        nvml_standin.leap(seconds=3_601)

        with pytest.raises(expected) as caught:
            read()

        assert expected is type(caught.value)


def test_a_failure_that_passes_is_over(nvml_standin: Standin) -> None:
    """A source that failed for a while reads on."""
    now = time.monotonic_ns()
    troubled = gpu(fail_from_ns=now + HOUR_NS, fail_until_ns=now + 2 * HOUR_NS)
    with nvml_standin.showing(Scenario.of(troubled)):
        port = counter(nvml.discover(environ={})[0])
        nvml_standin.leap(seconds=3_601)
        with pytest.raises(ReadFailed):
            port.read_energy()
        nvml_standin.leap(seconds=3_601)

        assert port.read_energy().joules > 0


def test_a_gauge_does_not_take_zero_watts_for_an_answer(nvml_standin: Standin) -> None:
    """A power of 0 W, which NVML shows in passing, is a failed reading."""
    with nvml_standin.showing(Scenario.of(gpu(energy_code=3, zero_from_ns=time.monotonic_ns() + HOUR_NS))):
        port = gauge(nvml.discover(environ={})[0])
        assert pytest.approx(300.0) == port.read_power().watts
        nvml_standin.leap(seconds=3_601)

        with pytest.raises(ReadFailed, match="a power of 0"):
            port.read_power()


def test_a_source_is_asked_once_a_tick(nvml_standin: Standin) -> None:
    """One reading of a device is one call of the driver, whichever sensor it is."""
    kinds = {"energy": {}, "fields": {"energy_code": 3}, "power": {"energy_code": 3, "fields_code": 3}}
    for kind, trouble in {**kinds, "utilization": ALL_READINGS_FAIL}.items():
        with nvml_standin.showing(Scenario.of(gpu(**trouble))):
            port = nvml.discover(environ={})[0].port
            read = (
                port.read_energy if isinstance(port, EnergyCounter) else gauge(nvml.discover(environ={})[0]).read_power
            )
            before = {kind: nvml_standin.calls(kind) for kind in (*kinds, "utilization", "other", "init")}
            for _ in range(10):
                read()
            after = {kind: nvml_standin.calls(kind) for kind in before}

        assert {**before, kind: before[kind] + 10} == after


def test_nvml_is_initialised_once(nvml_standin: Standin) -> None:
    """Discovering again does not start NVML again, and closing ends the sources."""
    with nvml_standin.showing(Scenario()):
        before = nvml_standin.calls("init")
        port = counter(nvml.discover(environ={})[0])
        nvml.discover(environ={})
        assert before + 1 == nvml_standin.calls("init")
        nvml.close()

        with pytest.raises(SourceLost, match="Uninitialized"):
            port.read_energy()


def test_others_may_use_nvml_beside_us(nvml_standin: Standin) -> None:
    """Another user's start and end of NVML, such as torch's, leaves our sources alive."""
    with nvml_standin.showing(Scenario()):
        port = counter(nvml.discover(environ={})[0])
        pynvml.nvmlInit()
        pynvml.nvmlShutdown()

        assert port.read_energy().joules > 0


@pytest.mark.parametrize(
    ("code", "reason", "fix"),
    [
        (DRIVER_NOT_LOADED, "not loaded", "modprobe nvidia"),
        (12, "has no NVIDIA driver", "--gpus all"),
        (18, "was updated", "reboot"),
        (NO_PERMISSION, "does not let this user in", "/dev/nvidiactl"),
        (UNKNOWN, "does not start: Unknown Error", ""),
    ],
)
def test_a_driver_that_does_not_start_is_one_finding(nvml_standin: Standin, code: int, reason: str, fix: str) -> None:
    """Where NVML does not start, there is the reason and the fix instead of devices, even for named ones."""
    with nvml_standin.showing(Scenario(init_code=code)):
        for devices in EVERY_WAY:
            [finding] = nvml.discover(devices, environ={})

            assert finding.port is None
            assert reason in finding.reason
            assert fix in finding.fix


def test_a_machine_without_gpus_is_one_finding(nvml_standin: Standin) -> None:
    """A driver without GPUs is said to be so."""
    with nvml_standin.showing(Scenario.of()):
        [finding] = nvml.discover(environ={})

    assert "NVML shows no GPU" == finding.reason


@pytest.mark.parametrize("trouble", [{"handle_code": UNKNOWN}, {"handle_code": GPU_IS_LOST}, {"lost_at_ns": 1}])
def test_a_bad_gpu_does_not_hide_the_good_ones(nvml_standin: Standin, trouble: dict[str, int]) -> None:
    """A GPU that NVML cannot open is a finding without a port, and its neighbours keep their places."""
    with nvml_standin.showing(Scenario.of(gpu(), gpu(**trouble), gpu())):
        findings = nvml.discover(environ={})

        assert [gpu_uuid(0), gpu_uuid(2)] == uuids(findings)
        assert findings[1].port is None
        assert "NVML gives no access to this GPU: " in findings[1].reason


def test_a_gpu_that_is_lost_while_it_is_tried_is_not_tried_further(nvml_standin: Standin) -> None:
    """A GPU that falls off the bus at its first reading is a finding without a port, after one reading."""
    with nvml_standin.showing(Scenario.of(gpu(fail_from_ns=1, fail_code=GPU_IS_LOST), gpu())):
        before = {kind: nvml_standin.calls(kind) for kind in ("energy", "fields", "power")}
        findings = nvml.discover(environ={})
        after = {kind: nvml_standin.calls(kind) for kind in before}

        assert [gpu_uuid(1)] == uuids(findings)
        assert "GPU is lost" in findings[0].reason
        # The lost one is asked once of its module; the other by both fields, and once of its power beside the counter.
        assert {**before, "energy": before["energy"] + 2, "fields": before["fields"] + 4} == after


def test_a_gpu_of_another_job_is_not_counted(nvml_standin: Standin) -> None:
    """A GPU that permissions hide is none of CUDA's, and its indices skip it."""
    with nvml_standin.showing(Scenario.of(gpu(handle_code=NO_PERMISSION), gpu(), gpu())):
        assert [gpu_uuid(1), gpu_uuid(2)] == uuids(nvml.discover(environ={}))
        assert [gpu_uuid(2)] == uuids(nvml.discover(environ={"CUDA_VISIBLE_DEVICES": "1"}))
        assert ["", "", "Insufficient Permissions"] == sorted(
            finding.reason.rpartition(": ")[2] for finding in nvml.discover("all", environ={})
        )


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, [0, 1, 2, 3]),
        ("2,0", [2, 0]),
        (gpu_uuid(3), [3]),
        ("GPU-3a5e,GPU-1a", [3, 1]),
        ("1,-1,2", [1]),
    ],
)
def test_what_cuda_sees_is_metered(nvml_standin: Standin, visible: str | None, expected: list[int]) -> None:
    """CUDA_VISIBLE_DEVICES decides which GPUs are sources, in its order."""
    with nvml_standin.showing(Scenario.of(*[gpu()] * 4)):
        environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}

        assert [gpu_uuid(index) for index in expected] == uuids(nvml.discover(environ=environ))
        assert [gpu_uuid(expected[-1])] == uuids(nvml.discover([len(expected) - 1], environ=environ))
        assert 4 == len(uuids(nvml.discover("all", environ=environ)))


@pytest.mark.parametrize("visible", ["", "-1", "0,0", "GPU-ff"])
def test_hidden_gpus_are_not_metered_and_said_to_be_hidden(nvml_standin: Standin, visible: str) -> None:
    """Where CUDA sees nothing, one finding quotes the variable."""
    with nvml_standin.showing(Scenario()):
        [finding] = nvml.discover(environ={"CUDA_VISIBLE_DEVICES": visible})

    assert finding.port is None
    assert f"CUDA_VISIBLE_DEVICES={visible!r}" in finding.reason


def test_a_gpu_is_found_by_the_uuid_that_torch_prints(nvml_standin: Standin) -> None:
    """A UUID without its prefix names its GPU, an unknown one is an error, an empty list asks for nothing."""
    with nvml_standin.showing(Scenario.of(gpu(), gpu())):
        assert [gpu_uuid(1)] == uuids(nvml.discover([gpu_uuid(1).removeprefix("GPU-")], environ={}))
        assert [] == nvml.discover([], environ={})
        with pytest.raises(ConfigError, match=gpu_uuid(0)):
            nvml.discover(["GPU-ffff"], environ={})


def test_unlike_gpus_chosen_by_index_are_remarked_on(nvml_standin: Standin) -> None:
    """The finding of a GPU that an index chose among different models tells that CUDA may count otherwise."""
    with nvml_standin.showing(Scenario.of(gpu(), gpu(name="Tesla T4"))):
        [finding] = nvml.discover(environ={"CUDA_VISIBLE_DEVICES": "1"})

        assert finding.port is not None
        assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in finding.reason
