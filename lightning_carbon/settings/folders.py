"""The folder of the ledger: its default, and the checks of a folder that the user names; nothing is made yet."""

from __future__ import annotations

import os
from pathlib import Path

from lightning_carbon.errors import ConfigError
from lightning_carbon.settings.hydra import folder_before_hydra


def check_folder(ledger: object) -> Path:
    """Check ``ledger`` as far as reading it needs.

    Raises:
        ConfigError: It names no folder, or the package that knows the default folder is missing.
    """
    if ledger is None:
        return _default_ledger()
    if not isinstance(ledger, str | os.PathLike):
        raise ConfigError("ledger", ledger, "give a folder, as text or a path.")
    folder = os.fspath(ledger)
    if not isinstance(folder, str) or not folder:
        raise ConfigError("ledger", ledger, "give a folder.")
    return Path(folder)


def check_ledger(ledger: object) -> Path:
    """Check that ``ledger`` is a folder or may become one; nothing is made yet.

    Whether it has room and may be written shows at the start of a run, which goes on without it otherwise.

    Returns:
        The folder, absolute.

    Raises:
        ConfigError: Something else is in its place, or above it.
    """
    folder = check_folder(ledger)
    # For each job of a multirun Hydra may change into another folder, and the jobs have one ledger.
    absolute = folder_before_hydra() / folder.expanduser()
    if not _nearest(absolute).is_dir():
        raise ConfigError("ledger", str(folder), _not_writable(absolute))
    return absolute


def check_writable_ledger(ledger: object) -> Path:
    """Check ``ledger`` where nothing can be done without it: this user must also be able to write it.

    Returns:
        The folder, absolute.

    Raises:
        ConfigError: It cannot be written.
    """
    absolute = check_ledger(ledger)
    if not os.access(_nearest(absolute), os.W_OK | os.X_OK):
        raise ConfigError("ledger", str(absolute), _not_writable(absolute))
    return absolute


def _nearest(folder: Path) -> Path:
    """The folder, or its nearest ancestor that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _not_writable(folder: Path) -> str:
    return f"{_nearest(folder)} is no folder that can be written; give another one, or set LIGHTNING_CARBON_LEDGER."


def _default_ledger() -> Path:
    try:
        from platformdirs import user_data_path
    except ImportError:
        # Where the source tree alone is on the path, as in an image that brings its own packages.
        fix = (
            "the package platformdirs, which knows the default folder, is not there; give a folder, "
            "set LIGHTNING_CARBON_LEDGER, or pip install platformdirs."
        )
        raise ConfigError("ledger", None, fix) from None
    return user_data_path("lightning-carbon", appauthor=False) / "ledger"
