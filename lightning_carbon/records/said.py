"""What a summary is made of: lines and tables, without their layout. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

NAMES = 3
"""The most things with the same remark that are named; the rest are counted."""

_Key = TypeVar("_Key", bound="Hashable")


class Line(NamedTuple):
    """A line or a paragraph of text.

    Args:
        text: The text.
        first: The beginning of its first line: a label, or the blanks that indent it.
        rest: The beginning of its other lines.
        wraps: Whether it may be broken into lines; a command for copying may not.
    """

    text: str
    first: str = ""
    rest: str = ""
    wraps: bool = True


class Table(NamedTuple):
    """A table of figures.

    Args:
        rows: The cells, as many in every row as there are columns; the first row is the head. Blanks at the beginning
            of a row, two for each level, show what contains it.
        align: ``<`` or ``>`` for every column.
    """

    rows: list[tuple[str, ...]]
    align: str


Section = Table | list[Line]
"""A paragraph of the summary; never empty."""


def item(text: str) -> list[Line]:
    """An entry of a list."""
    return [Line(text, "  ", "    ")]


def grouped(pairs: Iterable[tuple[_Key, str]]) -> Iterator[tuple[_Key, str]]:
    """The keys, each with its names in a single line."""
    groups: dict[_Key, list[str]] = {}
    for key, name in pairs:
        groups.setdefault(key, []).append(name)
    for key, names in groups.items():
        more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
        yield key, ", ".join(names[:NAMES]) + more
