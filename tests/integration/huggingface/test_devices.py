"""Which accelerators a process of the Trainer computes on."""

from types import SimpleNamespace

import pytest
import torch

from lightning_carbon.integrations.huggingface.trainers import accelerators

CUDA = torch.device("cuda", 1)


@pytest.mark.parametrize(
    ("gpus", "spread", "expected"),
    [
        (1, None, [CUDA]),
        (4, None, [0, 1, 2, 3]),
        (1, {"wte": 0, "h.0": 0, "h.1": 2, "h.2": "cpu", "lm_head": "disk"}, [0, 2]),
        (1, {"": "cuda:3"}, ["cuda:3"]),
        (1, {"": torch.device("cpu")}, []),
        (1, {}, [CUDA]),
    ],
    ids=["one", "DataParallel", "device_map", "device_map by name", "device_map without", "empty device_map"],
)
def test_it_names_the_devices_of_this_process(
    gpus: int, spread: dict[str, object] | None, expected: list[object]
) -> None:
    """One as a rule, all where the model lies on several, and none that the model does not use."""
    args = SimpleNamespace(n_gpu=gpus, device=CUDA)
    model = torch.nn.Linear(1, 1)
    if spread is not None:
        model.hf_device_map = spread  # type: ignore[assignment]  # as accelerate leaves it on a model

    assert expected == accelerators(args, model)
