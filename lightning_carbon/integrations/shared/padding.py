"""Telling tokens from padding in a batch, and counting the sequences in packed rows.

Values are read only from tensors on the host, so nothing waits for a GPU; otherwise the shape counts, padding included.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

_ROWS: Final = 2
"""The number of dimensions of sequences in rows."""
_IGNORED: Final = -100
"""The label that a loss ignores (``torch.nn.CrossEntropyLoss``), which collators pad labels with."""


class Tokens(NamedTuple):
    """The tokens of a batch.

    Args:
        number: How many there are.
        with_padding: Whether padding may be among them, as nothing on the host tells which elements are padding.
        padding: How many elements beside them are padding; ``None`` where that is not known.
    """

    number: int
    with_padding: bool
    padding: int | None = None


class Packing(NamedTuple):
    """The tensors that mark sequences in packed or flattened rows; each is ``None`` where a batch lacks it.

    Args:
        cu_seq_lens_q: Where each sequence begins, and where the last ends, as ``DataCollatorWithFlattening`` gives it.
        position_ids: The place of each token in its sequence.
        seq_idx: The number of each token's sequence.
    """

    cu_seq_lens_q: Any = None
    position_ids: Any = None
    seq_idx: Any = None

    def sequences(self, ids: Any) -> int | None:  # noqa: ANN401 - whatever has a shape
        """The number of sequences; ``None`` where it is not known.

        Args:
            ids: The tokens.
        """
        bounds: tuple[int, ...] = tuple(getattr(self.cu_seq_lens_q, "shape", ()))
        if len(bounds) == 1:
            return max(0, bounds[0] - 1)
        if (places := _values(self.position_ids, ids)) is not None:
            return _begun(places) or None
        if (numbers := _values(self.seq_idx, ids)) is not None:
            rows: int = math.prod(numbers.shape[:-1])
            return int((numbers[..., 1:] != numbers[..., :-1]).sum()) + rows
        return None


def is_mask_of(mask: Any, ids: Any) -> bool:  # noqa: ANN401 - whatever has a shape
    """Whether a mask has an entry for each token."""
    return mask is not None and tuple(getattr(mask, "shape", ())) == tuple(ids.shape)


def real_tokens(
    ids: Any,  # noqa: ANN401 - a tensor
    mask: Any = None,  # noqa: ANN401 - a tensor, or None
    places: Any = None,  # noqa: ANN401 - a tensor, or None
    *,
    labels: Any = None,  # noqa: ANN401 - a tensor, or None
) -> Tokens:
    """Count tokens, without padding where it can be seen on the host, else all elements.

    Args:
        ids: The tokens, with padding.
        mask: The ``attention_mask``, not 0 for a token.
        places: The ``position_ids``, 0 for the first token of a sequence and for padding.
        labels: The ``labels``, -100 for padding.
    """
    shape = tuple(ids.shape)
    size = math.prod(shape)
    if is_mask_of(mask, ids):
        seen = _nonzero(mask)
        return Tokens(size, with_padding=True) if seen is None else _told(seen, size)
    if (known := _values(places, ids)) is not None:
        return _told(int((known != 0).sum()) + _begun(known), size)
    if shape[-1] and (told := _values(labels, ids)) is not None:
        # Of rows, the last column is a list without a copy; a step costs the copy the most.
        last = told[:, -1] if len(shape) == _ROWS else told[..., -1:].ravel()
        if _IGNORED not in last.tolist():
            return _told(size, size)
        # A prompt that the loss ignores is at the beginning of its row, padding at the end.
        is_label = told[..., ::-1] != _IGNORED
        ignored = is_label.argmax(-1) * is_label.any(-1)
        return _told(size - int(ignored.sum()), size)
    return Tokens(size, with_padding=True)


def _told(number: int, size: int) -> Tokens:
    """Tokens of which it is known that all else of so many elements is padding."""
    return Tokens(number, with_padding=False, padding=size - number)


def _begun(places: Any) -> int:  # noqa: ANN401 - an array
    """The number of sequences of two tokens or more; padding has place 0 throughout."""
    return int(((places[..., :-1] == 0) & (places[..., 1:] == 1)).sum())


def _values(tensor: Any, ids: Any) -> Any:  # noqa: ANN401 - an array, or None
    """The values of a tensor of the tokens' shape, as an array; ``None`` where they are not on the host."""
    if tensor is None or not is_mask_of(tensor, ids):
        return None
    if not _is_on_host(tensor):
        return None
    try:
        return _array(tensor)
    except (RuntimeError, TypeError, ValueError):  # torch without NumPy, a type that NumPy does not have
        return None


def _nonzero(tensor: Any) -> int | None:  # noqa: ANN401 - whatever has a shape
    """How many values are not 0; ``None`` where they are not on the host."""
    if not _is_on_host(tensor):
        return None
    # torch counts for half of what an array takes between two computations, when no cache holds what it needs.
    count = getattr(tensor, "count_nonzero", None)
    try:
        return int((_array(tensor) != 0).sum() if count is None else count())
    except (RuntimeError, TypeError, ValueError):  # torch without NumPy, a type that NumPy does not have
        return None


def _array(tensor: Any) -> Any:  # noqa: ANN401 - an array
    return tensor.numpy() if hasattr(tensor, "numpy") else tensor[...]


def _is_on_host(tensor: Any) -> bool:  # noqa: ANN401 - whatever has a shape
    is_cpu = getattr(tensor, "is_cpu", None)  # torch has it, and takes longer to name the device
    if is_cpu is not None:
        return bool(is_cpu)
    device = getattr(tensor, "device", None)
    return getattr(device, "type", device) in {"cpu", None}
