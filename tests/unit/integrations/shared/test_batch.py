"""Samples and tokens of a batch, told from shapes alone."""

import math
from collections import UserDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.shared.batch import BatchCounter, Count, count, counter_of


class Shaped:
    """What can be known of a tensor without waiting for it; anything else is an error."""

    def __init__(self, *shape: int, dtype: str = "torch.float32") -> None:
        self.shape = shape
        self.dtype = dtype


def ids(*shape: int) -> Shaped:
    """A tensor of token numbers."""
    return Shaped(*shape, dtype="torch.int64")


class Pair(NamedTuple):
    """A batch as many collate functions make it."""

    source: object
    target: object


class Named(NamedTuple):
    """A batch that names its tokens."""

    image: object
    input_ids: object


@dataclass
class Example:
    """A batch as a data class."""

    scalar: object
    image: object


IMAGES = Shaped(8, 3, 32, 32)
MASK = Shaped(4, 7, dtype="torch.bool")
SCALAR = Shaped()


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ({"a_input_ids": ids(12), "a_offsets": ids(4), "b_input_ids": ids(9), "b_offsets": ids(4)}, (4, 21)),
        ({"input_ids": ids(12), "offsets": ids(4)}, (4, 12)),
        # Samples: the first tensor with a dimension, wherever it is.
        (IMAGES, (8, None)),
        ([IMAGES, ids(8)], (8, None)),
        ((IMAGES, ids(8)), (8, None)),
        (Pair(IMAGES, SCALAR), (8, None)),
        ({"image": IMAGES, "label": ids(8)}, (8, None)),
        ({"meta": ["a", "b"], "scale": SCALAR, "image": IMAGES}, (8, None)),
        ({"left": {"image": IMAGES}, "right": {"image": Shaped(2, 3)}}, (8, None)),
        ([[IMAGES], "text"], (8, None)),
        (Example(SCALAR, IMAGES), (8, None)),
        # Tokens by name; the named tensor tells the samples, too.
        ({"input_ids": ids(4, 7)}, (4, 28)),
        ({"attention_mask": MASK, "input_ids": ids(4, 7), "labels": ids(4)}, (4, 28)),
        (UserDict({"attention_mask": MASK, "input_ids": ids(4, 7)}), (4, 28)),
        ({"pixels": Shaped(9, 3), "tokens": ids(4, 7)}, (4, 28)),
        ({"tokens": ids(4, 7), "input_ids": ids(4, 5)}, (4, 20)),
        (Named(IMAGES, ids(4, 7)), (4, 28)),
        ({"input_ids": ids(4, 2, 7)}, (4, 56)),
        ({"input_ids": Shaped(4, 7, dtype="int32")}, (4, 28)),
        # A matrix of integers, or several alike, are token numbers.
        (ids(4, 7), (4, 28)),
        ((ids(4, 7), ids(4, 7)), (4, 28)),
        ([ids(4, 7)], (4, 28)),
        # Here tokens may be something else, or counted twice, or not counted at all: absent.
        ((ids(4, 7), ids(4, 9)), (4, None)),
        ((ids(4, 7), ids(4)), (4, None)),
        ((ids(4, 7), Shaped(4, 7)), (4, None)),
        (ids(28), (28, None)),
        (Shaped(4, 7, dtype="torch.uint8"), (4, None)),
        ({"tokens": 28, "image": IMAGES}, (8, None)),
        ({"input_ids": Shaped(4, 7)}, (4, None)),
        ({"tokens": SCALAR, "image": IMAGES}, (8, None)),
        # Nothing to go by.
        (None, (None, None)),
        (7, (None, None)),
        ("text", (None, None)),
        (["some", "texts"], (None, None)),
        ({}, (None, None)),
        (SCALAR, (None, None)),
        ([[[[[[[IMAGES]]]]]]], (None, None)),
    ],
)
def test_a_batch_is_counted_by_its_shape(batch: object, expected: tuple[int | None, int | None]) -> None:
    """The rules hold for tensors, mappings, lists, tuples, named tuples and data classes."""
    assert expected == count(batch)[:2]


def test_a_packed_sequence_is_not_guessed_at() -> None:
    """Where samples lie one in the other, the first dimension is none of theirs."""

    class Packed(NamedTuple):
        """As torch packs sequences."""

        data: object
        batch_sizes: object

    assert Count(None, None) == count(Packed(Shaped(19, 4), ids(5)))


shapes = st.lists(st.integers(0, 64), min_size=1, max_size=4).map(tuple)


@given(shapes, st.lists(st.sampled_from(["list", "tuple", "dict"]), max_size=4))
def test_wrapping_changes_no_count(shape: tuple[int, ...], wrappers: list[str]) -> None:
    """A batch counts the same in a list, a tuple or a mapping."""
    wrap: dict[str, Callable[[object], object]] = {
        "list": lambda batch: [batch],
        "tuple": lambda batch: (batch,),
        "dict": lambda batch: {"batch": batch},
    }
    plain = wrapped = ids(*shape)
    for name in wrappers:
        wrapped = wrap[name](wrapped)  # type: ignore[assignment]

    assert count(plain) == count(wrapped)


@given(shapes)
def test_named_tokens_are_all_elements(shape: tuple[int, ...]) -> None:
    """What is named tokens is counted whole, whatever its shape."""
    assert Count(shape[0], math.prod(shape), with_padding=True) == count({"input_ids": ids(*shape)})


def test_batches_of_a_step_have_padding_where_one_of_them_has(caplog: pytest.LogCaptureFixture) -> None:
    """What is unknown of a batch is unknown of the step; a user's count is such, and has two or three figures."""
    masked, unmasked = {"input_ids": ids(4, 7), "attention_mask": np.ones((4, 7))}, {"input_ids": ids(4, 7)}
    counter = BatchCounter(count)

    def told(*batches: object) -> bool | None:
        for batch in batches:
            counter.add(batch)
        return counter.take().with_padding

    users = BatchCounter(three)
    users.add(masked)

    assert [False, False, None] == [told(masked), told(masked, masked), told()]
    assert [True, True, None] == [told(unmasked), told(masked, unmasked), told(masked, IMAGES)]
    assert Count(3) == users.take()

    BatchCounter(lambda _: (1, 2, 3, 4)).add(masked)  # type: ignore[arg-type, return-value]

    assert "count_batch failed" in caplog.text


def test_batches_of_a_step_add_up_their_padding() -> None:
    """Unless that of any batch is not known."""
    mask = np.ones((4, 7))
    mask[:, 5:] = 0
    masked, unmasked = {"input_ids": ids(4, 7), "attention_mask": mask}, {"input_ids": ids(4, 7)}
    counter = BatchCounter(count)

    def padding_of(*batches: object) -> int | None:
        for batch in batches:
            counter.add(batch)
        return counter.take().padding

    assert [8, 16, None] == [padding_of(masked), padding_of(masked, masked), padding_of(masked, unmasked)]


def test_padding_that_a_user_counts_stands_beside_the_tokens() -> None:
    """A third figure is padding; whoever tells two leaves it unknown."""
    told: list[tuple[int | None, ...]] = [(4, 20, 8), (4, 20, None), (4, 20)]
    counters = [BatchCounter(lambda _, figures=figures: figures) for figures in told]  # type: ignore[misc]
    for counter in counters:
        counter.add(IMAGES)

    assert [Count(4, 20, padding=8), Count(4, 20), Count(4, 20)] == [counter.take() for counter in counters]


def three(_batch: object) -> tuple[int, None]:
    """Say three samples."""
    return 3, None


def test_what_counts_is_the_users_choice() -> None:
    """A function, or where it is to be imported from, takes the place of the rules."""
    assert (count, three) == (counter_of(None), counter_of(three))
    assert (3, None) == counter_of(f"{__name__}.three")(IMAGES)


@pytest.mark.parametrize(
    "given_value",
    ["", "three", ".three", "no_such_module.three", f"{__name__}.four", f"{__name__}.IMAGES", 3, object()],
)
def test_what_cannot_count_is_refused(given_value: Any) -> None:  # noqa: ANN401 - anything
    """What is no function and leads to none is an error that says what would do."""
    with pytest.raises(ConfigError, match=r"count_batch=.*\(samples, tokens\)"):
        counter_of(given_value)
