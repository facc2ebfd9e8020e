"""Which GPUs of AMD and Intel a process sees."""

from __future__ import annotations

import pytest

from lightning_carbon.sources.hwmon.visible import visible_to_level_zero, visible_to_rocm

UUIDS = {"a": "8e1d00c1", "b": "8e1d00c2", "c": "8e1d00c3", "d": ""}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "abcd"),
        ({"HIP_VISIBLE_DEVICES": "2,0"}, "ca"),
        ({"CUDA_VISIBLE_DEVICES": "1"}, "b"),
        ({"HIP_VISIBLE_DEVICES": "3", "CUDA_VISIBLE_DEVICES": "1"}, "d"),
        ({"ROCR_VISIBLE_DEVICES": "1,2"}, "bc"),
        ({"ROCR_VISIBLE_DEVICES": "1,2", "HIP_VISIBLE_DEVICES": "1"}, "c"),
        ({"ROCR_VISIBLE_DEVICES": "GPU-8E1D00C3, 0"}, "ca"),
        ({"ROCR_VISIBLE_DEVICES": "0,GPU-ffff,1"}, "a"),
        ({"ROCR_VISIBLE_DEVICES": "GPU-"}, ""),
        ({"HIP_VISIBLE_DEVICES": ""}, ""),
        ({"HIP_VISIBLE_DEVICES": "-1"}, ""),
        ({"HIP_VISIBLE_DEVICES": "0,9,1"}, "a"),
    ],
)
def test_rocm_s_variables_choose_one_after_the_other(environ: dict[str, str], expected: str) -> None:
    """ROCR's list is of all GPUs, HIP's of those that are left, and what fits none ends a list."""
    assert list(expected) == visible_to_rocm("abcd", environ, UUIDS.__getitem__)


@pytest.mark.parametrize(
    ("mask", "expected"),
    [(None, "abc"), ("", "abc"), ("1", "b"), ("2,0", "ca"), ("0.0,0.1", "a"), ("1.1,x,0", "b"), ("7", "")],
)
def test_level_zero_s_mask_chooses_gpus_by_their_tiles(mask: str | None, expected: str) -> None:
    """A GPU of which a tile is chosen counts once, and what fits none ends the list."""
    environ = {} if mask is None else {"ZE_AFFINITY_MASK": mask}

    assert list(expected) == visible_to_level_zero("abc", environ)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "aabb"),
        ({"ZE_AFFINITY_MASK": "1"}, "a"),
        ({"ZE_AFFINITY_MASK": "0,1,2"}, "aab"),
        ({"ZE_AFFINITY_MASK": "3,4"}, "b"),
        ({"ZE_FLAT_DEVICE_HIERARCHY": "COMPOSITE"}, "ab"),
        ({"ZE_FLAT_DEVICE_HIERARCHY": "composite", "ZE_AFFINITY_MASK": "1"}, "b"),
        ({"ZE_FLAT_DEVICE_HIERARCHY": "COMPOSITE", "ZE_AFFINITY_MASK": "0.1,1.0"}, "ab"),
        ({"ZE_FLAT_DEVICE_HIERARCHY": "COMBINED", "ZE_AFFINITY_MASK": "2"}, "b"),
    ],
)
def test_a_tile_is_a_device_unless_the_hierarchy_is_composite(environ: dict[str, str], expected: str) -> None:
    """A number then counts tiles, and the GPU of the tile is the one that is metered."""
    assert list(expected) == visible_to_level_zero("ab", environ, lambda _: 2)
