"""What kind of tracker a thing is, told by the names of its classes: nothing is imported to find out."""

from __future__ import annotations


def is_called(thing: object, name: str) -> bool:
    """Whether the class of a thing, or a base of it, has a name; there are several copies of some classes."""
    return any(base.__name__ == name for base in type(thing).__mro__)
