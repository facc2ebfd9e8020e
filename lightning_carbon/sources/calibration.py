"""What `lightning-carbon calibrate` has found of this machine: kept for a user, by the id of the machine.

The id is a hash of ``/etc/machine-id``, which itself should not leave a machine (machine-id(5)); a home folder that
several machines share holds a file for each.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.rest import RestModel
from lightning_carbon.records.fields import Misfit, read
from lightning_carbon.sources.kernel_files import read_small
from lightning_carbon.systems import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_USUAL: Final = Path("~/.local/share/lightning-carbon")
_OTHERS: Final = frozenset({"XDG_DATA_HOME", "ANDROID_DATA"})
FOLDER_VARIABLE: Final = "LIGHTNING_CARBON_CALIBRATIONS"
_MACHINE_ID: Final = Path("etc/machine-id")
_LONGEST: Final = 1 << 16
_OWN: Final = b"lightning-carbon"


def calibration_file(root: Path = Path("/"), environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file of this machine's calibration; ``None`` where the machine has no id.

    Args:
        root: Where ``etc`` is.
        environ: The environment variables; ``LIGHTNING_CARBON_CALIBRATIONS`` names another folder.
    """
    try:
        machine = read_small(root / _MACHINE_ID, os.open)
    except (OSError, ValueError):
        return None
    if not machine:
        return None
    folder = environ.get(FOLDER_VARIABLE)
    if not folder:
        try:
            from platformdirs import user_data_path
        except ImportError:
            return None
        folder = str(user_data_path("lightning-carbon", appauthor=False) / "calibrations")
    return Path(folder) / f"{sha256_of(_OWN + machine.encode())[:32]}.json"


def calibration_of(root: Path = Path("/"), environ: Mapping[str, str] = os.environ) -> RestModel | None:
    """The model of the rest of this machine by its calibration; ``None`` where there is none, or it is damaged.

    Args:
        root: Where ``etc`` is.
        environ: The environment variables.
    """
    path = None if _has_none(environ) else calibration_file(root, environ)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            model = read(RestModel, json.loads(file.read(_LONGEST)))
    except (OSError, ValueError, RecursionError, Misfit):
        return None
    is_whole = (
        model.constant_low_watts <= model.constant_watts <= model.constant_high_watts
        and model.share_low <= model.share <= model.share_high
        and not model.assumed
    )
    return model if is_whole else None


def _has_none(environ: Mapping[str, str]) -> bool:
    """Whether this user has no calibration, where Linux has its usual folder: platformdirs takes 2 ms to say so."""
    if sys.platform != "linux" or environ.get(FOLDER_VARIABLE) or not _OTHERS.isdisjoint(os.environ):
        return False
    try:
        return not _USUAL.expanduser().is_dir()
    except (OSError, RuntimeError):
        return False
