"""The entry point that Lightning calls whenever a trainer is made, without effect unless metering was asked for.

``setup.cfg`` lists :func:`callbacks` in the groups ``lightning.pytorch.callbacks_factory`` and
``pytorch_lightning.callbacks_factory``. Where the package is installed and automatic metering is off, this costs a look
at an environment variable: this module imports nothing of ours and no framework.

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
"""The values of the variable that switch metering off."""

_AUTOMATIC = "lightning_carbon.integrations.autolog.automatic"


def callbacks() -> list[object]:
    """The callbacks that Lightning adds to the trainer that is being made.

    Returns:
        A :class:`~lightning_carbon.CarbonCallback` where ``LIGHTNING_CARBON=1`` or
        :func:`~lightning_carbon.autolog` asked for it; otherwise nothing.

    Raises:
        ConfigError: It was asked for, and a ``LIGHTNING_CARBON_*`` variable cannot be used.
    """
    # autolog() is in that module, so it cannot have been called while the module is not loaded.
    if os.environ.get(SWITCH, "") in OFF and _AUTOMATIC not in sys.modules:
        return []
    found: list[object] = import_module(_AUTOMATIC).of_this_process.lightning_callbacks()
    return found
