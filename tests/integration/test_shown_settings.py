"""What help(), notebooks, Sphinx and LightningCLI read of the front doors: every setting, with default and text."""

from __future__ import annotations

import inspect
import pydoc
import re
from typing import TYPE_CHECKING

import pytest
from docstring_parser import parse

from lightning_carbon import CarbonCallback, CarbonTrainerCallback, Meter, autolog
from lightning_carbon.integrations.autolog.automatic import DISABLE
from lightning_carbon.integrations.huggingface.callback import AutomaticCallback
from lightning_carbon.integrations.shared.trainer_settings import LIGHTNING_SETTINGS, TRAINER_SETTINGS
from lightning_carbon.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.settings.setting import Setting

FRONT_DOORS = [
    (Meter, SETTINGS),
    (CarbonCallback, LIGHTNING_SETTINGS),
    (CarbonTrainerCallback, TRAINER_SETTINGS),
    (AutomaticCallback, TRAINER_SETTINGS),
    (autolog, (DISABLE, *LIGHTNING_SETTINGS)),
]


@pytest.mark.parametrize(("door", "settings"), FRONT_DOORS)
def test_the_signature_and_the_docstring_have_every_setting(
    door: Callable[..., object], settings: tuple[Setting[object], ...]
) -> None:
    """Types, defaults and texts are those of the table, in its order, and all are given by name."""
    parameters = inspect.signature(door).parameters
    texts = {param.arg_name: " ".join((param.description or "").split()) for param in parse(door.__doc__ or "").params}

    assert [setting.name for setting in settings] == list(parameters) == list(texts)
    for setting in settings:
        shown = parameters[setting.name]
        assert (setting.type, setting.default) == (shown.annotation, shown.default)
        assert shown.kind is inspect.Parameter.KEYWORD_ONLY
        assert setting.text == texts[setting.name]


@pytest.mark.parametrize("door", [door for door, _ in FRONT_DOORS])
def test_help_shows_arguments_with_defaults(door: Callable[..., object]) -> None:
    """What Python prints begins with the arguments, and explains each below."""
    text = pydoc.plain(pydoc.render_doc(door))

    assert "interval_seconds: float = 0.1" in text
    assert "LIGHTNING_CARBON_REGION" in text
    assert re.search(r"\(\*, (disable: '?bool'? = False, )?region: ", text)
