"""Accelerators that a training computes on and that nothing here can meter, which are reported and not dropped.

A record without them would look complete and be tiny. All that is known of them is torch's name of their devices.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Kind
from lightning_carbon.ports import ACCELERATOR, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROCM: Final = "rocm"
"""The name of AMD's GPUs here; torch calls them ``cuda``, like NVIDIA's."""

RATED: Final = "rated"
"""The source of what is modelled by its rating alone."""

MODELLED: Final = frozenset({"xla", "neuron", "hpu", "mps"})
"""Torch's types of the devices, and Amazon's, that are modelled by their rating where nothing shows their power."""

_NVIDIA: Final = "cuda"
_OF_NVIDIA: Final = frozenset({"nvml", "jetson"})
_HABANA: Final = "sys/bus/pci/drivers/habanalabs"
_PRODUCT: Final = "sys/class/dmi/id/product_name"
_PROCESSORS: Final = frozenset({"", "cpu", "meta"})

# By torch's types of devices: the hardware, what else can meter it, and the sources that may have found it.
_NAMES: Final = {
    ROCM: ("AMD GPU", "amd-smi shows its power and energy", ("amdgpu",)),
    "xpu": ("Intel GPU", "xpu-smi shows its power and energy", ("i915", "xe")),
    "mps": ("Apple GPU", "sudo powermetrics shows its power", ("apple", RATED)),
    "xla": ("TPU", "its power is shown to nobody", (RATED,)),
    "hpu": ("Intel Gaudi", "hl-smi shows its power", ("hlml", RATED)),
    "npu": ("Ascend NPU", "npu-smi shows its power", ()),
}


def likely(environ: Mapping[str, str], root: Path = Path("/"), platform: str = sys.platform) -> str | None:
    """The kind of accelerator that a machine was made for, where nobody knows yet what the training computes on.

    A TPU or a Trainium is no part of a machine that is used for something else; a GPU of Apple's is.

    Args:
        environ: The environment variables.
        root: Where ``sys`` is.
        platform: The system, as :data:`sys.platform` names it.

    Returns:
        ``xla``, ``neuron``, ``hpu`` or ``mps``; ``None`` where the machine shows none of these.
    """
    if platform == "darwin":
        return "mps"
    if environ.get("TPU_ACCELERATOR_TYPE"):
        return "xla"
    try:
        if (root / _HABANA).is_dir():
            return "hpu"
        product = (root / _PRODUCT).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return "neuron" if re.match(r"(trn|inf2)", product) else None


def not_metered(computes_on: str | None, findings: Iterable[Finding]) -> list[Finding]:
    """Report an accelerator that the training computes on and that was not found.

    Args:
        computes_on: Torch's type of the device, or :data:`ROCM`; ``None`` where nobody knows.
        findings: The findings so far.

    Returns:
        One finding without a port, or none: an NVIDIA GPU that was not asked for is left out on purpose.
    """
    kind, known = (computes_on or "").partition(":")[0], list(findings)
    if kind in _PROCESSORS:
        return []
    if kind == _NVIDIA:
        gpus = [finding for finding in known if finding.source in _OF_NVIDIA]
        if not gpus or any(_is_gpu(finding) for finding in gpus):
            return []
        return [Finding(ACCELERATOR, "NVIDIA GPU", reason=gpus[0].reason, fix=gpus[0].fix)]
    name, elsewhere, sources = _NAMES.get(kind, (f"accelerator of torch's type {kind!r}", "", ()))
    own = [finding for finding in known if finding.source in sources]
    if any(_is_gpu(finding) for finding in own):
        return []
    said = next((f": {finding.reason}" for finding in own if finding.reason), "")
    reason = f"nothing here can read its power, so what it draws is in no figure{said}"
    return [Finding(ACCELERATOR, name, reason=reason, fix=elsewhere)]


def _is_gpu(finding: Finding) -> bool:
    return finding.port is not None and finding.port.sensor.domain.kind is Kind.GPU
