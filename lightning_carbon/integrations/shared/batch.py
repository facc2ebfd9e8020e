"""How many samples and tokens a batch holds, told from its shape alone.

Nothing here reads a value of a tensor, so nothing waits for a GPU, and nothing imports torch: what has a ``shape`` is a
tensor, be it torch's, NumPy's or JAX's.

The rules:

* Samples: the first dimension of the first tensor that has one. Tensors are looked for in mappings, lists, tuples and
  data classes, to any depth, in order; where there are ``input_ids``, they come first.
* Tokens: all elements of ``input_ids``, else of ``tokens``, where that is a tensor of integers, padding included.
  Without either: where every tensor of the batch is a matrix of integers (16 bits or more) and all have one shape, as
  inputs and targets of a language model have, the elements of one of them.
* Otherwise ``None``. Whoever knows better says so with ``count_batch``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, Final, NamedTuple

from lightning_carbon.errors import ConfigError

TOKEN_NAMES: Final = ("input_ids", "tokens")
_TOKEN_TYPES: Final = frozenset({"int16", "int32", "int64", "uint16", "uint32"})
"""One byte wide they are more likely pixels or masks."""
_DEEPEST: Final = 5


class Count(NamedTuple):
    """What a batch holds.

    Args:
        samples: How many samples, or ``None`` where that cannot be told.
        tokens: How many tokens, or ``None`` where that cannot be told.
    """

    samples: int | None = None
    tokens: int | None = None


CountBatch = Callable[[Any], tuple[int | None, int | None]]
"""Tells samples and tokens of a batch; ``None`` for what it does not know."""


def count(batch: object) -> Count:
    """Tell what a batch holds, by the rules above.

    Args:
        batch: Whatever a data loader gave.
    """
    # Of a packed sequence the shape tells neither: samples of several lengths lie one in the other.
    if hasattr(batch, "batch_sizes"):
        return Count()
    tensors = list(_tensors(batch, _DEEPEST))
    named = _named(batch)
    first = named if named is not None else next(iter(tensors), None)
    if first is None:
        return Count()
    if named is not None:
        return Count(first.shape[0], math.prod(first.shape))
    shapes = {tuple(one.shape) for one in tensors}
    alike = len(shapes) == 1 and len(first.shape) == 2 and all(_is_integer(one) for one in tensors)  # noqa: PLR2004
    return Count(first.shape[0], math.prod(first.shape) if alike else None)


def counter_of(count_batch: CountBatch | str | None) -> CountBatch:
    """What counts batches: what the user gave, else :func:`count`.

    Args:
        count_batch: A function that takes a batch and returns its samples and tokens, either ``None`` where it is not
            known; or where to import it from (``"package.module.function"``).

    Raises:
        ConfigError: It is neither, or cannot be imported.
    """
    fix = "give a function that takes a batch and returns (samples, tokens), or its import path, 'module.function'."
    if count_batch is None:
        return count
    given = count_batch
    if isinstance(count_batch, str):
        module, _, name = count_batch.rpartition(".")
        try:
            given = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError("count_batch", count_batch, f"{fix} ({error})") from error
    if not callable(given):
        raise ConfigError("count_batch", count_batch, fix)
    return given


def _named(batch: object) -> Any:  # noqa: ANN401 - whatever has a shape
    for name in TOKEN_NAMES:
        value = batch.get(name) if isinstance(batch, Mapping) else getattr(batch, name, None)
        if _is_tensor(value) and _is_integer(value):
            return value
    return None


def _tensors(value: object, depth: int) -> Iterator[Any]:
    if _is_tensor(value):
        yield value
    elif depth:
        for part in _parts(value):
            yield from _tensors(part, depth - 1)


def _parts(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    return []


def _is_tensor(value: object) -> bool:
    shape = getattr(value, "shape", None)
    return isinstance(shape, tuple) and len(shape) > 0


def _is_integer(tensor: Any) -> bool:  # noqa: ANN401 - whatever has a shape
    return str(getattr(tensor, "dtype", "")).rpartition(".")[2] in _TOKEN_TYPES
