"""GPUs that share a module with a CPU, and real machines as they showed themselves, on the stand-in driver."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lightning_carbon import Meter
from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.errors import ReadFailed
from lightning_carbon.ports import PowerGauge
from lightning_carbon.sources import nvml
from lightning_carbon.sources.discovery import discover
from tests.nvml_standin import NO_PERMISSION, NOT_SUPPORTED, Gpu, Scenario, Slice, gpu_uuid
from tests.nvml_standin.captures import CAPTURED, TRACES_VARIABLE, capture_folder, scenario_of
from tests.stepped_time import SteppedClock, engine_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lightning_carbon.ports import Finding
    from tests.nvml_standin import Standin

SUPERCHIP = Gpu(
    name="NVIDIA GB200",
    architecture=10,
    c2c=True,
    serial="1650000000001",
    watts=165.0,
    module_watts=467.0,
    module_limit_milliwatts=2_500_000,
    memory_watts=30.0,
    limit_milliwatts=1_200_000,
)
FIRST = (SUPERCHIP, replace(SUPERCHIP, watts=168.0, module_watts=460.0))
CAPTURES = capture_folder()  # before a fixture takes the program's variables away
SECOND = tuple(replace(gpu, serial="1650000000002", module_watts=453.0) for gpu in FIRST)


def parents(findings: Sequence[Finding]) -> dict[str, str | None]:
    """What is inside of what."""
    domains = [finding.port.sensor.domain for finding in findings if finding.port is not None]
    return {domain.id: domain.parent for domain in domains}


def roots(findings: Sequence[Finding]) -> list[str]:
    """What totals sum."""
    inside = parents(findings)
    return [id_ for id_, parent in inside.items() if parent not in inside]


def test_a_module_counts_once_and_has_its_gpus_inside(nvml_standin: Standin) -> None:
    """Two modules of two GPUs each draw what the modules show, not what is shown at each of the four GPUs."""
    with nvml_standin.showing(Scenario.of(*FIRST, *SECOND)):
        findings = nvml.discover(environ={})
        gauges = {finding.port.sensor.domain.id: finding.port for finding in findings if finding.port is not None}
        watts = [gauge.read_power().watts for id_ in roots(findings) if isinstance(gauge := gauges[id_], PowerGauge)]

    assert {
        f"gpu:{gpu_uuid(0)}": "module:1650000000001",
        f"gpu:{gpu_uuid(1)}": "module:1650000000001",
        f"gpu:{gpu_uuid(2)}": "module:1650000000002",
        f"gpu:{gpu_uuid(3)}": "module:1650000000002",
        "module:1650000000001": None,
        "module:1650000000002": None,
    } == parents(findings)
    assert [467.0, 453.0] == watts


def test_a_module_is_told_from_a_gpu(nvml_standin: Standin) -> None:
    """A module is a kind of its own, integrated, whatever its GPUs are metered by, and each GPU is metered alone."""
    with nvml_standin.showing(Scenario.of(*[replace(gpu, energy_code=NOT_SUPPORTED) for gpu in FIRST])):
        ports = [finding.port for finding in nvml.discover(environ={})]
        shown = [(port.sensor.domain.kind, port.read_power().watts) for port in ports if isinstance(port, PowerGauge)]
        module = ports[-1]

    assert module is not None
    assert [(Kind.GPU, 165.0), (Kind.GPU, 168.0), (Kind.MODULE, 467.0)] == shown
    assert "NVIDIA GB200 module, CPU and 2 GPUs" == module.sensor.domain.name
    assert Provenance.INTEGRATED is module.sensor.provenance
    assert "POWER_INSTANT of the module" in module.sensor.method


def test_a_module_of_one_gpu_has_the_cpu_inside(nvml_standin: Standin) -> None:
    """Where a module counts, as on Grace Hopper, no CPU is metered or modelled beside it."""
    hopper = replace(SUPERCHIP, name="NVIDIA GH200 480GB", watts=300.0, module_watts=500.0)
    with nvml_standin.showing(Scenario.of(hopper)):
        findings = discover(environ={})

    assert [f"gpu:{gpu_uuid(0)}", "module:1650000000001"] == list(parents(findings))
    assert ["inside the power of the module, and counted there"] == [f.reason for f in findings if f.port is None]


@pytest.mark.parametrize("link", [{"c2c": True}, {"c2c": False}, {"c2c_code": NOT_SUPPORTED}])
def test_a_link_to_a_cpu_says_nothing_of_power(nvml_standin: Standin, link: dict[str, int]) -> None:
    """A GPU whose module shows no power is a GPU, with or without a link, and the host is metered beside it."""
    gpu = Gpu(name="NVIDIA GH200 480GB", serial="1650000000001", **link)  # type: ignore[arg-type]
    with nvml_standin.showing(Scenario.of(gpu)):
        kinds = {f.port.sensor.domain.kind for f in discover(environ={}) if f.port is not None}

    assert {Kind.GPU, Kind.PACKAGE, Kind.DRAM} <= kinds


@pytest.mark.parametrize(
    ("gpus", "environ", "words"),
    [
        (FIRST, {"CUDA_VISIBLE_DEVICES": "0"}, "not this job's"),
        ((FIRST[0],), {}, "that of 2 GPUs in it, of which NVML shows 1"),
        ([replace(gpu, serial="") for gpu in FIRST], {}, "no serial number"),
        (
            [replace(FIRST[0], name="NVIDIA Next"), replace(FIRST[1], handle_code=NO_PERMISSION)],
            {},
            "NVML hides a GPU",
        ),
    ],
)
def test_a_module_that_may_hold_another_s_gpu_is_not_counted(
    nvml_standin: Standin, gpus: Sequence[Gpu], environ: dict[str, str], words: str
) -> None:
    """The power of a GPU that is not the job's is not charged by way of its module; the GPUs that are its, are."""
    with nvml_standin.showing(Scenario.of(*gpus)):
        findings = nvml.discover(environ=environ)

    reasons = [finding.reason for finding in findings if finding.port is None]
    assert words in reasons[0]
    assert {None} == set(parents(findings).values())
    assert f"gpu:{gpu_uuid(0)}" in parents(findings)


def test_ranks_that_share_a_module_name_it_alike(nvml_standin: Standin) -> None:
    """Each of two ranks with a GPU of one module meters its GPU and the module, which then counts once for both."""
    with nvml_standin.showing(Scenario.of(*FIRST)):
        found = [parents(nvml.discover([index], environ={})) for index in range(2)]

    assert [
        {f"gpu:{gpu_uuid(index)}": "module:1650000000001", "module:1650000000001": None} for index in range(2)
    ] == found


def test_a_share_of_a_gpu_is_no_share_of_its_module(nvml_standin: Standin) -> None:
    """With ``gpu_scope="process"`` the GPUs are charged by themselves."""
    with nvml_standin.showing(Scenario.of(*FIRST)):
        assert [None, None] == list(parents(nvml.discover(environ={}, gpu_scope="process")).values())


@pytest.mark.parametrize("code", [0, NOT_SUPPORTED])
def test_a_counter_whose_first_answer_is_wrong_is_asked_again(nvml_standin: Standin, code: int) -> None:
    """A zero or NotSupported that passes does not cost the counter."""
    with nvml_standin.showing(Scenario.of(Gpu(first_energy_calls=1, first_energy_code=code))):
        [finding] = nvml.discover(environ={})

        # Where the driver comes up between two questions, a later answer is taken first, and the better is asked later.
        source = finding.port if finding.later is None else finding.later()

    assert source is not None
    assert Provenance.COUNTER is source.sensor.provenance


def test_what_is_metered_knows_the_most_that_it_draws(nvml_standin: Standin) -> None:
    """A GPU's limit is that of the GPU, whatever it is metered by, a module's that of the module; unknown is none."""
    unlimited = Gpu(limit_code=NOT_SUPPORTED)
    with nvml_standin.showing(Scenario.of(FIRST[0], replace(FIRST[1], energy_code=NOT_SUPPORTED), unlimited)):
        sensors = [finding.port.sensor for finding in nvml.discover(environ={}) if finding.port is not None]

    assert [1200.0, 1200.0, None, 2500.0] == [sensor.max_power and sensor.max_power.watts for sensor in sensors]


@pytest.mark.parametrize(
    ("gpu", "seconds"),
    [
        (Gpu(energy_code=NOT_SUPPORTED), 0.0),
        (Gpu(energy_code=NOT_SUPPORTED, instant_code=NOT_SUPPORTED), 1.0),
        (Gpu(energy_code=NOT_SUPPORTED, fields_code=NOT_SUPPORTED), 1.0),
        (Gpu(energy_code=NOT_SUPPORTED, fields_code=NOT_SUPPORTED, architecture=6), 0.0),
    ],
)
def test_a_mean_says_of_how_long_it_is(nvml_standin: Standin, gpu: Gpu, seconds: float) -> None:
    """Power that is the mean of the last second says so, momentary power says nothing of the kind."""
    with nvml_standin.showing(Scenario.of(gpu)):
        [finding] = nvml.discover(environ={})

    assert finding.port is not None
    assert seconds == finding.port.sensor.window_seconds


def test_a_driver_that_is_being_loaded_is_asked_again(nvml_standin: Standin) -> None:
    """A GPU of which nothing answers for the first moments is metered once something does."""
    passing = {"fail_from_ns": 1, "fail_until_ns": time.monotonic_ns() + 150_000_000, "fail_code": NOT_SUPPORTED}
    with nvml_standin.showing(Scenario.of(Gpu(**passing))):  # type: ignore[arg-type]
        [finding] = nvml.discover(environ={})

        # Where the driver comes up between two questions, a later answer is taken first, and the better is asked later.
        source = finding.port if finding.later is None else finding.later()

    assert source is not None
    assert Provenance.COUNTER is source.sensor.provenance


@pytest.mark.parametrize(
    ("gpu", "provenance"),
    [
        (Gpu(), Provenance.INTEGRATED),
        (Gpu(fields_code=NOT_SUPPORTED, power_code=NOT_SUPPORTED), Provenance.MODELLED),
        (Gpu(fields_code=NOT_SUPPORTED, power_code=NOT_SUPPORTED, limit_code=NOT_SUPPORTED), None),
        (Gpu(energy_code=NOT_SUPPORTED), None),
    ],
)
def test_a_counter_has_the_next_best_sensor_behind_it(
    nvml_standin: Standin, gpu: Gpu, provenance: Provenance | None
) -> None:
    """Beside a counter there is the power of the same GPU, or a model, where one answers; beside a gauge nothing."""
    with nvml_standin.showing(Scenario.of(gpu)):
        [finding] = nvml.discover(environ={})

    assert provenance is (finding.fallback and finding.fallback.sensor.provenance)


def test_a_counter_that_answers_later_is_found_later(nvml_standin: Standin) -> None:
    """A GPU whose counter has no answer at first starts by power, and its counter is there to be tried again."""
    with nvml_standin.showing(Scenario.of(Gpu(first_energy_calls=4, first_energy_code=NOT_SUPPORTED))):
        [finding] = nvml.discover(environ={})
        assert finding.port is not None
        assert finding.later is not None
        with pytest.raises(ReadFailed):
            finding.later()
        better = finding.later()

    assert Provenance.INTEGRATED is finding.port.sensor.provenance
    assert Provenance.COUNTER is better.sensor.provenance
    assert finding.port.sensor.domain == better.sensor.domain


def test_a_slice_has_shares_of_both_sensors(nvml_standin: Standin) -> None:
    """The slice of a GPU whose counter is dead goes on by its share of the GPU's power."""
    part = Slice(uuid="MIG-aaaa1111-0000-5000-8000-000000000000")
    with nvml_standin.showing(Scenario.of(Gpu(mig_enabled=True, slices=(part,), watts=350.0))):
        [finding] = nvml.discover(environ={})
        fallback = finding.fallback

        assert isinstance(fallback, PowerGauge)
        assert 50.0 == pytest.approx(fallback.read_power().watts)
        assert finding.port is not None
        assert finding.port.sensor.domain == fallback.sensor.domain


def test_a_counter_that_is_dead_gives_way_to_power(nvml_standin: Standin, tmp_path: Path) -> None:
    """A GPU whose count stands still above zero under power is integrated, from the first second on."""
    frozen = Gpu(tick_ns=10**18, watts=300.0)
    with nvml_standin.showing(Scenario.of(frozen)):
        clock = SteppedClock(nvml_standin.hold)
        with engine_on(clock, ledger=tmp_path) as meter:
            clock.sleep(1.6)
    [gpu] = [domain for domain in meter.record.energy.domains if domain.kind == "gpu"]

    assert gpu.joules == pytest.approx(300.0 * meter.record.duration_seconds, rel=0.01)
    assert "integrated" == gpu.provenance
    assert gpu.replaced is not None


def test_a_run_on_modules_draws_what_they_draw(nvml_standin: Standin, tmp_path: Path) -> None:
    """A record of two modules has their energy as its total, that of the GPUs inside, and no CPU beside it."""
    with nvml_standin.showing(Scenario.of(*FIRST, *SECOND)), Meter(ledger=tmp_path) as meter:
        meter.step_done()
    energy = meter.record.energy
    modules = [domain for domain in energy.domains if domain.kind == "module"]

    assert energy.total_joules == pytest.approx(sum(domain.joules for domain in modules), abs=1e-6)
    assert {"gpu", "module"} == {domain.kind for domain in energy.domains}


@pytest.fixture(params=CAPTURED)
def captured(request: pytest.FixtureRequest) -> Scenario:
    """A machine as ``nvidia-smi`` showed it."""
    if CAPTURES is None:
        pytest.skip(f"{TRACES_VARIABLE} names no folder with the captures nvidia-smi/qx-*.xml")
    return scenario_of(CAPTURES / f"qx-{request.param}.xml")


def test_a_captured_machine_draws_what_it_showed(nvml_standin: Standin, captured: Scenario) -> None:
    """What totals sum is the power of each module once, else of each GPU, by the sensors that answered."""
    without_counters = [replace(gpu, energy_code=NOT_SUPPORTED) for gpu in captured.gpus]
    with nvml_standin.showing(captured):
        counted = nvml.discover(environ={})
    with nvml_standin.showing(replace(captured, gpus=tuple(without_counters))):
        findings = nvml.discover(environ={})
        gauges = {finding.port.sensor.domain.id: finding.port for finding in findings if finding.port is not None}
        watts = sum(gauge.read_power().watts for id_ in roots(findings) if isinstance(gauge := gauges[id_], PowerGauge))
    shown = {gpu.serial: gpu.module_watts or gpu.watts for gpu in reversed(captured.gpus)}

    assert parents(findings) == parents(counted)
    assert len(captured.gpus) == sum(id_.startswith("gpu:") for id_ in gauges)
    assert watts == pytest.approx(sum(shown.values()), abs=0.01)
