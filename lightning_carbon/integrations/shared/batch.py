"""How many samples and tokens a batch holds, told from its shape alone.

Nothing here reads a value of a tensor, so nothing waits for a GPU, and nothing imports torch: what has a ``shape`` is a
tensor, be it torch's, NumPy's or JAX's.

The rules:

* Samples: the first dimension of the first tensor that has one. Tensors are looked for in mappings, lists, tuples and
  data classes, to any depth, in order; where there are ``input_ids``, they come first.
* Tokens: all elements of ``input_ids``, else of ``tokens``, where that is a tensor of integers, padding included.
  Without either: where every tensor of the batch is a matrix of integers (16 bits or more) and all have one shape, as
  inputs and targets of a language model have, the elements of one of them.
* Otherwise ``None``. A user who knows better says so with ``count_batch``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, Final, NamedTuple

from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.shared.guard import logger

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
    # Of a packed sequence the shape tells neither: samples of several lengths are interleaved.
    if hasattr(batch, "batch_sizes"):
        return Count()
    tensors = list(_tensors(batch, _DEEPEST))
    named = _named(batch)
    first = named if named is not None else next(iter(tensors), None)
    if first is None:
        return Count()
    if named is not None:
        return Count(first.shape[0], math.prod(first.shape))
    shapes = {tuple(tensor.shape) for tensor in tensors}
    alike = len(shapes) == 1 and len(first.shape) == 2 and all(_is_integer(tensor) for tensor in tensors)  # noqa: PLR2004
    return Count(first.shape[0], math.prod(first.shape) if alike else None)


class BatchCounter:
    """Adds up the batches of a step.

    Args:
        count_batch: Tells samples and tokens of a batch. Where it fails, that is warned of, and nothing is counted from
            there on.
    """

    def __init__(self, count_batch: CountBatch) -> None:
        self._count_batch: CountBatch | None = count_batch
        self._counts: list[Count] = []

    def add(self, batch: object) -> None:
        """Count a batch."""
        if self._count_batch is None:
            return
        try:
            counted = Count(*self._count_batch(batch))
            for value in counted:
                if not isinstance(value, int | None):  # a tensor would have to be waited for
                    raise TypeError(f"{value!r} is neither an int nor None")  # noqa: TRY301 - told of below
        except Exception:  # noqa: BLE001 - it may be any function
            self._count_batch = None
            logger.warning("count_batch failed; samples and tokens are not counted from here on", exc_info=True)
            return
        self._counts.append(counted)

    def take(self) -> Count:
        """What was counted since the last time; ``None`` for what a batch among them did not tell."""
        counts, self._counts = self._counts, []
        return Count(_sum([counted.samples for counted in counts]), _sum([counted.tokens for counted in counts]))


def counter_of(count_batch: object) -> CountBatch:
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


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
