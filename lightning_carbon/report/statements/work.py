"""The arithmetic of a training in floating-point operations, as given or from its parameters and tokens. Pure."""

from __future__ import annotations

from typing import Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.values import dataclass

OPERATIONS_PER_PARAMETER_AND_TOKEN: Final = 6
"""Two for the forward pass and four for the backward pass of each parameter and token (Kaplan et al., Scaling Laws for
Neural Language Models, 2020, arXiv:2001.08361, table 1 and the text below it)."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The floating-point operations of a training.

    Args:
        flop: Their number.
        method: How the number came about.
    """

    flop: float
    method: str


def arithmetic_of(flop: float | None, params: float | None, tokens: int | None) -> Arithmetic | None:
    """The floating-point operations of a training, or ``None`` where they cannot be known.

    Args:
        flop: Their number, if the user gives it.
        params: The parameters of the model that each token passes, if the user gives them.
        tokens: The tokens of the training, where the records know them.

    Raises:
        ConfigError: A number is not positive, or both are given.
    """
    for name, value in (("flop", flop), ("params", params)):
        if value is not None and not 0 < value < float("inf"):
            raise ConfigError(name, value, "give a number above 0, such as 1e18.")
    if flop is not None and params is not None:
        raise ConfigError("flop", flop, "--params is given too, and one of them must decide; leave one out.")
    if flop is not None:
        return Arithmetic(flop, "given by the provider")
    if params is None or not tokens:
        return None
    number = OPERATIONS_PER_PARAMETER_AND_TOKEN * params * tokens
    method = f"6 x {params:.4g} parameters x {tokens:.4g} tokens (Kaplan et al. 2020), without recomputation"
    return Arithmetic(number, method)
