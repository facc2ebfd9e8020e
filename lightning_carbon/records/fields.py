"""Reading dataclasses from plain values that may know more, or less, than this version does."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def known(kind: type[T], values: dict[str, Any]) -> T:
    """Build a dataclass from the keys that it knows.

    Raises:
        TypeError: A key without a default is missing.
    """
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: value for name, value in values.items() if name in names})
