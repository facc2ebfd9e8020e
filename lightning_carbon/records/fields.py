"""Dataclasses as plain values, and the one set of readers for plain values from untrusted files. Pure.

A reader takes a value as JSON has it, checks its type and range and that it is finite, and returns it. Otherwise it
raises a :class:`~lightning_carbon.errors.RecordError` whose message names the key, from the outermost on, such as
``energy.domains[0].joules is '3e9', where a number should be``. A text is not a number, and ``true`` is not 1.

:func:`read` makes a dataclass with them, each field according to its annotation; metadata such as
``field(metadata=NAME)`` say what an annotation cannot. Keys that a dataclass does not know are ignored, since a later
version may have written them, and a field that has a default may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from functools import cache, partial
from types import MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_args, get_origin, get_type_hints

from lightning_carbon.errors import NewerSchema, RecordError
from lightning_carbon.values import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.values import FieldFacts

T = TypeVar("T")
Reader = Callable[[object], Any]

MOST: Final = 2**63 - 1
"""The largest figure: 9.2e12 joules in microjoules, 292 years in nanoseconds. Sums of smaller figures stay finite."""
LATEST_SECONDS: Final = 64_000_000_000.0
"""The latest moment, in seconds since 1970: in the year 3998, with room for the longest run before the year 9999."""
MOST_PROCESSES: Final = 2**31 - 1
"""The largest number of a process or a rank; Linux gives processes numbers below 2^22 (proc(5), pid_max)."""
_LONGEST_NAME_BYTES: Final = 255
"""The longest name in a path on Linux (NAME_MAX in limits.h)."""
_SHOWN: Final = 60
"""The most characters of a value that an error quotes."""
_FIRST_PRINTABLE, _FIRST_C1, _LAST_C1 = " ", "\x7f", "\x9f"


class Misfit(RecordError):
    """A value of the wrong type or out of range.

    Args:
        reason: What is wrong with it.
        key: Its key, from the outermost on; empty for the outermost value.
    """

    def __init__(self, reason: str, key: str = "") -> None:
        super().__init__(reason, key)
        self.reason = reason
        self.key = key

    def __str__(self) -> str:
        """Name the key and the reason, in one line."""
        return f"{self.key or 'it'} {self.reason}"

    def under(self, outer: str) -> Misfit:
        """The same misfit, with an outer key before its own."""
        inner = self.key if not self.key or self.key.startswith("[") else f".{self.key}"
        return Misfit(self.reason, outer + inner)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn a misfit into an error that names what the whole value should have been, such as ``"a record of a run"``.

    Raises:
        RecordError: A value did not fit.
    """
    try:
        yield
    except Misfit as misfit:
        message = f"not {what}: {misfit}"
        raise RecordError(message) from None


def check_schema(values: Mapping[str, object], newest: int, what: str) -> None:
    """Refuse what a later version wrote, before reading anything else of it.

    Raises:
        NewerSchema: It is of a newer schema.
        Misfit: It has no schema.
    """
    schema = at(values, "schema", whole)
    if schema > newest:
        message = f"{what} has schema {schema}, this version reads up to {newest}: upgrade lightning-carbon"
        raise NewerSchema(message)


def text(value: object) -> str:
    """Read a text that can be written as UTF-8: no half of a surrogate pair."""
    if not isinstance(value, str):
        raise _misfit(value, "a text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _misfit(value, "a text of whole characters") from None
    return value


def name(value: object) -> str:
    """Read a name that becomes part of a path."""
    if not is_name(value):
        raise _misfit(value, "a name of a folder")
    return text(value)


def is_name(value: object) -> bool:
    """Whether a value can name a folder: a text of up to 255 bytes, in a single line, that leads nowhere else."""
    return (
        isinstance(value, str)
        and bool(value.strip())
        and value not in {".", ".."}
        and "/" not in value
        and "\\" not in value
        and (value.isprintable() or not any(map(is_control, value)))  # what is printable controls nothing
        and len(value.encode("utf-8", "replace")) <= _LONGEST_NAME_BYTES
    )


def is_control(letter: str) -> bool:
    """Whether a character controls a terminal: C0, DEL or C1 (ECMA-48)."""
    return letter < _FIRST_PRINTABLE or _FIRST_C1 <= letter <= _LAST_C1


def moment(value: object) -> str:
    """Read a moment in ISO 8601."""
    found = text(value)
    try:
        datetime.fromisoformat(found)
    except ValueError:
        raise _misfit(value, "a moment in ISO 8601") from None
    return found


def flag(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise _misfit(value, "true or false")
    return value


def whole(value: object, least: float = 0, most: float = MOST) -> int:
    """Read a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise _misfit(value, "a whole number")
    if not least <= value <= most:
        raise _misfit(value, _range(least, most))
    return value


def number(value: object, least: float = 0.0, most: float = MOST) -> float:
    """Read a finite number, whole or not."""
    # Of what JSON has, one look at the type is enough; a record has two hundred of these.
    if type(value) is not float and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise _misfit(value, "a number")
    if not least <= value <= most:
        raise _misfit(value, _range(least, most))
    return value


def mapping(value: object) -> Mapping[str, object]:
    """Read a mapping whose values are still to be read."""
    if type(value) is not dict and not isinstance(value, Mapping):
        raise _misfit(value, "a mapping")
    return value


def at(values: Mapping[str, object], key: str, reader: Callable[[object], T]) -> T:
    """Read what a mapping has under a key.

    Raises:
        Misfit: The key is missing, or its value does not fit.
    """
    if key not in values:
        raise Misfit("is missing", key)
    try:
        return reader(values[key])
    except Misfit as misfit:
        raise misfit.under(key) from None


def at_or(values: Mapping[str, object], key: str, reader: Callable[[object], T], *, default: T) -> T:
    """Read the value under a key of a mapping, which may be missing, or ``None``."""
    return default if values.get(key) is None else at(values, key, reader)


def each(value: object, reader: Callable[[object], T]) -> tuple[T, ...]:
    """Read a list, entry by entry."""
    if not isinstance(value, (list, tuple)):
        raise _misfit(value, "a list")
    found = []
    for place, item in enumerate(value):
        try:
            found.append(reader(item))
        except Misfit as misfit:
            raise misfit.under(f"[{place}]") from None
    return tuple(found)


def by_name(value: object, reader: Callable[[object], T]) -> dict[str, T]:
    """Read a mapping of any keys to values of the same kind."""
    found = {}
    for key, item in mapping(value).items():
        try:
            found[key if type(key) is str and key.isascii() else text(key)] = reader(item)
        except Misfit as misfit:
            raise misfit.under(_shown(key) if not str(key).isprintable() else str(key)[:_SHOWN]) from None
    return found


def choice(value: object, kind: type[StrEnum]) -> str:
    """Read the value of an enumeration, as a text."""
    if not isinstance(value, str) or value not in _choices(cast("Any", kind)):
        raise _misfit(value, f"one of {', '.join(kind)}")
    return str(value)


@cache
def _choices(kind: type[StrEnum]) -> frozenset[str]:
    return frozenset(map(str, kind))


def read(kind: type[T], value: object) -> T:
    """Make a dataclass of a mapping, each field checked by its annotation.

    Raises:
        Misfit: A key is missing, or a value does not fit.
    """
    values = mapping(value)
    found: dict[str, Any] = {}
    for key, reader, may_be_missing, plain_types in _plan(cast("Any", kind)):
        if key in values:
            item: Any = values[key]
            leaf = type(item)
            # Most of the hundreds of leaves of a record are as they should be, and cost no call.
            if leaf in plain_types and (item is None or (item.isascii() if leaf is str else 0 <= item <= MOST)):
                found[key] = item
                continue
            try:
                found[key] = reader(item)
            except Misfit as misfit:
                raise misfit.under(key) from None
        elif not may_be_missing:
            raise Misfit("is missing", key)
    return kind(**found)


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    """A value as JSON has it: dataclasses as mappings of their stored fields, tuples as lists, all copied."""
    kind = type(value)
    if kind in _LEAVES:
        return value
    if isinstance(value, dict):
        return {key: plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    names = _stored(cast("Any", kind))
    return value if names is None else {name: plain(getattr(value, name)) for name in names}


@cache
def _stored(kind: type) -> tuple[str, ...] | None:
    """The names of the fields of a dataclass that are written down; ``None`` for any other type."""
    fields = fields_of(kind)
    return None if fields is None else tuple(name for name, facts in fields.items() if _is_stored(facts))


def read_by(reader: Reader) -> Mapping[str, Any]:
    """Metadata of a field that a reader of its own reads."""
    return MappingProxyType({"reader": reader})


NAME: Final = read_by(name)
"""Metadata of a field that becomes part of a path."""
MOMENT: Final = read_by(moment)
"""Metadata of a field that is a moment in ISO 8601."""
SECONDS_SINCE_1970: Final = read_by(partial(number, most=LATEST_SECONDS))
"""Metadata of a field that is a moment as a number."""
PROCESS: Final = read_by(partial(whole, least=1, most=MOST_PROCESSES))
"""Metadata of a field that is the number of a process, or how many there are."""
RANK: Final = read_by(partial(whole, most=MOST_PROCESSES))
"""Metadata of a field that is the number of a rank."""
SIGNED: Final = read_by(partial(number, least=-MOST))
"""Metadata of a field that may be negative."""
RATIO: Final = read_by(partial(number, most=1.0))
"""Metadata of a field that is a share of a whole."""


def one_of(kind: type[StrEnum]) -> Mapping[str, Any]:
    """Metadata of a text that is the value of an enumeration."""
    return read_by(partial(choice, kind=kind))


@cache
def _plan(kind: type) -> tuple[tuple[str, Reader, bool, frozenset[type]], ...]:
    """The keys of a dataclass: each with its reader, whether it may be missing, and the types of its plain leaves."""
    hints = get_type_hints(kind)
    plan = []
    for name, facts in (fields_of(kind) or {}).items():
        if _is_stored(facts):
            reader = facts.metadata.get("reader") or _reader_of(hints[name])
            if NoneType in get_args(hints[name]) and "reader" in facts.metadata:
                reader = partial(_optional, reader=reader)
            plan.append((name, reader, facts.may_be_missing, _plain_types(facts, hints[name])))
    return tuple(plan)


def _is_stored(facts: FieldFacts) -> bool:
    """Whether a field is written down; its metadata say so where it is not."""
    return bool(facts.metadata.get("stored", True))


_LEAVES: Final[Mapping[type, Reader]] = {str: text, int: whole, float: number, bool: flag}


def _reader_of(hint: Any) -> Reader:  # noqa: ANN401 - whatever an annotation may be
    if hint in _LEAVES:
        return _LEAVES[hint]
    if fields_of(hint) is not None:
        return partial(read, cast("type", hint))
    arguments = get_args(hint)
    if isinstance(hint, UnionType):
        readers = [_reader_of(argument) for argument in arguments if argument is not NoneType]
        leaves = frozenset({*arguments} & {*_LEAVES})
        reader = readers[0] if len(readers) == 1 else partial(_any_of, readers=readers, leaves=leaves)
        return partial(_optional, reader=reader) if NoneType in arguments else reader
    inner = _reader_of(arguments[-1] if get_origin(hint) is dict else arguments[0])
    if get_origin(hint) is dict:
        return partial(by_name, reader=inner)
    return partial(_as_list, reader=inner) if get_origin(hint) is list else partial(each, reader=inner)


def _plain_types(facts: FieldFacts, hint: Any) -> frozenset[type]:  # noqa: ANN401 - whatever an annotation may be
    """The types whose values a field takes as they are, but for the one check that all of them have in common."""
    kinds = {*(get_args(hint) if isinstance(hint, UnionType) else (hint,))}
    return frozenset(kinds & ({NoneType} if "reader" in facts.metadata else {NoneType, *_LEAVES}))


def _optional(value: object, reader: Reader) -> Any:  # noqa: ANN401 - what the reader returns
    return None if value is None else reader(value)


def _as_list(value: object, reader: Reader) -> list[Any]:
    return list(each(value, reader))


def _any_of(value: Any, readers: list[Reader], leaves: frozenset[type]) -> Any:  # noqa: ANN401 - what a reader returns
    leaf = type(value)
    if leaf in leaves and (value.isascii() if leaf is str else 0 <= value <= MOST):
        return value
    for reader in readers[:-1]:
        try:
            return reader(value)
        except Misfit:
            continue
    return readers[-1](value)


def _range(least: float, most: float) -> str:
    if most == MOST:
        return f"a figure from {least:g} on" if least > -MOST else "a figure of any usual size"
    return f"a figure from {least:g} to {most:g}"


def _misfit(value: object, wanted: str) -> Misfit:
    return Misfit(f"is {_shown(value)}, where {wanted} should be")


def _shown(value: object) -> str:
    """A value for people, however long it is."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}…"
    if isinstance(value, int) and not -MOST <= value <= MOST:
        return f"a number of {value.bit_length():,} bits"
    return repr(value) if isinstance(value, int | float | None) else f"a {type(value).__name__}"
