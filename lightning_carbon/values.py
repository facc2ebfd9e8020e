"""Dataclasses whose methods are made when they are first looked up.

The standard library compiles up to ten methods of a dataclass while its module is imported: 0.4 ms for a frozen class
with slots (CPython 3.11), and its own import takes 5 ms, most of it for :mod:`inspect`. Starting a meter imports a
hundred of them, makes one or two objects of most, and calls few of their methods. :func:`dataclass`, :func:`field` and
:func:`replace` of this module mean what they mean in :mod:`dataclasses`. But ``__init__`` is compiled when a third
object is made, and what compares, hashes, prints and refuses changes needs no compiler. A class that asks for more,
such as one with bases or methods of its own in their place, is made by the standard library.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter, eq, ge, gt, le, lt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic

if TYPE_CHECKING:
    import dataclasses
    from collections.abc import Callable, Mapping, Sequence

    _Method = Callable[..., Any]

__all__ = ["FieldFacts", "Late", "dataclass", "field", "fields_of", "replace"]

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
_MISSING: Final = object()
_PLAIN_OBJECTS: Final = 2
"""How many objects of a class are made without a compiled method: to compile it takes as long as to make thirty."""


class FieldFacts:
    """What a class says of a field, as ``dataclasses.Field`` holds it.

    Args:
        default: Its default.
        default_factory: Makes its default.
        repr: Whether it is shown.
        compare: Whether it is compared, and hashed.
        metadata: Whatever else is said of it.
    """

    __slots__ = ("compare", "default", "default_factory", "metadata", "repr")

    def __init__(
        self,
        *,
        default: Any = _MISSING,  # noqa: ANN401 - whatever the field holds
        default_factory: Any = _MISSING,  # noqa: ANN401 - a function, or nothing
        repr: bool = True,  # noqa: A002 - the name of the standard library
        compare: bool = True,
        metadata: Mapping[Any, Any] | None = None,
    ) -> None:
        self.default, self.default_factory = default, default_factory
        self.repr, self.compare = repr, compare
        self.metadata = MappingProxyType({}) if metadata is None else metadata

    @property
    def may_be_missing(self) -> bool:
        """Whether it has a default."""
        return self.default is not _MISSING or self.default_factory is not _MISSING

    def value(self) -> Any:  # noqa: ANN401 - whatever the field holds
        """The default of an object that is not given the field."""
        return self.default if self.default_factory is _MISSING else self.default_factory()

    def known(self) -> dataclasses.Field[Any]:
        """The same, as the standard library takes it."""
        from dataclasses import field

        options: dict[str, Any] = {"repr": self.repr, "compare": self.compare, "metadata": self.metadata}
        if self.default is not _MISSING:
            options["default"] = self.default
        if self.default_factory is not _MISSING:
            options["default_factory"] = self.default_factory
        made: dataclasses.Field[Any] = field(**options)
        return made


class Late:
    """An attribute of a class that is made when it is first looked up, and gives up its place for that.

    Args:
        make: Makes the attribute of the class.
    """

    def __init__(self, make: Callable[[type], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        """Note where it stands."""
        self._home, self._name = owner, name

    def __get__(self, instance: object, owner: type) -> Any:  # noqa: ANN401 - whatever the attribute is
        """Make the attribute, and put it here."""
        made = self._make(self._home)
        setattr(self._home, self._name, made)
        bind = getattr(made, "__get__", None)
        return made if bind is None else bind(instance, owner)


class _Init(Late):
    """``__init__`` of a class, whose first objects are made without it.

    Args:
        make: Compiles it.
        fields: The fields.
        is_by_name: Whether they are given by name alone.
    """

    def __init__(self, make: Callable[[type], Any], fields: Mapping[str, FieldFacts], *, is_by_name: bool) -> None:
        super().__init__(make)
        self._fields, self._is_by_name = fields, is_by_name
        self._left = _PLAIN_OBJECTS

    def __get__(self, instance: object, owner: type) -> Any:  # noqa: ANN401 - a method, or what stands in for it
        if instance is None or not self._left:
            return super().__get__(instance, owner)
        self._left -= 1
        return partial(self._fill, instance)

    def _fill(self, instance: object, /, *arguments: object, **values: object) -> None:
        given = {**dict(zip(self._fields, arguments, strict=False)), **values}
        left = [name for name in self._fields if name not in given]
        if (
            len(given) < len(arguments) + len(values)
            or len(given) + len(left) > len(self._fields)
            or (arguments and self._is_by_name)
            or not all(self._fields[name].may_be_missing for name in left)
        ):
            super().__get__(instance, self._home)(*arguments, **values)  # raises, and says what is wrong
        for name in left:
            given[name] = self._fields[name].value()
        for name, value in given.items():
            object.__setattr__(instance, name, value)


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
        return _made_late(cls, options) if slots and _is_plain(cls, options) else _made_known(cls, options)

    return made if cls is None else made(cls)


def fields_of(kind: object) -> Mapping[str, FieldFacts] | None:
    """What a dataclass says of its fields, by their names; ``None`` where the class is none."""
    if not isinstance(kind, type):
        return None
    if "__late__" in kind.__dict__:
        fields: Mapping[str, FieldFacts] = kind.__dict__["__late__"][0]
        return fields
    if not hasattr(kind, "__dataclass_fields__"):
        return None
    from dataclasses import fields as known

    return {field.name: _facts(field) for field in known(kind)}


def _replace(value: Any, /, **changes: Any) -> Any:  # noqa: ANN401 - an object of a dataclass
    """An object with other values in some fields, as ``dataclasses.replace`` makes it."""
    if "__late__" not in type(value).__dict__:
        from dataclasses import replace as known

        return known(value, **changes)
    for name in value.__late__[0]:
        if name not in changes:
            changes[name] = getattr(value, name)
    return type(value)(**changes)


def _is_plain(cls: type, options: Mapping[str, bool]) -> bool:
    """Whether a class has nothing but fields and methods under names of its own, and so have its bases."""
    bases = [base for base in cls.__bases__ if base not in {object, Generic}]
    return (
        all(base.__dict__.get("__late__", (None, None, None))[2] == options for base in bases)
        and _MADE.isdisjoint(cls.__dict__)
        and not any(str(hint).startswith(_OTHERS) for hint in cls.__annotations__.values())
    )


def _made_known(cls: type, options: Mapping[str, bool]) -> type:
    """The dataclass that the standard library makes."""
    from dataclasses import dataclass as known

    for name, value in [*cls.__dict__.items()]:
        if isinstance(value, FieldFacts):
            setattr(cls, name, value.known())
    made: type = known(**options)(cls)
    return made


def _made_late(cls: type, options: Mapping[str, bool]) -> type:
    hints: dict[str, Any] = {}
    fields: dict[str, FieldFacts] = {}
    for base in cls.__bases__:
        if "__late__" in base.__dict__:
            fields |= base.__dict__["__late__"][0]
            hints |= base.__dict__["__late__"][1]
    own = {name: hint for name, hint in cls.__annotations__.items() if not str(hint).startswith("ClassVar")}
    slots = tuple(name for name in own if name not in fields)
    hints |= own
    fields |= {name: _facts(cls.__dict__.get(name, _MISSING)) for name in own}
    is_by_name = options["kw_only"]

    def known(**options: bool) -> Any:  # noqa: ANN401 - a dataclass
        """The class that the standard library makes of these fields."""
        from dataclasses import dataclass

        body: dict[str, Any] = {name: facts.known() for name, facts in fields.items()}
        body |= {"__annotations__": hints, "__module__": cls.__module__, "__doc__": "Else it would be given one."}
        return dataclass(**options)(type(cls.__name__, (), body))

    bare = {"kw_only": is_by_name, "init": False, "repr": False, "eq": False}
    namespace = {name: value for name, value in cls.__dict__.items() if name not in {*own, "__dict__", "__weakref__"}}
    namespace |= {
        "__late__": (fields, hints, options),
        "__qualname__": cls.__qualname__,
        "__slots__": slots,
        "__match_args__": () if is_by_name else tuple(fields),
        "__init__": _Init(
            lambda made: _init(made, fields, hints, is_by_name=is_by_name), fields, is_by_name=is_by_name
        ),
        "__repr__": _repr([name for name, facts in fields.items() if facts.repr]),
        **_comparison([name for name, facts in fields.items() if facts.compare], options),
        "__dataclass_fields__": Late(lambda _: known(**bare).__dataclass_fields__),
        "__dataclass_params__": Late(lambda _: known(**options).__dataclass_params__),
    }
    if options["frozen"]:
        namespace |= _FROZEN
    return type(cls)(cls.__name__, cls.__bases__, namespace)


def _facts(default: Any) -> FieldFacts:  # noqa: ANN401 - whatever a class has under the name of a field
    """What a class says of a field, or its mere default."""
    if isinstance(default, FieldFacts):
        return default
    if type(default).__module__ != "dataclasses":
        return FieldFacts(default=default)
    from dataclasses import MISSING

    given = {name: getattr(default, name) for name in FieldFacts.__slots__}
    return FieldFacts(**{name: value for name, value in given.items() if value is not MISSING})


def _init(cls: type, fields: Mapping[str, FieldFacts], hints: Mapping[str, Any], *, is_by_name: bool) -> _Method:
    """Compile what makes an object; it fills the slots by their descriptors, which refuse nothing."""
    known: dict[str, Any] = {"_FACTORY": _FACTORY}
    arguments, lines = ["self", "*"] if is_by_name else ["self"], []
    for name, facts in fields.items():
        known[f"_set_{name}"] = getattr(cls, name).__set__
        value = name
        if facts.default_factory is not _MISSING:
            known[f"_make_{name}"] = facts.default_factory
            arguments.append(f"{name}=_FACTORY")
            value = f"_make_{name}() if {name} is _FACTORY else {name}"
        elif facts.default is not _MISSING:
            known[f"_default_{name}"] = facts.default
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
    if not options["eq"]:
        return {}
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
    from dataclasses import FrozenInstanceError

    message = f"cannot assign to field {name!r}"
    raise FrozenInstanceError(message)


def _refuse_removal(_self: object, name: str) -> None:
    from dataclasses import FrozenInstanceError

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
    from dataclasses import dataclass, field, replace
else:
    dataclass, field, replace = _dataclass, FieldFacts, _replace
