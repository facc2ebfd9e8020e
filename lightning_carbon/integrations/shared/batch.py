"""Counting the samples and tokens of a batch.

Nothing here waits for a GPU: shapes are mostly enough, and values are read only from tensors on the host. Nothing
imports torch: whatever has a ``shape`` is a tensor, be it torch's, NumPy's or JAX's.

The rules:

* Samples: the first dimension of the first tensor with any. Tensors are looked for in mappings, lists, tuples and
  data classes, to any depth, in order; where there are ``input_ids``, they come first; where these are flat, their
  ``offsets``. Where sequences are packed or flattened into rows, the number of sequences by ``cu_seq_lens_q``,
  ``position_ids`` or ``seq_idx``.
* Tokens: those of ``input_ids``, else of ``tokens``, else of all names that end in ``_input_ids``, where these are
  tensors of integers. Padding does not count where it can be seen on the host: by the ``attention_mask``, else by
  ``position_ids``, else by the ``labels``, which are -100 to the end of a row. Elsewhere all elements count, padding
  included. Without such names: where every tensor of the batch is a matrix of integers (16 bits or more) and all have
  the same shape, as inputs and targets of a language model have, the elements of the first.
* Otherwise ``None``. A user who knows better says so with ``count_batch``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, NamedTuple, TypeGuard

from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.shared.guard import logger
from lightning_carbon.integrations.shared.padding import Packing, is_mask_of, real_tokens

TOKEN_NAMES: Final = ("input_ids", "tokens")
_SEVERAL: Final = "_input_ids"
"""The end of the names of tokens in a batch of pairs, such as ``chosen_input_ids``."""
_TOKEN_TYPES: Final = frozenset({"int16", "int32", "int64", "uint16", "uint32"})
"""The least bytes of an integer that may be a token; a single byte is more likely a pixel or a mask."""
_DEEPEST: Final = 5
_MOST_MOVED: Final = 8
"""The most batches on their way to a step at once; loaders prefetch a few."""


_UNMOVED: Final = (None, None)


class Count(NamedTuple):
    """The samples and tokens of a batch.

    Args:
        samples: The number of samples; ``None`` where it is not known.
        tokens: The number of tokens; ``None`` where it is not known.
        with_padding: Whether padding may be among the tokens; ``None`` where that is not known, as where a user counts.
        padding: How many elements beside the tokens are padding; ``None`` where that is not known.
    """

    samples: int | None = None
    tokens: int | None = None
    with_padding: bool | None = None
    padding: int | None = None


Counted = tuple[int | None, int | None] | tuple[int | None, int | None, int | None]
"""The samples and tokens of a batch, and perhaps the padding beside them; ``None`` for a figure that is not known."""
CountBatch = Callable[[Any], Counted | Count]
"""A function that counts the samples and tokens of a batch, and perhaps its padding."""


def count(batch: object) -> Count:
    """Count the samples and tokens of a batch by the rules above.

    Args:
        batch: The batch of a data loader, of any type.
    """
    # The shape of a packed sequence shows neither, as samples of several lengths are interleaved.
    if hasattr(batch, "batch_sizes"):
        return Count()
    value_of = _getter(batch)
    for name in TOKEN_NAMES:
        ids = value_of(name)
        if ids is not None and _is_tensor(ids) and _is_integer(ids):
            return _count_tokens(name, ids, value_of)
    sides = _sides(batch)
    if sides:
        return _count_sides(sides, value_of)
    tensors = list(_tensors(batch, _DEEPEST))
    if not tensors:
        return Count()
    first = tensors[0]
    shapes = {tuple(tensor.shape) for tensor in tensors}
    alike = len(shapes) == 1 and len(first.shape) == 2 and all(_is_integer(tensor) for tensor in tensors)  # noqa: PLR2004
    return Count(first.shape[0], math.prod(first.shape), with_padding=True) if alike else Count(first.shape[0])


def _count_tokens(name: str, ids: Any, value_of: Callable[[str], Any]) -> Count:  # noqa: ANN401 - a tensor
    """Count a batch of tokens; at every step, so what most batches lack is not looked at again."""
    bounds, places, numbers = value_of("cu_seq_lens_q"), value_of("position_ids"), value_of("seq_idx")
    mask, sequences = value_of("attention_mask"), None
    if (bounds is not None or places is not None or numbers is not None) and not is_mask_of(mask, ids):
        sequences = Packing(bounds, places, numbers).sequences(ids)
    samples = _texts(name, ids, value_of) if sequences is None else sequences
    return Count(samples, *real_tokens(ids, mask, places, labels=value_of("labels")))


def _count_sides(sides: list[tuple[str, Any]], value_of: Callable[[str], Any]) -> Count:
    """Count a batch of pairs."""
    parts = [(ids, value_of(name.removesuffix("input_ids") + "attention_mask")) for name, ids in sides]
    told = [real_tokens(ids, mask) for ids, mask in parts]
    tokens, with_padding = sum(side.number for side in told), any(side.with_padding for side in told)
    return Count(_texts(*sides[0], value_of), tokens, with_padding, _sum([side.padding for side in told]))


def _texts(name: str, ids: Any, value_of: Callable[[str], Any]) -> int:  # noqa: ANN401 - whatever has a shape
    """The number of texts: the rows, or, in a batch for ``torch.nn.EmbeddingBag``, where each begins."""
    shape: tuple[int, ...] = ids.shape
    offsets = value_of(name.removesuffix("input_ids") + "offsets") if len(shape) == 1 else None
    texts: int = shape[0] if offsets is None or not _is_tensor(offsets) else offsets.shape[0]
    return texts


class BatchCounter:
    """Adds up the batches of a step.

    Args:
        count_batch: Counts the samples and tokens of a batch. After it has failed, with a warning, nothing more is
            counted.
    """

    def __init__(self, count_batch: CountBatch) -> None:
        self._count_batch: CountBatch | None = count_batch
        self._counts: list[Count] = []
        self._moved: dict[int, tuple[object, Count]] = {}

    def note_move(self, on_host: object, on_device: object) -> None:
        """Count a batch that is moved to a device, as long as its values can be read without waiting.

        Args:
            on_host: The batch on the host.
            on_device: The batch on the device, which :meth:`add` gets later.
        """
        counted = self._count(on_host)
        if counted is not None:
            # Known by its address and its shape, since a reference would keep it in the memory of the device.
            self._moved[id(on_device)] = (_first_shape(on_device), counted)
            if len(self._moved) > _MOST_MOVED:
                del self._moved[next(iter(self._moved))]

    def add(self, batch: object) -> None:
        """Add a batch to the step."""
        shape, counted = self._moved.pop(id(batch), _UNMOVED) if self._moved else _UNMOVED
        if counted is None or shape != _first_shape(batch):
            counted = self._count(batch)
        if counted is not None:
            self._counts.append(counted)

    def _count(self, batch: object) -> Count | None:
        if self._count_batch is None:
            return None
        try:
            told = self._count_batch(batch)
            if self._count_batch is count and isinstance(told, Count):
                return told
            figures = (told.samples, told.tokens, told.padding) if isinstance(told, Count) else tuple(told)
            samples, tokens, padding = figures if len(figures) > 2 else (*figures, None)  # noqa: PLR2004 - see Counted
            for value in (samples, tokens, padding):
                if value is not None and not isinstance(value, int):  # reading a tensor would mean waiting
                    raise TypeError(f"{value!r} is neither an int nor None")  # noqa: TRY301 - told of below
        except Exception:  # noqa: BLE001 - it may be any function
            self._count_batch = None
            logger.warning("count_batch failed; samples and tokens are not counted from here on", exc_info=True)
            return None
        return told if isinstance(told, Count) else Count(samples, tokens, padding=padding)

    def take(self) -> Count:
        """The counts since the last call; ``None`` for a figure that any batch lacked."""
        counts, self._counts = self._counts, []
        if len(counts) == 1:
            return counts[0]
        told = [counted.with_padding for counted in counts]
        return Count(
            _sum([counted.samples for counted in counts]),
            _sum([counted.tokens for counted in counts]),
            None if not told or None in told else True in told,
            _sum([counted.padding for counted in counts]),
        )


def counter_of(count_batch: object) -> CountBatch:
    """The function that counts batches: the user's, else :func:`count`.

    Args:
        count_batch: A function that takes a batch and returns its samples and tokens, and perhaps the padding beside
            the tokens, each ``None`` where it is not known; or the path to import it from
            (``"package.module.function"``).

    Raises:
        ConfigError: It is neither, or cannot be imported.
    """
    fix = (
        "give a function that takes a batch and returns (samples, tokens) or (samples, tokens, padding), or its import "
        "path, 'module.function'."
    )
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


def _getter(batch: object) -> Callable[[str], Any]:
    """A function that gives what a batch has under a name; ``None`` for nothing."""
    return batch.get if _is_mapping(batch) else lambda name: getattr(batch, name, None)


def _sides(batch: object) -> list[tuple[str, Any]]:
    """The tensors of tokens of a batch of pairs, whose names end in the same way."""
    return [
        (name, value)
        for name, value in (batch.items() if _is_mapping(batch) else ())
        if isinstance(name, str) and name.endswith(_SEVERAL) and _is_tensor(value) and _is_integer(value)
    ]


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether a value is a mapping; to ask an abstract class takes ten times as long as to compare the type."""
    return type(value) is dict or isinstance(value, Mapping)


def _first_shape(batch: object) -> object:
    return next((tuple(tensor.shape) for tensor in _tensors(batch, _DEEPEST)), None)


def _tensors(value: object, depth: int) -> Iterator[Any]:
    if _is_tensor(value):
        yield value
    elif depth:
        for part in _parts(value):
            yield from _tensors(part, depth - 1)


def _parts(value: object) -> list[object]:
    if _is_mapping(value):
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
    dtype = getattr(tensor, "dtype", "")
    try:
        return _is_token_type(dtype)
    except TypeError:  # it cannot be hashed
        return str(dtype).rpartition(".")[2] in _TOKEN_TYPES


@lru_cache(64)
def _is_token_type(dtype: object) -> bool:
    """Remembered, as the name of a type takes more to write than all else that a batch is asked."""
    return str(dtype).rpartition(".")[2] in _TOKEN_TYPES


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
