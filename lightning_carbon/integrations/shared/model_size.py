"""The number of parameters of a model of torch, trained and frozen, without a value of any being read."""

from __future__ import annotations

from typing import Any, Final

_SHARDED: Final = "FullyShardedDataParallel"
"""The wrapper whose parameters are a rank's share of those of the model."""


def model_size(model: Any) -> tuple[int, int] | None:  # noqa: ANN401 - a model of any library
    """The number of parameters of a model, and of those that are trained.

    A parameter that several modules share counts once.

    Args:
        model: A model of torch, also after PEFT, bitsandbytes or DeepSpeed has changed it.

    Returns:
        ``None`` where a number is not known: of what is no model, where a rank sees its own share alone, and while a
        parameter has no shape yet.
    """
    parameters = getattr(model, "parameters", None)
    if not callable(parameters) or any(type(part).__name__ == _SHARDED for part in model.modules()):
        return None
    try:
        sizes = [(_size(parameter), bool(parameter.requires_grad)) for parameter in parameters()]
    except ValueError:  # as torch raises of a lazy module's parameter, which has no shape yet
        return None
    return sum(size for size, _ in sizes), sum(size for size, is_trained in sizes if is_trained)


def _size(parameter: Any) -> int:  # noqa: ANN401 - a parameter of any library
    """The number of weights of a parameter; two of those of 4 bits lie in a byte, and DeepSpeed keeps shares alone."""
    if type(parameter).__name__ == "Params4bit":
        return int(parameter.numel() * parameter.element_size() * 2)
    return int(getattr(parameter, "ds_numel", None) or parameter.numel())
