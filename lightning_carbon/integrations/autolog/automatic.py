"""Automatic metering, without a line of code at each trainer: ``autolog()`` and ``LIGHTNING_CARBON=1``.

Each framework is reached where it looks for callbacks itself, so nobody's class is changed:

* Lightning calls the entry points of installed packages whenever a trainer is made (see
  :mod:`~lightning_carbon.integrations.autolog.entry`).
* Hugging Face's Trainer takes the callbacks in ``transformers.trainer.DEFAULT_CALLBACKS``, and those that ``report_to``
  names, which it looks up in ``INTEGRATION_TO_CALLBACK``.

A callback that is made here is *automatic*: it gives way to a callback that the user gave to the trainer.
Nothing here imports a framework.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from importlib import import_module
from importlib.metadata import Distribution, DistributionFinder, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Unpack

from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.autolog.entry import OFF, SWITCH
from lightning_carbon.integrations.autolog.imports import Imports, do
from lightning_carbon.integrations.shared.guard import guarded, logger
from lightning_carbon.integrations.shared.trainer_settings import (
    LIGHTNING_OWN,
    LIGHTNING_SETTINGS,
    LightningSettings,
    for_any_trainer,
    split,
)
from lightning_carbon.settings import configure
from lightning_carbon.settings.checks import check_flag
from lightning_carbon.settings.setting import Setting, refuse_unknown
from lightning_carbon.settings.signatures import takes

INTEGRATION: Final = "lightning_carbon"
"""The name of the callback in Hugging Face's ``report_to``."""

ENTRY_POINT: Final = "lightning_carbon.integrations.autolog.entry:callbacks"
GROUPS: Final = ("lightning.pytorch.callbacks_factory", "pytorch_lightning.callbacks_factory")
ON: Final = "1"

# Imported when needed: the latter imports this module itself.
_OURS: Final = {name: f"lightning_carbon.integrations.{name}.callback" for name in ("lightning", "huggingface")}

_TRAINER: Final = "transformers.trainer"
_INTEGRATIONS: Final = "transformers.integrations.integration_utils"


def is_declared(group: str) -> bool:
    """Whether an installed package, which should be ours, has our entry point in a group."""
    return any(entry.value == ENTRY_POINT for entry in entry_points(group=group))


class Automatic:
    """The state of automatic metering: whether it is on, and its settings.

    Args:
        environ: The environment variables.
        modules: The modules imported so far.
        meta_path: The finders of modules and installed packages.
        declared: Says whether our entry point can be found in a group.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        modules: MutableMapping[str, ModuleType] = sys.modules,
        meta_path: list[Any] = sys.meta_path,
        *,
        declared: Callable[[str], bool] = is_declared,
    ) -> None:
        self._environ = environ
        self._modules = modules
        self._meta_path = meta_path
        self._imports = Imports(modules, meta_path)
        self._is_declared = declared
        self._declared = _Declared()
        self._stand_in = _stand_in_for(self.huggingface_callback)
        self._settings: LightningSettings = {}
        self._is_on: bool | None = None

    @property
    def is_on(self) -> bool:
        """Whether trainers meter themselves: by the program's last call, else by the environment."""
        if self._is_on is not None:
            return self._is_on
        value = self._environ.get(SWITCH, "").strip()
        if value != ON and value not in OFF:
            logger.warning("%s=%r switches nothing on: set it to 1, or to 0 to say no", SWITCH, value)
        return value == ON

    def switch_on(self, settings: LightningSettings) -> None:
        """Let every trainer made from now on meter itself.

        Raises:
            ConfigError: A setting cannot be used.
        """
        check(settings, self._environ)
        self._settings = settings
        self._is_on = True
        # Run from a source tree, the package has no entry points, but Python's search for them can be extended.
        if not all(map(self._is_declared, GROUPS)) and self._declared not in self._meta_path:
            self._meta_path.append(self._declared)
        self._imports.after(_TRAINER, self._join_defaults)
        self.offer()

    def switch_off(self) -> None:
        """Let no trainer made from now on meter itself."""
        self._settings = {}
        self._is_on = False
        if self._declared in self._meta_path:
            self._meta_path.remove(self._declared)
        self._imports.forget(_TRAINER)
        trainer = self._modules.get(_TRAINER)
        if trainer is not None:
            do(self._leave_defaults, trainer)

    def offer(self) -> None:
        """Make ``report_to="lightning_carbon"`` work, now or once transformers has been imported."""
        self._imports.after(_INTEGRATIONS, self._register)

    def lightning_callbacks(self) -> list[object]:
        """The callbacks for a new trainer of Lightning; none where a defect of ours is in the way.

        Raises:
            ConfigError: A setting, or the variable that stands in for it, cannot be used.
        """
        callback = self._lightning_callback() if self.is_on else None
        return [] if callback is None else [callback]

    def huggingface_callback(self) -> object:
        """The callback for a new Trainer of Hugging Face; without effect where a defect of ours is in the way.

        Raises:
            ConfigError: A setting, or the variable that stands in for it, cannot be used.
        """
        callback = self._huggingface_callback()
        # The caller is transformers, so it can be imported.
        return self._modules["transformers"].TrainerCallback() if callback is None else callback

    @guarded(ConfigError)
    def _lightning_callback(self) -> object:
        return import_module(_OURS["lightning"]).automatic_callback(**self._settings)

    @guarded(ConfigError)
    def _huggingface_callback(self) -> object:
        return import_module(_OURS["huggingface"]).AutomaticCallback(**for_any_trainer(self._settings))

    def _join_defaults(self, trainer: ModuleType) -> None:
        if self._stand_in not in trainer.DEFAULT_CALLBACKS:
            trainer.DEFAULT_CALLBACKS.append(self._stand_in)

    def _leave_defaults(self, trainer: ModuleType) -> None:
        if self._stand_in in trainer.DEFAULT_CALLBACKS:
            trainer.DEFAULT_CALLBACKS.remove(self._stand_in)

    def _register(self, integrations: ModuleType) -> None:
        integrations.INTEGRATION_TO_CALLBACK[INTEGRATION] = self._stand_in


class AutologArguments(LightningSettings, total=False):
    """The arguments of :func:`autolog`, by name, for type checkers."""

    disable: bool


DISABLE: Final = Setting(
    name="disable",
    type=bool,
    check=partial(check_flag, "disable"),
    summary="Let no trainer meter itself from now on, whatever ``LIGHTNING_CARBON`` says.",
    details="Trainers that are there keep their callbacks.",
    default=False,
)


@takes(DISABLE, *LIGHTNING_SETTINGS)
def autolog(**settings: Unpack[AutologArguments]) -> None:
    """Let every Lightning and Hugging Face trainer that this process makes from now on meter itself.

    Call it once, before trainers are made; whether the frameworks have been imported by then makes no difference, and
    none is imported. Each trainer gets a callback of its own, as if it had been given ``CarbonCallback(**settings)`` or
    ``CarbonTrainerCallback(**settings)``. A trainer that was given such a callback by hand keeps that, and meters once.
    Called again, the last settings hold. From then on, ``report_to="lightning_carbon"`` works, too.

    Example:
        >>> import lightning_carbon
        >>> lightning_carbon.autolog(region="SE", project="lisa")
        >>> lightning_carbon.autolog(disable=True)

    Args:
        settings: Those of the table in :mod:`lightning_carbon.settings` and of Lightning's callback, by name.

    Raises:
        ConfigError: A setting cannot be used, or no setting has that name; nothing is changed then.
    """
    if DISABLE.check(settings.pop("disable", DISABLE.default)):
        if settings:
            name, value = next(iter(settings.items()))
            raise ConfigError(name, value, "disable=True is given too, and takes no settings; leave one of them out.")
        of_this_process.switch_off()
    else:
        of_this_process.switch_on(settings)


def check(settings: LightningSettings, environ: Mapping[str, str]) -> None:
    """Check settings now, before a trainer could fail because of them.

    Raises:
        ConfigError: A setting cannot be used, or no setting has that name.
    """
    refuse_unknown(settings, [setting.name for setting in LIGHTNING_SETTINGS])
    of_meter, _ = split(settings, LIGHTNING_OWN)
    configure(environ, **of_meter)


def _stand_in_for(make: Callable[[], object]) -> type:
    """A class that transformers may list before ours is imported; calling it makes the callback."""
    return type("LightningCarbon", (), {"__new__": lambda _: make(), "__doc__": "Makes a CarbonTrainerCallback."})


_ANY: Final = DistributionFinder.Context()


class _Declared(DistributionFinder):
    """A finder of this package's entry points where it was not installed."""

    def find_spec(self, *_: object) -> None:
        """Find no modules."""

    def find_distributions(self, context: DistributionFinder.Context = _ANY) -> list[Distribution]:
        """The stand-in distribution, with our entry points."""
        return [_Undistributed()] if context.name in {None, _Undistributed.NAME} else []


class _Undistributed(Distribution):
    # A name of its own: of two distributions of the same name only the first is asked, and that may be an older
    # version.
    NAME: Final = "lightning-carbon-autolog"

    def read_text(self, filename: str) -> str | None:
        """The metadata, and the entry points."""
        groups = "\n".join(f"[{group}]\nlightning_carbon = {ENTRY_POINT}" for group in GROUPS)
        return {
            "METADATA": f"Metadata-Version: 2.1\nName: {self.NAME}\nVersion: 0\n",
            "entry_points.txt": groups,
        }.get(filename)

    def locate_file(self, path: os.PathLike[str] | str) -> Path:
        """The path of a file beside the package."""
        return Path(__file__).parents[2] / path


of_this_process: Final = Automatic()
"""Automatic metering of this process, as set by :func:`autolog` and the environment."""
