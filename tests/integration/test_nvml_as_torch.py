"""``CUDA_VISIBLE_DEVICES`` as torch reads it: its own, independent parser is asked about the same texts."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.sources.nvml.visible_devices import GpuNames, visible

UUIDS = ["GPU-8932f937-d72c-4106", "GPU-8932aaaa-d72c-4106", "GPU-11111111-d72c-4106", "GPU-aaaaaaaa-d72c-4106"]

indices = st.sampled_from(["0", "1", "2", "3", "4", "-1", "-0", "1gpu", "02", "", " 3", "x", "GPU-1", "none"])
names = st.sampled_from(
    [*UUIDS, "GPU-8932", "GPU-8932f", "GPU-8", "GPU-1", "GPU-11", "GPU-a", "GPU-", "GPU-b", "0", "", "MIG-1"]
)
texts = st.one_of(st.none(), st.lists(indices, max_size=5).map(",".join), st.lists(names, max_size=5).map(",".join))


def as_torch(value: str | None) -> list[int]:
    """The GPUs that torch would count through NVML."""
    cuda = pytest.importorskip("torch.cuda")
    if not hasattr(cuda, "_parse_visible_devices") or not hasattr(cuda, "_transform_uuid_to_ordinals"):
        pytest.skip("this torch keeps its parser elsewhere")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if value is not None:
            environment.setenv("CUDA_VISIBLE_DEVICES", value)
        asked = cuda._parse_visible_devices()  # noqa: SLF001 -- the only form in which torch has it
    if asked and isinstance(asked[0], str):
        return cast("list[int]", cuda._transform_uuid_to_ordinals(asked, UUIDS))  # noqa: SLF001 -- likewise
    chosen = []
    for index in asked:
        if index >= len(UUIDS):
            break
        chosen.append(index)
    return chosen


@given(texts)
def test_the_same_gpus_are_chosen_as_torch_chooses(value: str | None) -> None:
    """For lists of indices and lists of UUIDs, right or wrong, the GPUs that torch counts are the ones metered."""
    chosen = [place.gpu for place in visible(value, [GpuNames(uuid) for uuid in UUIDS]).places]

    assert as_torch(value) == chosen
