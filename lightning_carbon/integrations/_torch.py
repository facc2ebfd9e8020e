"""What the trainers' callbacks need of torch; the only importer of torch in this package.

Nothing here waits for a GPU, and nothing makes one start that is not in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

Device = torch.device | str | int
"""A device, as torch takes it."""


def device_uuids(devices: Iterable[Device]) -> list[int | str]:
    """Name the NVIDIA GPUs among some devices, in a way that the driver understands.

    To be called in the process that computes and once it does: asking for a GPU's properties makes CUDA start, and a
    process that has started CUDA cannot be forked any more.

    Args:
        devices: Torch devices; a number is an index of a GPU, as in torch. Devices of other kinds are left out.

    Returns:
        UUIDs as torch prints them, without ``GPU-`` or ``MIG-`` in front. In a torch that cannot tell them (before
        2.4), the indices among the GPUs that are visible to this process. Each once; none where torch has no CUDA.
    """
    named = [torch.device("cuda", one) if isinstance(one, int) else torch.device(one) for one in devices]
    gpus = [one for one in named if one.type == "cuda"]
    # A build for ROCm calls its devices "cuda" too; NVIDIA's driver knows nothing of them.
    cuda_version: str | None = vars(torch.version).get("cuda")
    if not gpus or cuda_version is None or not torch.cuda.is_available():
        return []
    return list(dict.fromkeys(_name(one) for one in gpus))


def as_tensors(values: Mapping[str, float]) -> dict[str, torch.Tensor]:
    """Figures as trainers compare them: in full precision, and on the processor, where reading one waits for no GPU."""
    return {name: torch.tensor(value, dtype=torch.float64, device="cpu") for name, value in values.items()}


def _name(gpu: torch.device) -> int | str:
    index: int | None = gpu.index  # None in torch.device("cuda"), whatever the stubs say
    index = torch.cuda.current_device() if index is None else index
    uuid: Any = getattr(torch.cuda.get_device_properties(index), "uuid", None)
    return index if uuid is None else str(uuid)
