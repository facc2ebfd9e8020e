"""What ``CUDA_VISIBLE_DEVICES`` selects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.sources.nvml.visible_devices import GpuNames, Place, SliceNames, visible

GPUS = [
    GpuNames("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"),
    GpuNames("GPU-8932aaaa-d72c-4106-c12f-20bd9faed9f6"),
    GpuNames("GPU-11111111-d72c-4106-c12f-20bd9faed9f6"),
]
SLICED = [
    GpuNames("GPU-22222222-d72c-4106-c12f-20bd9faed9f6"),
    GpuNames(
        "GPU-33333333-d72c-4106-c12f-20bd9faed9f6",
        mig_enabled=True,
        slices=(
            SliceNames("MIG-aaaa1111-0000-5000-8000-000000000000", "MIG-GPU-33333333-d72c-4106-c12f-20bd9faed9f6/7/0"),
            SliceNames("MIG-aaaa2222-0000-5000-8000-000000000000", "MIG-GPU-33333333-d72c-4106-c12f-20bd9faed9f6/8/0"),
        ),
    ),
    GpuNames("GPU-44444444-d72c-4106-c12f-20bd9faed9f6", mig_enabled=True),
]

entries = st.one_of(
    st.sampled_from(
        ["0", "1", "2", "3", "-1", "", " 1", "1gpu", "01", "GPU-", "GPU-8932", "GPU-8932f", "GPU-1", "MIG-aaaa1"]
    ),
    st.sampled_from([SLICED[1].slices[0].address, SLICED[1].slices[1].uuid, GPUS[0].uuid, GPUS[0].uuid.lower()]),
    st.text(max_size=8),
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("none", []),
        ("all", []),
        ("0", [0]),
        ("2,0", [2, 0]),
        (" 2 , 0 ", [2, 0]),
        ("0,1,2", [0, 1, 2]),
        ("0,2,-1,1", [0, 2]),
        ("1,3,0", [1]),
        ("3", []),
        ("0,0", []),
        ("1,0,1", []),
        ("1gpu,2ampere", [1, 2]),
        ("+1", [1]),
        ("-0", [0]),
        ("0000000000000000000000001", [1]),
        ("9" * 5_000, []),
        ("²", []),
        ("٣", []),
        ("0,,1", [0]),
        (",0", []),
        ("0,GPU-11111111", [0]),
        ("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", [0]),
        ("GPU-11111111,GPU-8932f", [2, 0]),
        ("gpu-11111111", [2]),
        ("GPU-8932", []),
        ("GPU-1,GPU-8932,GPU-8932f", [2]),
        ("GPU-ffffffff,GPU-1", []),
        ("GPU-1,GPU-1", []),
        ("GPU-1,GPU-11", []),
        ("GPU-1,0", [2]),
        ("MIG-aaaa1111", []),
    ],
)
def test_whole_gpus_are_chosen_as_cuda_chooses_them(value: str | None, expected: list[int]) -> None:
    """Indices and UUIDs select in their order, the first that fits nothing ends the list, and doubles leave nothing."""
    places = visible(value, GPUS).places

    assert [Place(position) for position in expected] == list(places)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("MIG-aaaa1111-0000-5000-8000-000000000000", [Place(1, 0)]),
        ("MIG-aaaa2", [Place(1, 1)]),
        ("MIG-aaaa", []),
        ("MIG-GPU-33333333-d72c-4106-c12f-20bd9faed9f6/8/0", [Place(1, 1)]),
        ("MIG-GPU-33333333-d72c-4106-c12f-20bd9faed9f6/9/0", []),
        ("MIG-GPU-33333333-d72c-4106-c12f-20bd9faed9f6", []),
        ("MIG-aaaa2,MIG-aaaa1", [Place(1, 1), Place(1, 0)]),
        ("MIG-aaaa2,MIG-aaaa22", []),
        ("MIG-aaaa2,GPU-2", [Place(1, 1)]),
        (None, [Place(1, 0)]),
        ("0,1", [Place(1, 0)]),
        ("0", [Place(0)]),
        ("1", [Place(1, 0)]),
        ("2", []),
        ("0,2", [Place(0)]),
        ("GPU-3", [Place(1, 0)]),
        ("GPU-2", [Place(0)]),
    ],
)
def test_slices_stand_for_gpus_in_mig_mode(value: str | None, expected: list[Place]) -> None:
    """A slice is chosen by its own name, and a GPU in MIG mode shows its first slice and nothing beside it."""
    assert expected == list(visible(value, SLICED).places)


@pytest.mark.parametrize(
    ("value", "remark"),
    [
        ("0,0", "'0' is in it twice"),
        ("MIG-aaaa1,MIG-aaaa2", "first of several"),
        (None, "first slice"),
        ("2", "without slices"),
    ],
)
def test_what_may_surprise_is_said(value: str | None, remark: str) -> None:
    """A selection that CUDA cuts down comes with the reason."""
    assert remark in visible(value, SLICED).remark


@given(
    value=st.one_of(st.text(), st.lists(entries).map(",".join)), gpus=st.sampled_from([[], GPUS, SLICED, GPUS + SLICED])
)
def test_any_text_selects_some_devices_at_most_once(value: str, gpus: list[GpuNames]) -> None:
    """Whatever stands in the variable, only devices that exist are chosen, and none twice."""
    places = visible(value, gpus).places
    existing = {Place(at, number) for at, gpu in enumerate(gpus) for number in (-1, *range(len(gpu.slices)))}

    assert set(places) <= existing
    assert len(set(places)) == len(places)


@given(value=st.lists(entries).map(",".join), more=entries)
def test_what_follows_an_entry_that_fits_nothing_is_ignored(value: str, more: str) -> None:
    """Entries after one that is no device change nothing, unless they name a device for the second time."""
    chosen = visible(f"{value},-1", GPUS).places

    assert visible(f"{value},-1,{more}", GPUS).places == chosen


@given(order=st.permutations(range(3)))
def test_naming_every_gpu_by_uuid_or_by_index_is_the_same(order: list[int]) -> None:
    """A list of full UUIDs chooses what the list of their indices chooses."""
    by_index = visible(",".join(map(str, order)), GPUS).places

    assert by_index == visible(",".join(GPUS[position].uuid for position in order), GPUS).places
