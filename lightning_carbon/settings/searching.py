"""The settings that make a run a trial of a sweep, where no search that this package knows says so."""

from __future__ import annotations

from typing import Final

from lightning_carbon.settings.checks import check_name
from lightning_carbon.settings.setting import Setting

_FOUND: Final = "found where Optuna, Hugging Face, Hydra, Ray Tune or W&B searches"


def check_sweep(name: object) -> str | None:
    """Check ``sweep``.

    Raises:
        ConfigError: It is no text, or no name.
    """
    return None if name is None else check_name("sweep", name)


def check_trial(name: object) -> str | None:
    """Check ``trial``: a number, or a name.

    Raises:
        ConfigError: It is neither.
    """
    is_number = isinstance(name, int) and not isinstance(name, bool)
    return None if name is None else check_name("trial", str(name) if is_number else name)


SWEEP: Final = Setting(
    name="sweep",
    type=str | None,
    check=check_sweep,
    summary="The search for hyperparameters that the run is a trial of; `runs sweep NAME` adds its trials up.",
    unset=_FOUND,
    variable="LIGHTNING_CARBON_SWEEP",
    option="--sweep",
    metavar="NAME",
)
TRIAL: Final = Setting(
    name="trial",
    type=int | str | None,
    check=check_trial,
    summary="The number or the name of the trial in its sweep.",
    unset=_FOUND,
    variable="LIGHTNING_CARBON_TRIAL",
    option="--trial",
    metavar="NUMBER",
)
