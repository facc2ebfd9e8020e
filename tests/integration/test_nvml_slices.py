"""MIG slices on the stand-in driver: shares of their GPU by compute slices."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.energy.readings import Provenance
from lightning_carbon.ports import EnergyCounter, PowerGauge, Share
from lightning_carbon.sources import nvml
from lightning_carbon.units import Power
from tests.nvml_standin import ALL_READINGS_FAIL, NOT_SUPPORTED, Gpu, Scenario, Slice, gpu_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.ports import Finding
    from tests.nvml_standin import Standin

A_SLICE = Slice(uuid="MIG-aaaa1111-0000-5000-8000-000000000000", gpu_instance=7)
B_SLICE = Slice(uuid="MIG-bbbb2222-0000-5000-8000-000000000000", gpu_instance=1, gpu_slices=3, compute_slices=2)
SLICED = Gpu(name="NVIDIA A100-SXM4-40GB", architecture=7, mig_enabled=True, slices=(A_SLICE, B_SLICE), watts=400)


def counter(finding: Finding) -> EnergyCounter:
    """The port of a finding, as a counter."""
    assert isinstance(finding.port, EnergyCounter), finding
    return finding.port


def gauge(finding: Finding) -> PowerGauge:
    """The port of a finding, as a gauge."""
    assert isinstance(finding.port, PowerGauge), finding
    return finding.port


def as_share(source: object) -> Share:
    """A source, as a share of another one."""
    assert isinstance(source, Share)
    return source


def uuids(findings: Sequence[Finding]) -> list[str]:
    """The devices behind the findings."""
    return [finding.port.sensor.domain.id.removeprefix("gpu:") for finding in findings if finding.port is not None]


def gpu(**changes: object) -> Gpu:
    """A GPU with a few changes."""
    return Gpu(**changes)  # type: ignore[arg-type]


def test_behind_a_slice_is_its_share_of_the_power(nvml_standin: Standin) -> None:
    """For a GPU whose counter is dead; both tell what the whole GPU shows."""
    with nvml_standin.showing(Scenario.of(SLICED)):
        [finding] = nvml.discover([A_SLICE.uuid], environ={})
        assert isinstance(finding.fallback, PowerGauge)
        watts = finding.fallback.read_power().watts
    share, behind = as_share(finding.port), as_share(finding.fallback)

    assert Provenance.COUNTER is share.whole.sensor.provenance
    assert watts == pytest.approx(400 / 7)
    assert behind.seen == Power(400.0)


def test_a_slice_is_its_share_of_the_gpu(nvml_standin: Standin) -> None:
    """Slices are metered by compute slices of the whole, each for itself, and labelled as modelled."""
    with nvml_standin.showing(Scenario.of(SLICED)) as scenario:
        findings = nvml.discover([A_SLICE.uuid, B_SLICE.uuid], environ={})
        ports = [counter(finding) for finding in findings]
        edges, energies = [], []
        for pause in (0.2, 0.0):
            before = time.monotonic_ns()
            energies.append([port.read_energy() for port in ports])
            edges.append((before, time.monotonic_ns()))
            time.sleep(pause)
        low = scenario.true_joules(0, edges[0][1], edges[1][0])
        high = scenario.true_joules(0, edges[0][0], edges[1][1])

        assert [A_SLICE.uuid, B_SLICE.uuid] == uuids(findings)
        for first, second, share in zip(*energies, (1 / 7, 2 / 7), strict=True):
            assert low * share - 0.002 <= (second - first).joules <= high * share + 0.002
        for port in ports:
            assert Provenance.MODELLED is port.sensor.provenance
            assert pytest.approx(0.5) == port.sensor.uncertainty_ratio
            assert f"of 7 compute slices of {gpu_uuid(0)}" in port.sensor.method
            assert port.sensor.domain.parent is None


def test_a_slice_of_a_gpu_without_counter_is_a_share_of_its_power(nvml_standin: Standin) -> None:
    """The share is taken of whatever the GPU offers; an A30 has four slices."""
    sliced = gpu(mig_enabled=True, max_slices=4, slices=(A_SLICE,), watts=160, energy_code=NOT_SUPPORTED)
    with nvml_standin.showing(Scenario.of(sliced)):
        [finding] = nvml.discover(environ={"CUDA_VISIBLE_DEVICES": f"MIG-{gpu_uuid(0)}/7/0"})

        assert [A_SLICE.uuid] == uuids([finding])
        assert pytest.approx(40.0) == gauge(finding).read_power().watts


def test_a_slice_beside_its_gpu_belongs_to_it(nvml_standin: Standin) -> None:
    """Where the whole GPU is metered too, the slice is a part of it and not added to it."""
    with nvml_standin.showing(Scenario.of(SLICED)):
        findings = nvml.discover([gpu_uuid(0), A_SLICE.uuid], environ={})

        assert [None, f"gpu:{gpu_uuid(0)}"] == [counter(finding).sensor.domain.parent for finding in findings]


def test_a_visible_gpu_in_mig_mode_is_metered_by_its_first_slice(nvml_standin: Standin) -> None:
    """Left alone, the slice that CUDA would use is metered, and all GPUs as a whole where all are asked for."""
    with nvml_standin.showing(Scenario.of(gpu(), SLICED)):
        assert [A_SLICE.uuid] == uuids(nvml.discover(environ={}))
        assert [gpu_uuid(0), gpu_uuid(1)] == uuids(nvml.discover("all", environ={}))


@pytest.mark.parametrize(
    ("changes", "slice_changes", "words"),
    [
        ({"profiles_code": NOT_SUPPORTED}, {}, "what share"),
        ({}, {"attributes_code": NOT_SUPPORTED}, "size of this slice"),
        ({}, {"compute_slices": 0}, "what share"),
        ({**ALL_READINGS_FAIL, "utilization_code": NOT_SUPPORTED}, {}, "no sensor"),
    ],
)
def test_a_slice_of_unknown_share_is_not_metered(
    nvml_standin: Standin, changes: dict[str, int], slice_changes: dict[str, int], words: str
) -> None:
    """Where NVML does not tell the share, none is invented."""
    part = Slice(uuid=A_SLICE.uuid, **slice_changes)  # type: ignore[arg-type]
    with nvml_standin.showing(Scenario.of(gpu(mig_enabled=True, slices=(part,), **changes))):
        [finding] = nvml.discover(environ={})

    assert finding.port is None
    assert words in finding.reason
