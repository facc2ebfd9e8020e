"""Tokens without their padding, and the sequences in packed rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.integrations.shared.batch import Count, count

lengths_of_rows = st.lists(st.integers(1, 12), min_size=1, max_size=6)
lengths_of_sequences = st.lists(st.integers(2, 12), min_size=1, max_size=6)


class OnDevice:
    """A tensor on an accelerator: its shape is known, its values would have to be waited for."""

    def __init__(self, array: Any) -> None:  # noqa: ANN401 - an array
        self.shape = array.shape
        self.dtype = array.dtype
        self.device = type("device", (), {"type": "cuda"})()


def padded(lengths: list[int], *, at_front: bool = False) -> dict[str, Any]:
    """Rows of tokens, padded to the longest, and their mask."""
    width = max(lengths)
    mask = np.zeros((len(lengths), width), dtype=np.int64)
    for row, length in enumerate(lengths):
        mask[row, width - length if at_front else 0 : width if at_front else length] = 1
    return {"input_ids": np.arange(mask.size).reshape(mask.shape), "attention_mask": mask}


def padding_of(lengths: list[int]) -> int:
    """The padding of rows that are padded to the longest."""
    return len(lengths) * max(lengths) - sum(lengths)


def flattened(lengths: list[int]) -> dict[str, Any]:
    """Sequences in a single row, as transformers' ``DataCollatorWithFlattening`` lays them."""
    places = np.concatenate([np.arange(length) for length in lengths])
    return {"input_ids": np.ones((1, places.size), dtype=np.int64), "position_ids": places[None]}


@given(lengths_of_rows, st.booleans())
def test_padding_is_no_token(lengths: list[int], at_front: bool) -> None:  # noqa: FBT001 - drawn
    """The mask tells what is one, wherever the padding is, and whatever the mask is made of."""
    batch = padded(lengths, at_front=at_front)
    masks = [batch["attention_mask"].astype(kind) for kind in (np.int64, np.bool_, np.float32)]
    expected = Count(len(lengths), sum(lengths), with_padding=False, padding=padding_of(lengths))

    assert [expected] * 3 == [count({**batch, "attention_mask": mask}) for mask in masks]


@given(lengths_of_rows)
def test_labels_tell_padding_where_there_is_no_mask(lengths: list[int]) -> None:
    """What the loss ignores at the end of a row is padding; a prompt that it ignores at the front is not."""
    batch = padded(lengths)
    mask = batch.pop("attention_mask")
    labels = np.where(mask == 1, batch["input_ids"], -100)
    labels[np.array(lengths) > 1, 0] = -100

    expected = Count(len(lengths), sum(lengths), with_padding=False, padding=padding_of(lengths))

    assert expected == count({**batch, "labels": labels})


@given(lengths_of_sequences)
def test_sequences_in_a_row_are_samples(lengths: list[int]) -> None:
    """By the places of tokens, the bounds or the numbers of sequences, whichever there is."""
    batch = flattened(lengths)
    ids = {"input_ids": batch["input_ids"]}
    bounds = {**ids, "cu_seq_lens_q": np.cumsum([0, *lengths]).astype(np.int32)}
    numbers = {**ids, "seq_idx": np.repeat(np.arange(len(lengths)), lengths)[None]}

    counts = list(map(count, (batch, bounds, numbers)))

    assert [(len(lengths), sum(lengths))] * 3 == [counted[:2] for counted in counts]
    assert [False, True, True] == [counted.with_padding for counted in counts]


@given(lengths_of_sequences, st.integers(0, 5))
def test_padding_behind_packed_sequences_is_neither(lengths: list[int], padding: int) -> None:
    """A collator pads the places of packed rows with 0, which begins no sequence."""
    batch = flattened(lengths)
    widened = {name: np.pad(array, ((0, 0), (0, padding))) for name, array in batch.items()}

    assert Count(len(lengths), sum(lengths), with_padding=False, padding=padding) == count(widened)


@given(lengths_of_rows)
def test_pairs_count_both_sides(lengths: list[int]) -> None:
    """Preferences come as several tensors of tokens, each with a mask of its own."""
    chosen, rejected = padded(lengths), padded(lengths[::-1], at_front=True)
    batch = {f"chosen_{name}": array for name, array in chosen.items()}
    batch |= {f"rejected_{name}": array for name, array in rejected.items()}

    expected = Count(len(lengths), 2 * sum(lengths), with_padding=False, padding=2 * padding_of(lengths))

    assert expected == count(batch)
    assert count({**batch, "rejected_attention_mask": None}).with_padding


@given(lengths_of_rows)
def test_what_lies_on_a_device_is_counted_by_its_shape(lengths: list[int]) -> None:
    """Reading it would wait for the device, so padding is included, and the count says so."""
    batch = {name: OnDevice(array) for name, array in padded(lengths).items()}

    assert Count(len(lengths), len(lengths) * max(lengths), with_padding=True) == count(batch)


@pytest.mark.parametrize("name", ["attention_mask", "position_ids", "labels", "seq_idx"])
def test_what_has_another_shape_tells_nothing(name: str) -> None:
    """A mask of pairs of tokens, the label of a sequence: no statement on each token."""
    ids = np.ones((2, 3), dtype=np.int64)

    assert Count(2, 6, with_padding=True) == count({"input_ids": ids, name: np.zeros((2, 1, 3, 3), dtype=np.int64)})
    assert Count(2, 6, with_padding=True) == count({"input_ids": ids, name: np.zeros(2, dtype=np.int64)})
