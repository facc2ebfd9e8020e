"""Recognizing trackers by the names of their classes, without imports."""

from __future__ import annotations


def is_called(thing: object, name: str) -> bool:
    """Whether the class of an object, or a base of it, has a name, since some classes exist in several copies."""
    return any(base.__name__ == name for base in type(thing).__mro__)
