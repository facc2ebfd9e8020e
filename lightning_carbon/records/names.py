"""Readers of figures by phase and part. Pure.

The writer may have used names of its own, or those of a later version: they are checked, and their number is bounded.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lightning_carbon.energy.phases import MOST_NAMES, is_name
from lightning_carbon.records.fields import Misfit, by_name, mapping, number, read_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_READ: Final = 2 * MOST_NAMES
"""The most names that any version may have written: known names, and a program's own."""

T = TypeVar("T")


def named(value: object, reader: Callable[[object], T]) -> dict[str, T]:
    """Read a mapping from names of phases or parts.

    Args:
        value: The mapping.
        reader: Reads each of its values.

    Raises:
        Misfit: A key cannot be a name, there are too many of them, or a value does not fit.
    """
    told = mapping(value)
    if len(told) > MOST_READ:
        raise Misfit(f"has {len(told)} names, where {MOST_READ} may be")
    if not all(map(is_name, told)):
        raise Misfit("has a key that is no name of a phase or part")
    return by_name(told, reader)


def by_phase(reader: Callable[[object], Any]) -> Mapping[str, Any]:
    """Metadata of a field with a value for each phase."""
    return read_by(partial(named, reader=reader))


def by_part(reader: Callable[[object], Any]) -> Mapping[str, Any]:
    """Metadata of a field with a value for each part of each phase."""
    return by_phase(partial(named, reader=reader))


PHASE_NUMBERS: Final = by_phase(number)
"""Metadata of a field that has a number for each phase."""
PART_NUMBERS: Final = by_part(number)
"""Metadata of a field that has a number for each part of phases."""
