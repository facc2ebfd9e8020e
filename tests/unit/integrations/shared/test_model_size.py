"""The number of parameters of a model, trained and frozen."""

from __future__ import annotations

import torch

from lightning_carbon.integrations.shared.model_size import model_size


class Params4bit(torch.nn.Parameter):
    """A parameter as bitsandbytes holds weights of four bits: two to a byte."""


class FullyShardedDataParallel(torch.nn.Module):
    """A wrapper that divides the parameters in it among ranks."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module


def test_frozen_parameters_count_and_shared_parameters_count_once() -> None:
    """A layer of 4 x 3 + 3 that is frozen, and one of 3 x 3 whose weights are those of another, too."""
    first, second, third = torch.nn.Linear(4, 3), torch.nn.Linear(3, 3, bias=False), torch.nn.Linear(3, 3, bias=False)
    first.requires_grad_(requires_grad=False)
    third.weight = second.weight

    assert (24, 9) == model_size(torch.nn.Sequential(first, second, third))


def test_packed_and_partitioned_parameters_count_as_what_they_stand_for() -> None:
    """Of bitsandbytes' four bits two lie in a byte, and DeepSpeed keeps the whole number beside its share."""
    model = torch.nn.Linear(4, 3, bias=False)
    model.weight = Params4bit(torch.zeros(6, 1, dtype=torch.uint8), requires_grad=False)
    partitioned = torch.nn.Linear(1, 1, bias=False)
    partitioned.weight.ds_numel = 100  # type: ignore[attr-defined]  # as DeepSpeed adds it

    assert (12, 0) == model_size(model)
    assert (100, 100) == model_size(partitioned)


def test_what_cannot_be_counted_has_no_size() -> None:
    """What is no model, a rank's share of a model, and a model whose shapes are not known yet."""
    unknown = [None, object(), FullyShardedDataParallel(torch.nn.Linear(4, 3)), torch.nn.LazyLinear(3)]

    assert [None] * 4 == [model_size(model) for model in unknown]
