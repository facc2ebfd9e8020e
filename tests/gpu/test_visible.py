"""Which GPUs are metered under every form of ``CUDA_VISIBLE_DEVICES``: those that CUDA shows. Takes about 40 s."""

from __future__ import annotations

import os

import pytest

from tests.gpu.measuring.results import Results
from tests.gpu.measuring.visible import VARIABLE, ask_all, forms, slice_forms, slices_of_machine

pytestmark = pytest.mark.gpu


def test_what_cuda_shows_is_what_is_metered(gpu_uuid: str, results: Results) -> None:
    """The same devices in the same order, asked in a process of its own for every form."""
    if VARIABLE in os.environ:
        pytest.skip(f"{VARIABLE} is set here, and there is no telling whether all GPUs may be used")
    if slices_of_machine():
        pytest.skip("GPUs here are in MIG mode, and CUDA shows slices in the place of GPUs")
    import torch

    count = torch.cuda.device_count()
    uuids = [f"GPU-{torch.cuda.get_device_properties(index).uuid}" for index in range(count)]
    assert gpu_uuid in uuids
    seen = ask_all(list(forms(uuids)), os.environ)
    results.add("visible_devices", {"forms": len(seen), "agree": sum(choice.agree for choice in seen), "gpus": count})

    assert [] == [choice for choice in seen if not choice.agree]


def test_the_slice_that_cuda_shows_is_the_one_that_is_metered(gpu_uuid: str, results: Results) -> None:
    """Likewise for slices, which CUDA calls by their own UUID or by that of their GPU."""
    assert gpu_uuid
    slices = slices_of_machine()
    if not slices:
        pytest.skip("no GPU here is cut into MIG slices")
    seen = ask_all(list(slice_forms(slices)), os.environ)
    agree = [choice.agree_on(slices) for choice in seen]
    results.add("visible_slices", {"forms": len(seen), "agree": sum(agree), "slices": len(slices)})

    assert [] == [choice for choice, fits in zip(seen, agree, strict=True) if not fits]
