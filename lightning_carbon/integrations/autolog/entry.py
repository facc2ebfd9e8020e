"""What the entry points name, and Lightning calls whenever a trainer is made: nothing, unless somebody asked for it.

``setup.cfg`` lists :func:`callbacks` in the groups ``lightning.pytorch.callbacks_factory`` and
``pytorch_lightning.callbacks_factory``. Whoever has this package installed and has not asked for it pays for a look at
one environment variable: this module imports nothing of ours and no framework.

References:
    https://lightning.ai/docs/pytorch/stable/extensions/entry_points.html
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

SWITCH = "LIGHTNING_CARBON"
"""The environment variable that switches metering on for every Lightning trainer."""

OFF = frozenset({"", "0"})
"""What it may be set to, to say no."""

_AUTOMATIC = "lightning_carbon.integrations.autolog.automatic"


def callbacks() -> list[object]:
    """The callbacks that Lightning adds to the trainer that is being made.

    Returns:
        A :class:`~lightning_carbon.CarbonCallback` where ``LIGHTNING_CARBON=1`` or
        :func:`~lightning_carbon.autolog` asked for it; otherwise nothing.

    Raises:
        ConfigError: It was asked for, and one of the ``LIGHTNING_CARBON_*`` variables cannot be used.
    """
    # autolog() lives in that module, so nobody can have called it while the module is not loaded.
    if os.environ.get(SWITCH, "") in OFF and _AUTOMATIC not in sys.modules:
        return []
    found: list[object] = import_module(_AUTOMATIC).of_this_process.lightning_callbacks()
    return found
