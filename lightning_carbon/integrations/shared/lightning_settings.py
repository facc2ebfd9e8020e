"""The settings that Lightning's callback has beside those of every meter; ``autolog`` hands them to it.

Here, and not beside the callback, because ``autolog`` imports no framework.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from lightning_carbon.integrations.shared.batch import counter_of
from lightning_carbon.settings import SETTINGS, Settings
from lightning_carbon.settings.checks import check_flag
from lightning_carbon.settings.setting import Setting


class LightningSettings(Settings, total=False):
    """The arguments of :class:`~lightning_carbon.CarbonCallback`, by name, for type checkers."""

    count_batch: Callable[[Any], tuple[int | None, int | None]] | str | None
    progress_bar: bool


COUNT_BATCH: Final = Setting(
    name="count_batch",
    type=Callable[[Any], tuple[int | None, int | None]] | str | None,
    check=counter_of,
    summary=(
        "Tells samples and tokens of a batch, ``None`` for what it does not know: a function, or where to import it "
        'from (``"module.function"``).'
    ),
    details=(
        "It should read shapes only: reading values would wait for the GPU. By their shapes, samples are the first "
        "dimension of the first tensor, and tokens the elements of ``input_ids`` or ``tokens``."
    ),
    unset="by the shapes of the batch",
)
PROGRESS_BAR: Final = Setting(
    name="progress_bar",
    type=bool,
    check=partial(check_flag, "progress_bar"),
    summary="Whether to show watts and gCO2e in the progress bar.",
    default=True,
)

LIGHTNING_ONLY: Final[tuple[Setting[Any], ...]] = (COUNT_BATCH, PROGRESS_BAR)
"""What Lightning's callback alone takes."""

LIGHTNING_SETTINGS: Final[tuple[Setting[Any], ...]] = (*SETTINGS, *LIGHTNING_ONLY)
"""Every setting of Lightning's callback, in the order that they are shown in."""


def split(settings: LightningSettings) -> tuple[Settings, dict[str, Any]]:
    """What is for every meter, and all of what is for Lightning's callback alone, defaults included."""
    given: dict[str, Any] = {**settings}
    own = {setting.name: given.pop(setting.name, setting.default) for setting in LIGHTNING_ONLY}
    return cast("Settings", given), own
