"""The settings of trainers' callbacks beyond those of every meter, which ``autolog`` also takes.

They are here and not beside the callbacks because ``autolog`` imports no framework.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Literal, TypeVar, cast

from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.shared.batch import Counted, counter_of
from lightning_carbon.settings import SETTINGS, Settings
from lightning_carbon.settings.checks import check_flag
from lightning_carbon.settings.setting import Setting

CopyRecord = bool | Literal["whole"]
"""Whether a copy of the record lies beside the trainer's logs, and whether it names the machine."""


class TrainerSettings(Settings, total=False):
    """The arguments of :class:`~lightning_carbon.CarbonTrainerCallback`, by name, for type checkers."""

    count_batch: Callable[[Any], Counted] | str | None
    copy_record: CopyRecord | None


class LightningSettings(TrainerSettings, total=False):
    """The arguments of :class:`~lightning_carbon.CarbonCallback`, by name, for type checkers."""

    progress_bar: bool


class FabricSettings(Settings, total=False):
    """The arguments of :class:`~lightning_carbon.CarbonFabricCallback`, by name, for type checkers."""

    count_batch: Callable[[Any], Counted] | str | None
    log_every_n_steps: int


def check_log_every(steps: object) -> int:
    """Check ``log_every_n_steps``.

    Raises:
        ConfigError: It is no whole number from 1 on.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ConfigError("log_every_n_steps", steps, "give a number of steps from 1 on.")
    return steps


def check_copy_record(value: object) -> CopyRecord | None:
    """Check ``copy_record``.

    Raises:
        ConfigError: It is none of the words.
    """
    if value is None or value == "whole":
        return value
    if isinstance(value, bool):
        return value
    raise ConfigError("copy_record", value, 'give True, False or "whole".')


COUNT_BATCH: Final = Setting(
    name="count_batch",
    type=Callable[[Any], Counted] | str | None,
    check=counter_of,
    summary=(
        "Tells samples and tokens of a batch, and if it likes the padding beside the tokens, ``None`` for what it does "
        'not know: a function, or where to import it from (``"module.function"``).'
    ),
    details=(
        "It should read no values of tensors on a device, which would wait for that. By itself, samples are the first "
        "dimension of the first tensor, or the sequences that are packed into rows, and tokens the elements of "
        "``input_ids`` or ``tokens``: without padding where it can be seen on the host, else padding included."
    ),
    unset="by what the batch shows",
)
COPY_RECORD: Final = Setting(
    name="copy_record",
    type=CopyRecord | None,
    check=check_copy_record,
    summary="Whether a copy of the record lies beside the trainer's logs, or in its ``output_dir``.",
    details=(
        'A copy names no machine and no device, for it may be published with the model; ``"whole"`` names them. Of '
        "Hugging Face's callback, also whether the model cards that the Trainer makes get energy and CO2e."
    ),
    unset="``True`` for a callback that is given by hand, ``False`` for an automatic one",
)
PROGRESS_BAR: Final = Setting(
    name="progress_bar",
    type=bool,
    check=partial(check_flag, "progress_bar"),
    summary="Whether to show watts and gCO2e in the progress bar.",
    default=True,
)

LOG_EVERY: Final = Setting(
    name="log_every_n_steps",
    type=int,
    check=check_log_every,
    summary="After how many steps a row is logged.",
    default=50,
)

TRAINER_ONLY: Final[tuple[Setting[Any], ...]] = (COUNT_BATCH, COPY_RECORD)
"""The settings of all trainers' callbacks that no meter has."""

LIGHTNING_ONLY: Final[tuple[Setting[Any], ...]] = (PROGRESS_BAR,)
"""The settings of Lightning's callback alone."""

FABRIC_OWN: Final[tuple[Setting[Any], ...]] = (COUNT_BATCH, LOG_EVERY)
"""The settings of Fabric's callback that no meter has."""

LIGHTNING_OWN: Final[tuple[Setting[Any], ...]] = (*TRAINER_ONLY, *LIGHTNING_ONLY)
"""The settings of Lightning's callback that no meter has."""

TRAINER_SETTINGS: Final[tuple[Setting[Any], ...]] = (*SETTINGS, *TRAINER_ONLY)
"""Every setting of Hugging Face's callback, in the order in which they are shown."""

LIGHTNING_SETTINGS: Final[tuple[Setting[Any], ...]] = (*TRAINER_SETTINGS, *LIGHTNING_ONLY)
"""Every setting of Lightning's callback, in the order in which they are shown."""

SettingsT = TypeVar("SettingsT", TrainerSettings, LightningSettings)


def split(settings: TrainerSettings, own: Sequence[Setting[Any]]) -> tuple[Settings, dict[str, Any]]:
    """Split settings into those of every meter, and a callback's own, checked, with defaults.

    Args:
        settings: The settings given.
        own: The callback's own settings.

    Raises:
        ConfigError: A setting of the latter cannot be used.
    """
    given: dict[str, Any] = {**settings}
    checked = {setting.name: setting.check(given.pop(setting.name, setting.default)) for setting in own}
    return cast("Settings", given), checked


def for_any_trainer(settings: LightningSettings) -> TrainerSettings:
    """Settings without those of Lightning's callback alone."""
    own = {setting.name for setting in LIGHTNING_ONLY}
    return cast("TrainerSettings", {name: value for name, value in settings.items() if name not in own})


def automatic(settings: SettingsT) -> SettingsT:
    """The settings of an automatic callback, which copies no record unless asked to."""
    if settings.get("copy_record") is None:
        settings["copy_record"] = False
    return settings
