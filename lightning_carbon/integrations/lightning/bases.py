"""The ``Callback`` classes of both packages, ``pytorch_lightning`` and ``lightning.pytorch``, as a single base.

The two packages hold two copies of the same code, and each trainer asks for its own ``Callback``: by ``isinstance`` up
to 2.5, and in LightningCLI still.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning.pytorch import Callback as _OfLightning
    from pytorch_lightning import Callback as _OfPytorchLightning

    class BothCallbacks(_OfLightning, _OfPytorchLightning):  # type: ignore[misc]  # same code, two copies of each type
        """The callback classes of both packages as a single base."""
else:

    def _callback_classes() -> Iterator[type]:
        with suppress(ImportError):
            from lightning.pytorch import Callback

            yield Callback
        with suppress(ImportError):
            from pytorch_lightning import Callback

            yield Callback

    _BASES = tuple(_callback_classes())
    if not _BASES:
        raise ImportError("CarbonCallback needs Lightning: pip install 'lightning-carbon[lightning]'")
    BothCallbacks = type("BothCallbacks", _BASES, {"__doc__": "The callback classes of the installed packages."})
