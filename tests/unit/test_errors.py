"""The errors: one tree, messages that name the thing and the fix, and the way through a process boundary."""

from __future__ import annotations

import pickle

import pytest

from lightning_carbon import errors
from lightning_carbon.errors import (
    ConfigError,
    LedgerError,
    LedgerLost,
    LightningCarbonError,
    ReadFailed,
    RecordError,
    SourceError,
    SourceLost,
    SourceUnavailable,
    StudyError,
    UnknownRegion,
    UsageError,
)

ONE_OF_EACH = (
    ConfigError("pue", 0.5, "give a number from 1.0 up."),
    UnknownRegion("SWEDEN", ["SE", "SWE"]),
    UsageError("row before start"),
    SourceUnavailable("rapl", "root only", "sudo chmod"),
    ReadFailed("timeout"),
    SourceLost("fell off the bus"),
    LedgerError("disk full"),
    LedgerLost("disk full"),
    StudyError("too short"),
    RecordError("no record"),
)


def test_every_error_is_in_the_tree_that_the_docstring_draws() -> None:
    """One `except LightningCarbonError` catches all of them, and the docstring of the module names each."""
    classes = [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]

    assert {type(error) for error in ONE_OF_EACH} <= set(classes)
    for kind in classes:
        assert issubclass(kind, LightningCarbonError)
        assert kind.__name__ in str(errors.__doc__)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (ConfigError, ValueError),
        (UnknownRegion, ConfigError),
        (UsageError, RuntimeError),
        (SourceUnavailable, SourceError),
        (ReadFailed, SourceError),
        (SourceLost, SourceError),
        (LedgerError, OSError),
        (LedgerLost, LedgerError),
        (StudyError, RuntimeError),
        (RecordError, ValueError),
    ],
)
def test_code_that_does_not_know_us_can_catch_them(error: type[Exception], builtin: type[Exception]) -> None:
    """Each is of the kind of the standard library that says the same."""
    assert issubclass(error, builtin)


def test_bad_input_names_the_argument_the_value_and_the_fix() -> None:
    """The message alone is enough to repair the call."""
    error = ConfigError("interval_seconds", "fast", "give a number from 0.01 to 60.")

    assert str(error) == "interval_seconds='fast' cannot be used: give a number from 0.01 to 60."
    assert (error.argument, error.value, error.fix) == ("interval_seconds", "fast", "give a number from 0.01 to 60.")


@pytest.mark.parametrize(
    ("variable", "option", "value", "expected"),
    [
        ("LIGHTNING_CARBON_PUE", "", "0.5", "LIGHTNING_CARBON_PUE='0.5' cannot be used: give more."),
        ("", "--pue", 0.5, "--pue 0.5 cannot be used: give more."),
        ("", "--json", True, "--json cannot be used: give more."),
        ("", "--pue", None, "--pue is missing: give more."),
    ],
)
def test_bad_input_is_told_under_the_name_that_the_user_wrote(
    variable: str, option: str, value: object, expected: str
) -> None:
    """A variable or an option in the place of an argument: the name is another, and the fix is the same."""
    error = ConfigError("pue", value, "give more.", variable=variable, option=option)
    sent = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in this very line

    assert expected == str(error) == str(sent)
    assert "pue" == sent.argument


def test_an_unknown_region_keeps_who_said_it() -> None:
    """A region that a variable named is sent to another process with that name."""
    error = UnknownRegion("SWEDN", ["SE"])
    error.variable = "LIGHTNING_CARBON_REGION"
    sent = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in this very line

    assert str(error) == str(sent)
    assert "LIGHTNING_CARBON_REGION='SWEDN' cannot be used: did you mean SE? " in str(sent)


@pytest.mark.parametrize(("near", "hint"), [((), "used: Give an ISO"), (("SE", "SWE"), "did you mean SE, SWE? Give")])
def test_an_unknown_region_lists_what_resembles_it(near: tuple[str, ...], hint: str) -> None:
    """Near matches come first, then the two ways that always work."""
    error = UnknownRegion("SWEDEN", near)

    assert hint in str(error)
    assert "region='SWEDEN'" in str(error)
    assert "as intensity, in gCO2e/kWh" in str(error)
    assert near == error.near


@pytest.mark.parametrize(("fix", "expected"), [("", "rapl: root only"), ("chmod", "rapl: root only (chmod)")])
def test_an_absent_sensor_says_what_would_help_where_anything_would(fix: str, expected: str) -> None:
    """No empty brackets where nothing can be done."""
    assert expected == str(SourceUnavailable("rapl", "root only", fix))


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling(error: LightningCarbonError) -> None:
    """What fails in a worker process fails in the same words in the main one."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert type(error) is type(copy)
    assert str(error) == str(copy)
    assert vars(error) == vars(copy)
