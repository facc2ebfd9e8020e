"""The readers of plain values that anybody may have written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.intensity import PowerUsage
from lightning_carbon.errors import NewerSchema, RecordError
from lightning_carbon.ports import Finding
from lightning_carbon.records.fields import (
    MOMENT,
    MOST,
    NAME,
    SIGNED,
    Misfit,
    at,
    at_or,
    check_schema,
    is_name,
    name,
    number,
    one_of,
    plain,
    read,
    read_by,
    reading,
    whole,
)


class Colour(StrEnum):
    """An enumeration."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Leaf:
    """A small thing."""

    size: float
    is_new: bool = False


@dataclass(frozen=True)
class Tree:
    """A thing of every kind of field."""

    title: str
    folder: str = field(metadata=NAME)
    colour: str = field(metadata=one_of(Colour))
    at: str | None = field(metadata=MOMENT)
    count: int = 0
    lean: float = field(default=0.0, metadata=SIGNED)
    leaves: tuple[Leaf, ...] = ()
    best: Leaf | None = None
    by_name: dict[str, dict[str, float]] = field(default_factory=dict)
    facts: dict[str, str | int | None] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    square: int = field(default=0, metadata=read_by(lambda value: whole(value) ** 2))


LEAST: dict[str, Any] = {"title": "oak", "folder": "trees", "colour": "red", "at": None}


def test_every_kind_of_field_is_read() -> None:
    """Nested, in lists and by name; a whole number is a number, and unknown keys are passed over."""
    values = LEAST | {
        "at": "2026-11-21T10:11:12Z",
        "count": 3,
        "lean": -1,
        "leaves": [{"size": 1, "is_new": True}, {"size": 0.5, "later": None}],
        "best": {"size": 2},
        "by_name": {"a": {"b": 1.5}},
        "facts": {"name": "x", "cores": 4, "gpu": None},
        "words": ["leaf"],
        "square": 3,
        "unheard_of": [],
    }
    leaves = (Leaf(1, is_new=True), Leaf(0.5))
    facts: dict[str, str | int | None] = {"name": "x", "cores": 4, "gpu": None}
    wanted = Tree(
        "oak",
        "trees",
        "red",
        "2026-11-21T10:11:12Z",
        3,
        -1,
        leaves,
        Leaf(2),
        {"a": {"b": 1.5}},
        facts,
        ["leaf"],
        9,
    )

    assert wanted == read(Tree, values)
    assert Tree("oak", "trees", "red", None) == read(Tree, LEAST)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"title": 3}, "title is 3, where a text should be"),
        ({"title": "\ud800"}, r"title is '\ud800', where a text of whole characters should be"),
        ({"folder": "../evil"}, "folder is '../evil', where a name of a folder should be"),
        ({"folder": "\ud800"}, r"folder is '\ud800', where a text of whole characters should be"),
        ({"colour": "green"}, "colour is 'green', where one of red, blue should be"),
        ({"colour": []}, "colour is a list, where one of red, blue should be"),
        ({"at": "yesterday"}, "at is 'yesterday', where a moment in ISO 8601 should be"),
        ({"count": True}, "count is True, where a whole number should be"),
        ({"count": 1.0}, "count is 1.0, where a whole number should be"),
        ({"count": -1}, "count is -1, where a figure from 0 on should be"),
        ({"count": 10**5000}, "count is a number of 16,610 bits, where a figure from 0 on should be"),
        ({"lean": math.inf}, "lean is inf, where a figure of any usual size should be"),
        ({"lean": math.nan}, "lean is nan, where a figure of any usual size should be"),
        ({"lean": "9" * 99}, f"lean is '{'9' * 60}'…, where a number should be"),
        ({"leaves": {}}, "leaves is a dict, where a list should be"),
        ({"leaves": [{"size": 1}, {"size": "3e9"}]}, "leaves[1].size is '3e9', where a number should be"),
        ({"leaves": [3]}, "leaves[0] is 3, where a mapping should be"),
        ({"best": {}}, "best.size is missing"),
        ({"best": {"size": 1, "is_new": 1}}, "best.is_new is 1, where true or false should be"),
        ({"by_name": {"a": {"b": None}}}, "by_name.a.b is None, where a number should be"),
        ({"by_name": {"\ud800": {}}}, r"by_name.'\ud800' is '\ud800', where a text of whole characters should be"),
        ({"facts": {"a": 1.5}}, "facts.a is 1.5, where a whole number should be"),
        ({"words": ["a", 3]}, "words[1] is 3, where a text should be"),
    ],
)
def test_what_does_not_fit_is_named_by_its_key(damage: dict[str, Any], said: str) -> None:
    """The error says where it stands, what it is, and what should be there."""
    with pytest.raises(Misfit) as caught:
        read(Tree, LEAST | damage)

    assert said == str(caught.value)


def test_a_value_that_is_no_mapping_at_all_is_refused() -> None:
    """The outermost value has no key."""
    with pytest.raises(RecordError, match=r"^not a tree: it is a list, where a mapping should be$"), reading("a tree"):
        read(Tree, [])


def test_keys_are_read_by_hand_where_there_is_no_dataclass() -> None:
    """A key that is missing has a default, or is named."""
    values = {"a": 1, "b": None}

    assert [1, 7, 7] == [
        at(values, "a", whole),
        at_or(values, "b", whole, default=7),
        at_or(values, "c", whole, default=7),
    ]
    with pytest.raises(Misfit, match=r"^c is missing$"):
        at(values, "c", whole)


def test_a_range_is_said_from_both_ends() -> None:
    """Where there are two."""
    with pytest.raises(Misfit, match=r"it is 1\.5, where a figure from 0 to 1 should be"):
        number(1.5, most=1.0)


@pytest.mark.parametrize(
    ("schema", "error"), [(2, NewerSchema), ("1", Misfit), (math.inf, Misfit), (True, Misfit), (None, Misfit)]
)
def test_a_schema_is_a_whole_number_that_is_known(schema: object, error: type[Exception]) -> None:
    """A later one says so, anything else is none."""
    check_schema({"schema": 1}, 1, "it")
    with pytest.raises(error):
        check_schema({"schema": schema}, 1, "it")


@given(st.text(max_size=300))
def test_a_name_leads_nowhere_else(text: str) -> None:
    """What passes is one step down from where it is put, and prints in one line."""
    if is_name(text):
        assert "/" not in text
        assert text not in {"", ".", ".."}
        assert len(text.encode("utf-8", "replace")) <= 255
        assert not set(text) & set(map(chr, range(32)))


@pytest.mark.parametrize("text", ["", " ", ".", "..", "a/b", "a\\b", "a\nb", "a\x00", "\x1b[31m", "é" * 128, "a\x9b"])
def test_what_cannot_name_a_folder(text: str) -> None:
    """It is empty, leads elsewhere, is too long or steers a terminal."""
    with pytest.raises(Misfit):
        name(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(list(Tree.__dataclass_fields__)) | st.text(), inner)
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_value_is_read_or_refused(value: object) -> None:
    """There is no other error, and what is read has only finite figures of a bounded size."""
    try:
        tree = read(Tree, {**LEAST, **value} if isinstance(value, dict) else value)
    except Misfit:
        return

    assert math.isfinite(tree.lean)
    assert 0 <= tree.count <= MOST


def test_a_field_that_is_not_stored_is_neither_written_nor_read() -> None:
    """A finding's port is an object of this process, whatever a file says of it."""
    absent = Finding("nvml", "all GPUs", reason="no driver", fix="install it")
    stored = plain({"absent": (absent,)})

    assert {"absent": [{"source": "nvml", "subject": "all GPUs", "reason": "no driver", "fix": "install it"}]} == stored
    assert absent == read(Finding, {**stored["absent"][0], "port": "anything"})


def test_a_figure_with_bounds_is_read() -> None:
    """Each of them is a number."""
    pue = PowerUsage(1.5, 1.1, 2.0, "given", assumed=False)

    assert pue == read(PowerUsage, plain(pue))
    with pytest.raises(Misfit, match="low is 'much', where a number should be"):
        read(PowerUsage, plain(pue) | {"low": "much"})
