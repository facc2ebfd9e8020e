"""Dataclasses as plain values, as JSON has them, and back from plain values that may know more, or less."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import Field

T = TypeVar("T")


def known(kind: type[T], values: dict[str, Any]) -> T:
    """Build a dataclass from the keys that it knows and stores.

    Raises:
        TypeError: A key without a default is missing.
    """
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: value for name, value in values.items() if name in names and _is_stored(names[name])})


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    """A value as JSON has it: dataclasses as mappings of the fields that are stored, tuples as lists, all copied."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value) if _is_stored(field)}
    if isinstance(value, dict):
        return {key: plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _is_stored(field: Field[Any]) -> bool:
    """Whether a field is part of what is written down; the field itself says so where it is not."""
    return bool(field.metadata.get("stored", True))
