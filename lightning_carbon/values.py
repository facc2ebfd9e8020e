"""Dataclasses whose methods are made when they are first looked up.

The standard library compiles up to ten methods of a dataclass while its module is imported: 0.4 ms for a frozen class
with slots (CPython 3.11). Starting a meter imports a hundred of them and calls few of their methods. The
:func:`dataclass` of this module means what ``dataclasses.dataclass`` means, but compiles ``__init__`` when the first
object is made, and what compares, hashes, prints and refuses changes needs no compiler. A class that asks for more,
such as one with bases or methods of its own in their place, is made by the standard library.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter, eq, ge, gt, le, lt
from typing import TYPE_CHECKING, Any, Final, Generic, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    _Method = Callable[..., Any]

__all__ = ["dataclass"]

_MADE: Final = frozenset(
    {
        *("__init__", "__post_init__", "__repr__", "__setattr__", "__delattr__", "__getstate__", "__setstate__"),
        *("__eq__", "__hash__", "__lt__", "__le__", "__gt__", "__ge__", "__slots__", "__match_args__"),
    }
)
"""The names that a class leaves to its decorator here."""
_OTHERS: Final = ("InitVar", "KW_ONLY", "typing.", "dataclasses.")
"""How an annotation begins that may make something else of a name than a field."""
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {"__lt__": lt, "__le__": le, "__gt__": gt, "__ge__": ge}


class _Default:
    """Stands in a signature for a default that is made anew for every object."""

    def __repr__(self) -> str:
        """As the standard library shows it."""
        return "<factory>"


_FACTORY: Final = _Default()


class _Late:
    """An attribute of a class that is made when it is first looked up, and gives up its place for that.

    Args:
        make: Makes the attribute of the class.
    """

    def __init__(self, make: Callable[[type], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._home, self._name = owner, name

    def __get__(self, instance: object, owner: type) -> Any:  # noqa: ANN401 - whatever the attribute is
        made = self._make(self._home)
        setattr(self._home, self._name, made)
        bind = getattr(made, "__get__", None)
        return made if bind is None else bind(instance, owner)


def _dataclass(
    cls: type | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    order: bool = False,
    eq: bool = True,
    kw_only: bool = False,
) -> Any:  # noqa: ANN401 - a class, or its decorator
    """Make a dataclass, as ``dataclasses.dataclass`` does.

    Args:
        cls: The class.
        frozen: Whether its objects refuse changes.
        slots: Whether its objects have slots alone.
        order: Whether its objects can be sorted.
        eq: Whether its objects are compared by their fields.
        kw_only: Whether all fields are given by name.
    """
    options = {"frozen": frozen, "slots": slots, "order": order, "eq": eq, "kw_only": kw_only}

    def made(cls: type) -> type:
        return (
            _made_late(cls, options)
            if slots and eq and _is_plain(cls, options)
            else dataclasses.dataclass(**options)(cls)
        )

    return made if cls is None else made(cls)


def _is_plain(cls: type, options: Mapping[str, bool]) -> bool:
    """Whether a class has nothing but fields and methods under names of its own, and so have its bases."""
    bases = [base for base in cls.__bases__ if base not in {object, Generic}]
    return (
        all(base.__dict__.get("__late__", (None, None, None))[2] == options for base in bases)
        and _MADE.isdisjoint(cls.__dict__)
        and not any(str(hint).startswith(_OTHERS) for hint in cls.__annotations__.values())
    )


def _made_late(cls: type, options: Mapping[str, bool]) -> type:
    hints: dict[str, Any] = {}
    fields: dict[str, Field[Any]] = {}
    for base in cls.__bases__:
        if "__late__" in base.__dict__:
            fields |= base.__dict__["__late__"][0]
            hints |= base.__dict__["__late__"][1]
    own = {name: hint for name, hint in cls.__annotations__.items() if not str(hint).startswith("ClassVar")}
    slots = tuple(name for name in own if name not in fields)
    hints |= own
    fields |= {name: _field(cls.__dict__.get(name, MISSING)) for name in own}
    is_by_name = options["kw_only"]

    def known(**options: bool) -> Any:  # noqa: ANN401 - a dataclass
        """The class that the standard library makes of these fields."""
        body: dict[str, Any] = {**fields}
        body |= {"__annotations__": hints, "__module__": cls.__module__, "__doc__": "Else it would be given one."}
        return dataclasses.dataclass(**options)(type(cls.__name__, (), body))

    bare = {"kw_only": is_by_name, "init": False, "repr": False, "eq": False}
    namespace = {name: value for name, value in cls.__dict__.items() if name not in {*own, "__dict__", "__weakref__"}}
    namespace |= {
        "__late__": (fields, hints, options),
        "__qualname__": cls.__qualname__,
        "__slots__": slots,
        "__match_args__": () if is_by_name else tuple(fields),
        "__init__": _Late(lambda made: _init(made, fields, hints, is_by_name=is_by_name)),
        "__repr__": _repr([name for name, field in fields.items() if field.repr]),
        **_comparison([name for name, field in fields.items() if field.compare], options),
        "__dataclass_fields__": _Late(lambda _: known(**bare).__dataclass_fields__),
        "__dataclass_params__": _Late(lambda _: known(**options).__dataclass_params__),
    }
    if options["frozen"]:
        namespace |= _FROZEN
    return type(cls)(cls.__name__, cls.__bases__, namespace)


def _field(default: object) -> Field[Any]:
    """What a class says of a field, or its mere default."""
    return default if isinstance(default, Field) else dataclasses.field(default=cast("Any", default))


def _init(cls: type, fields: Mapping[str, Field[Any]], hints: Mapping[str, Any], *, is_by_name: bool) -> _Method:
    """Compile what makes an object; it fills the slots by their descriptors, which refuse nothing."""
    known: dict[str, Any] = {"_FACTORY": _FACTORY}
    arguments, lines = ["self", "*"] if is_by_name else ["self"], []
    for name, field in fields.items():
        known[f"_set_{name}"] = getattr(cls, name).__set__
        value = name
        if field.default_factory is not MISSING:
            known[f"_make_{name}"] = field.default_factory
            arguments.append(f"{name}=_FACTORY")
            value = f"_make_{name}() if {name} is _FACTORY else {name}"
        elif field.default is not MISSING:
            known[f"_default_{name}"] = field.default
            arguments.append(f"{name}=_default_{name}")
        else:
            arguments.append(name)
        lines.append(f"    _set_{name}(self, {value})")
    text = "\n".join([f"def __init__({', '.join(arguments)}):", *lines])
    # Compiled first: to run a text makes CPython forget that Ctrl-C ends the process, and an exit code would change.
    exec(compile(text, __name__, "exec"), known)  # noqa: S102 - of names of fields
    made: _Method = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {**hints, "return": None}
    return made


def _repr(names: Sequence[str]) -> _Method:
    def shown(self: object) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({values})"

    return shown


def _comparison(names: Sequence[str], options: Mapping[str, bool]) -> dict[str, _Method | None]:
    """What compares and hashes objects by the values of these fields."""
    key = _key(names)
    made: dict[str, _Method | None] = {
        name: _compared(key, compare) for name, compare in _ORDER.items() if options["order"]
    }
    hashed = (lambda self: hash(key(self))) if options["frozen"] else None
    return made | {"__eq__": _compared(key, eq), "__hash__": hashed}


def _key(names: Sequence[str]) -> Callable[[object], tuple[Any, ...]]:
    """What takes the values of these fields."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def _compared(key: Callable[[object], tuple[Any, ...]], compare: Callable[[Any, Any], bool]) -> _Method:
    def compared(self: object, other: object) -> bool:
        return compare(key(self), key(other)) if other.__class__ is self.__class__ else NotImplemented

    return compared


def _refuse_change(_self: object, name: str, _value: object) -> None:
    message = f"cannot assign to field {name!r}"
    raise FrozenInstanceError(message)


def _refuse_removal(_self: object, name: str) -> None:
    message = f"cannot delete field {name!r}"
    raise FrozenInstanceError(message)


def _getstate(self: Any) -> list[Any]:  # noqa: ANN401 - an object of any class here
    return [getattr(self, name) for name in self.__late__[0]]


def _setstate(self: Any, state: Sequence[Any]) -> None:  # noqa: ANN401 - an object of any class here
    for name, value in zip(self.__late__[0], state, strict=True):
        object.__setattr__(self, name, value)


_FROZEN: Final[Mapping[str, _Method]] = {
    "__setattr__": _refuse_change,
    "__delattr__": _refuse_removal,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass
