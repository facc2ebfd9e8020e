"""What help(), notebooks, Sphinx and command lines read of a class that takes settings."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Unpack, get_type_hints

import pytest

from lightning_carbon import Meter
from lightning_carbon.integrations.shared.trainer_settings import (
    LIGHTNING_SETTINGS,
    TRAINER_SETTINGS,
    LightningSettings,
    TrainerSettings,
)
from lightning_carbon.settings import SETTINGS, STRICT, Settings
from lightning_carbon.settings.pricing import REGION
from lightning_carbon.settings.signatures import described, takes

if TYPE_CHECKING:
    from collections.abc import Callable


SHOWN = inspect.cleandoc(
    """
    Does it.

    Args:
        twice: Whether to do it again.
        strict: Raise when a sensor is lost or the ledger cannot be written, at the next hook, instead of
            warning once. Default ``False``.

    Raises:
        ValueError: It cannot.
    """
)


def test_the_callbacks_own_settings_are_what_type_checkers_read() -> None:
    """The typed dictionaries have the settings of all tables, with their types."""
    assert {setting.name: setting.type for setting in SETTINGS} == get_type_hints(Settings)
    assert {setting.name: setting.type for setting in TRAINER_SETTINGS} == get_type_hints(TrainerSettings)
    assert {setting.name: setting.type for setting in LIGHTNING_SETTINGS} == get_type_hints(LightningSettings)


def test_settings_are_given_by_name() -> None:
    """A position says nothing of what a value means."""
    make: Callable[..., Meter] = Meter
    with pytest.raises(TypeError, match="positional argument"):
        make("SE")


def test_a_function_keeps_what_is_its_own() -> None:
    """Parameters, text and result of its own stay, and the settings follow."""

    @takes(STRICT)
    def act(*, twice: bool = False, **settings: Unpack[Settings]) -> int:
        """Does it.

        Args:
            twice: Whether to do it again.
            settings: Those of a meter.

        Raises:
            ValueError: It cannot.
        """
        return len(settings) + twice

    assert "(*, twice: 'bool' = False, strict: bool = False) -> 'int'" == str(inspect.signature(act))
    assert SHOWN == inspect.getdoc(act)
    assert 2 == act(twice=True, strict=True)


def test_a_docstring_without_a_place_for_settings_is_a_mistake() -> None:
    """Nothing is shown silently at some other place."""
    with pytest.raises(ValueError, match="unpack"):
        described("Does it.\n\nArgs:\n    twice: Whether to do it again.", (REGION,))
