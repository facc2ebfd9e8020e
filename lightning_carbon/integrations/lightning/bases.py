"""The ``Callback`` classes of both packages, ``pytorch_lightning`` and ``lightning.pytorch``, as a single base.

The two packages hold two copies of the same code, and each trainer requires its own ``Callback``: by ``isinstance`` up
to 2.5, and in LightningCLI still. So the base here derives from the ``Callback`` of each package that the program has
imported, and adds that of a package which is imported later. It imports neither: the second package would cost time and
memory, take over the messages that the two share (``lightning_utilities`` has a single logger for both), and may not
even be importable.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lightning_carbon.integrations.autolog.imports import Imports

if TYPE_CHECKING:
    from types import ModuleType

    from lightning.pytorch import Callback as _OfLightning
    from pytorch_lightning import Callback as _OfPytorchLightning

    class BothCallbacks(_OfLightning, _OfPytorchLightning):  # type: ignore[misc]  # same code, two copies of each type
        """The callback classes of both packages as a single base."""
else:

    class _NoCallback:
        """A base until a package is imported, since Python cannot change the bases of a class without any."""

    class BothCallbacks(_NoCallback):
        """The callback classes of the imported packages."""

    def _take_on(module: ModuleType) -> None:
        known = [base for base in BothCallbacks.__bases__ if base is not _NoCallback]
        if module.Callback not in known:
            BothCallbacks.__bases__ = (*known, module.Callback)

    if not any(sys.modules.get(package) or find_spec(package) for package in ("lightning", "pytorch_lightning")):
        raise ImportError("CarbonCallback needs Lightning: pip install 'lightning-carbon[lightning]'")
    _imports = Imports()
    for _package in ("lightning.pytorch", "pytorch_lightning"):
        _imports.after(f"{_package}.callbacks.callback", _take_on)
