"""What the argument ``devices`` selects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError
from lightning_carbon.sources.nvml.inventory import Gpu
from lightning_carbon.sources.nvml.selection import select
from lightning_carbon.sources.nvml.visible_devices import GpuNames, Place, SliceNames

if TYPE_CHECKING:
    from collections.abc import Sequence

H100 = "NVIDIA H100 80GB HBM3"
UUIDS = ["GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", "GPU-8932aaaa-d72c-4106-c12f-20bd9faed9f6", "GPU-11111111-d7"]
SLICES = (
    SliceNames("MIG-aaaa1111-0000-5000-8000-000000000000", "MIG-GPU-33333333/7/0"),
    SliceNames("MIG-aaaa2222-0000-5000-8000-000000000000", "MIG-GPU-33333333/8/0"),
)
GPUS = [Gpu(index, GpuNames(uuid), H100) for index, uuid in enumerate(UUIDS)]
SLICED = [Gpu(0, GpuNames("GPU-33333333", mig_enabled=True, slices=SLICES), "NVIDIA A100-SXM4-40GB")]
MIXED = [
    Gpu(index, GpuNames(uuid), model) for index, (uuid, model) in enumerate(zip(UUIDS, [H100, "T4", H100], strict=True))
]


def places(devices: Sequence[int | str], visible: str | None = None, gpus: Sequence[Gpu] = GPUS) -> list[Place]:
    """What a list selects."""
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    return list(select(devices, gpus, environ).places)


def test_auto_is_what_cuda_sees() -> None:
    """Left alone, the selection follows CUDA_VISIBLE_DEVICES."""
    assert [Place(2), Place(0)] == list(select("auto", GPUS, {"CUDA_VISIBLE_DEVICES": "2,0"}).places)


def test_all_is_everything_whatever_cuda_sees() -> None:
    """All GPUs are meant when all are asked for, hidden ones and those in MIG mode included."""
    assert [Place(0), Place(1), Place(2)] == list(select("all", GPUS, {"CUDA_VISIBLE_DEVICES": ""}).places)
    assert [Place(0)] == list(select("all", SLICED, {}).places)


@pytest.mark.parametrize(("devices", "visible", "expected"), [([0], None, 0), ([0], "2,1", 2), ([1], "2,1", 1)])
def test_an_index_counts_as_torch_does(devices: list[int], visible: str | None, expected: int) -> None:
    """Indices count the devices that are visible, in the order in which CUDA shows them."""
    assert [Place(expected)] == places(devices, visible)


@pytest.mark.parametrize(
    "name", [UUIDS[0], "GPU-8932f", "gpu-8932F9", "8932f937-d72c-4106-c12f-20bd9faed9f6", "8932f937"]
)
def test_a_uuid_is_known_in_every_form(name: str) -> None:
    """A UUID counts in full, abbreviated, in either case, without its prefix, and where CUDA does not show the GPU."""
    assert [Place(0)] == places([name], visible="1")


@pytest.mark.parametrize("name", ["MIG-aaaa2222", "aaaa2222-0000-5000-8000-000000000000", "MIG-GPU-33333333/8/0"])
def test_a_slice_is_known_in_every_form(name: str) -> None:
    """A slice counts by its UUID, with and without prefix, and by its address."""
    assert [Place(0, 1)] == places([name], gpus=SLICED)


def test_the_bare_uuid_of_a_sliced_gpu_means_the_slice_in_use() -> None:
    """Where CUDA reports a GPU's UUID for its slice, the visible slice is meant; by its full name, the GPU is."""
    assert [Place(0, 1)] == places(["33333333"], "MIG-aaaa2222", SLICED)
    assert [Place(0, 0)] == places(["33333333"], "", SLICED)
    assert [Place(0)] == places(["GPU-33333333"], None, SLICED)


def test_a_device_that_is_named_twice_is_metered_once() -> None:
    """An index and a UUID of one GPU do not count it double."""
    assert [Place(1)] == places([1, UUIDS[1], UUIDS[1]])


@pytest.mark.parametrize(
    ("devices", "visible", "words"),
    [
        ([3], None, "there is no GPU 3: 3 visible, counted from 0"),
        ([0], "", "0 visible, counted from 0 (CUDA_VISIBLE_DEVICES is '')"),
        (["GPU-8932"], None, "'GPU-8932' fits more than one device; NVML shows GPU-8932f937"),
        (["GPU-ffff"], None, "'GPU-ffff' fits no device"),
        (["8932f93"], None, "'8932f93' fits no device"),
        (["0"], None, "'0' fits no device"),
        ([0, "MIG-1"], None, "'MIG-1' fits no device"),
    ],
)
def test_a_device_that_is_not_there_is_refused(devices: list[int | str], visible: str | None, words: str) -> None:
    """An index or UUID that fits no one device is an error that tells which and what there is."""
    with pytest.raises(ConfigError) as caught:
        places(devices, visible)

    assert "devices" == caught.value.argument
    assert words in str(caught.value)


@given(st.lists(st.one_of(st.integers(0, 99), st.text(min_size=1).filter(str.strip))))
def test_any_list_selects_or_is_refused(devices: list[int | str]) -> None:
    """A well-formed list gives existing devices, each once, or a ConfigError; nothing else."""
    try:
        found = places(devices)
    except ConfigError:
        return

    assert set(found) <= {Place(0), Place(1), Place(2)}
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("devices", "environ", "is_remarked"),
    [
        ("auto", {}, False),
        ("auto", {"CUDA_VISIBLE_DEVICES": "1"}, True),
        ("auto", {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, False),
        ("auto", {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, True),
        ("auto", {"CUDA_VISIBLE_DEVICES": "GPU-1"}, False),
        ([1], {}, True),
        ([1], {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, False),
        ([UUIDS[1]], {}, False),
        ("all", {}, False),
    ],
)
def test_an_index_among_unlike_gpus_is_remarked_on(
    devices: list[int | str], environ: dict[str, str], *, is_remarked: bool
) -> None:
    """Where GPUs differ, CUDA may count the fastest first, so a choice by index is called uncertain."""
    assert is_remarked == ("CUDA_DEVICE_ORDER" in select(devices, MIXED, environ).remark)
    assert "" == select(devices, GPUS, environ).remark


def test_gpus_without_permission_are_not_counted() -> None:
    """A GPU that the job may not open is skipped by CUDA's indices and still listed among all."""
    gpus = [Gpu(0, GpuNames(""), is_denied=True), *GPUS[1:]]

    assert UUIDS[1] == select([0], gpus, {}).gpus[0].names.uuid
    assert 3 == len(select("all", gpus, {}).places)
