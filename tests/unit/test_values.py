"""Dataclasses that are made late behave as those of the standard library, whose decorator is the reference here."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, astuple, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_type_hints

import pytest

from lightning_carbon import values
from lightning_carbon.units import Energy, Power

if TYPE_CHECKING:
    from collections.abc import Callable

Amount = TypeVar("Amount")
OURS: Callable[..., Any] = values.dataclass
FORMS: dict[str, dict[str, bool]] = {
    "frozen": {"frozen": True},
    "ordered": {"frozen": True, "order": True},
    "by name": {"frozen": True, "kw_only": True},
    "changing": {},
}


def made(decorator: Callable[..., Any], **options: bool) -> Any:  # noqa: ANN401 - a dataclass
    """The same class by either decorator."""

    class Draw:
        """A draw of power."""

        name: str
        watts: float = 1.0
        tags: dict[str, int] = field(default_factory=dict, compare=False)
        note: str | None = field(default=None, repr=False, metadata={"stored": False})
        MOST: ClassVar[float] = 700.0

        def doubled(self) -> float:
            """Twice the power."""
            return 2 * self.watts

    return decorator(slots=True, **options)(Draw)


@pytest.fixture(params=FORMS.values(), ids=list(FORMS))
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """A class by this decorator, and the same class by the standard library's."""
    return made(OURS, **request.param), made(dataclasses.dataclass, **request.param)


def outcome(call: Callable[..., object], *arguments: object) -> object:
    """What a call returns, or the type of what it raises."""
    try:
        return call(*arguments)
    except (TypeError, ValueError) as error:
        return type(error)


def test_objects_are_made_shown_and_listed_alike(pair: tuple[Any, Any]) -> None:
    """Arguments, defaults, defaults made anew, texts, mappings and tuples are those of the standard library."""
    calls: list[Callable[[Any], object]] = [
        lambda kind: repr(kind(name="a")),
        lambda kind: repr(kind("a", 2.0)),
        lambda kind: kind(),
        lambda kind: kind(name="a", volts=1),
        lambda kind: kind("a", name="b"),
        lambda kind: kind("a", 1.0, {}, None, 2),
        lambda kind: asdict(kind(name="a", note="b")),
        lambda kind: astuple(kind(name="a", watts=3.0, tags={"b": 1})),
        lambda kind: asdict(replace(kind(name="a"), watts=5.0)),
        lambda kind: kind(name="a").tags is kind(name="b").tags,
        lambda kind: kind(name="a", watts=4.0).doubled(),
        lambda kind: (kind.MOST, kind.__slots__, kind.__match_args__, kind.__doc__, kind.__qualname__),
        lambda kind: [(known.name, known.default, known.metadata) for known in fields(kind)],
        lambda kind: (is_dataclass(kind), repr(kind.__dataclass_params__)),
        lambda kind: str(inspect.signature(kind)),
        get_type_hints,
        lambda kind: asdict(copy.copy(kind(name="a", watts=2.0))),
    ]
    ours, theirs = pair

    assert [outcome(call, theirs) for call in calls] == [outcome(call, ours) for call in calls]


def test_objects_are_compared_hashed_and_sorted_alike(pair: tuple[Any, Any]) -> None:
    """Fields that are not compared do not count, other classes are never equal, and only ordered objects are sorted."""

    def seen(kind: Any) -> list[object]:  # noqa: ANN401 - a dataclass
        low, high = kind(name="a", watts=1.0), kind(name="a", watts=2.0)
        return [
            low == kind(name="a", watts=1.0, tags={"b": 1}),
            low == high,
            low == ("a", 1.0),
            outcome(lambda: hash(low) == hash(kind(name="a"))),
            outcome(lambda: (low < high, low <= high, low > high, low >= high)),
            outcome(lambda: low < "a"),
        ]

    ours, theirs = pair

    assert seen(theirs) == seen(ours)


def test_frozen_objects_refuse_changes() -> None:
    """A field is neither assigned nor deleted, and the error names it."""
    draw = made(OURS, frozen=True)("a")

    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'watts'"):
        draw.watts = 2.0
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'watts'"):
        del draw.watts


def test_frozen_objects_are_pickled() -> None:
    """Other processes get an equal object."""
    assert Power(3.0) == pickle.loads(pickle.dumps(Power(3.0)))  # noqa: S301 - our own bytes


def test_classes_of_a_field_are_hashed_by_it() -> None:
    """Values of a single field can be keys and can be sorted."""
    assert {Energy(1): "a"} == {Energy(1): "a"}
    assert [Energy(1), Energy(2)] == sorted([Energy(2), Energy(1)])
    assert {Energy(1): 1, Power(1): 2} != {Energy(1): 2}


def related(decorator: Callable[..., Any]) -> tuple[Any, Any]:
    """A generic class and its heir, by either decorator."""

    @decorator(frozen=True, slots=True)
    class Between(Generic[Amount]):
        """Two ends."""

        low: Amount
        high: Amount

    @decorator(frozen=True, slots=True)
    class Known(Between[float]):
        """With a value, and a high end by default."""

        value: float = 1.0
        high: float = 2.0

    return Between, Known


@pytest.mark.parametrize(
    "call",
    [
        lambda _, known: astuple(known(0.5)),
        lambda between, known: (repr(known(0.5)), repr(between("a", "b"))),
        lambda _, known: str(inspect.signature(known)),
        lambda _, known: (known.__slots__, known.__match_args__, [field.name for field in fields(known)]),
        lambda between, known: known(0.5) == known(0.5, 2.0) != between(0.5, 2.0),
        lambda _, known: asdict(replace(known(0.5), low=0.1)),
        lambda _, known: asdict(copy.copy(known(0.5))),
        lambda between, known: issubclass(known, between) and between[int].__args__,
    ],
)
def test_heirs_have_the_fields_of_their_bases(call: Callable[[Any, Any], object]) -> None:
    """Those of a base come first, in the order of the base, with the defaults of the heir."""
    assert call(*related(dataclasses.dataclass)) == call(*related(OURS))


def test_what_asks_for_more_is_made_by_the_standard_library() -> None:
    """Methods in place of those that are made, and classes without slots, are not made late."""

    @values.dataclass(frozen=True, slots=True)
    class Checked:
        """With a check."""

        name: str

        def __post_init__(self) -> None:
            if not self.name:
                raise ValueError("no name")

    @values.dataclass
    class Loose:
        """Without slots."""

        name: str

    assert ValueError is outcome(Checked, "")
    assert {"name": "a"} == vars(Loose("a"))


def test_a_plain_subclass_calls_the_method_of_its_parent() -> None:
    """A class without the decorator extends ``__init__``, whichever of the two makes the first object."""

    class Hot(made(OURS)):  # type: ignore[misc]
        """With more to do."""

        def __init__(self, name: str) -> None:
            super().__init__(name, 700.0)

    assert 1_400.0 == Hot("a").doubled()
    assert 1_400.0 == Hot("b").doubled()


@pytest.mark.parametrize("decorator", [OURS(slots=True), values.dataclass, dataclasses.dataclass])
def test_fields_are_known_whoever_made_the_class(decorator: Callable[[type], type]) -> None:
    """Names, metadata, and which fields have a default are as the class states."""

    class Draw:
        """A draw of power."""

        name: str
        note: str | None = field(default=None, metadata={"stored": False})
        tags: dict[str, int] = field(default_factory=dict)

    known = values.fields_of(decorator(Draw))

    assert known is not None
    assert {"name": False, "note": True, "tags": True} == {name: facts.may_be_missing for name, facts in known.items()}
    assert {"stored": False} == known["note"].metadata


@pytest.mark.parametrize("kind", [int, list[int], None])
def test_what_is_no_dataclass_has_no_fields(kind: object) -> None:
    """Other classes, and what is no class, have none."""
    assert values.fields_of(kind) is None


@pytest.mark.parametrize("decorator", [OURS(slots=True), values.dataclass])
def test_fields_are_stated_without_the_standard_library(decorator: Callable[[type], Any]) -> None:
    """A default made anew for every object, and what else a field may be told."""

    class Draw:
        """A draw of power."""

        tags: dict[str, int] = values.field(default_factory=dict, compare=False, repr=False)

    kind = decorator(Draw)

    assert {} == kind().tags is not kind().tags
    assert kind({"tagged": 1}) == kind()
    assert "tagged" not in repr(kind({"tagged": 1}))


def test_objects_that_are_not_compared_are_themselves() -> None:
    """Without comparison, two objects of the same values differ, and each can be a key."""

    @values.dataclass(slots=True, eq=False)
    class Mark:
        """A mark."""

        at_ns: int = 0

    first, second = Mark(), Mark()

    assert first != second
    assert 2 == len({first, second})


def test_fields_of_a_class_that_the_standard_library_makes_are_replaced() -> None:
    """An object of any dataclass gets another value in a field."""

    @values.dataclass
    class Loose:
        """Without slots."""

        name: str

    assert Loose("b") == values.replace(Loose("a"), name="b")
    assert Power(2.0) == values.replace(Power(1.0), watts=2.0)
