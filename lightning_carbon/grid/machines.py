"""Classes of machines: what they draw beside their chips, as a constant and a share, each with its range and source.

No figure is exact for a machine at hand: a calibration with a wall meter, or a sensor of the machine, replaces it.
Beside the chips means beside accelerators, processor packages and memory. Constants are of a whole machine, in watts.

References:
    [Fischer] R. Fischer et al., Ground-Truthing AI Energy Consumption, 2025 (arXiv 2509.22092; data of
        https://github.com/raphischer/ai-energy-validation of 2025-09-13): an i9-13900K and RTX 4090 at a wall meter,
        318 runs of inference of vision and language. By a constant of 50 W and a share of 15 % the median run is off
        by 1 %, and 317 of 318 lie in the range.
    [Latif] I. Latif et al., Cooling Matters: Benchmarking LLMs and VLMs on Liquid-Cooled Versus Air-Cooled H100 GPU
        Systems, 2025 (arXiv 2507.16781): 8.16 kW with air and 6.99 kW with liquid, at full load, by IPMI.
    [Latif-2] I. Latif et al., Single-Node Power Demand During AI Training, IEEE Access 13, 2025: 8.4 kW at most.
    [Mahesri] A. Mahesri, V. Vardhan, Power Consumption Breakdown on a Modern Laptop, PACS 2004: backlight up to 3.5 W,
        wireless 3.1 W, disk 2.8 W, of 8 to 30 W.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.rest import RestModel
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

DESKTOP: Final = "desktop"
WORKSTATION: Final = "workstation"
SERVER_4_GPU: Final = "server-4gpu"
SERVER_8_GPU_AIR: Final = "server-8gpu-air"
SERVER_8_GPU_LIQUID: Final = "server-8gpu-liquid"
CPU_NODE: Final = "cpu-node"
LAPTOP: Final = "laptop"
CLOUD_VM: Final = "cloud-vm"

_EIGHT_GPUS: Final = (
    "8 H100 with air cooling at 8.16 kW and with liquid at 6.99 kW, of which 5.6 kW are rated for the GPUs "
    "(Latif et al. 2025, arXiv 2507.16781); the split into constant and share is ours"
)


def _class(
    machine: str, constant: tuple[float, float, float], share: tuple[float, float, float], *, source: str
) -> RestModel:
    return RestModel(machine, *constant, *share, source, assumed=True)


_CLASSES: Final = (
    _class(
        DESKTOP,
        (50.0, 20.0, 90.0),
        (0.15, 0.08, 0.25),
        source="318 runs of a desktop and RTX 4090 at a wall meter (Fischer et al. 2025, arXiv 2509.22092), fit ours",
    ),
    _class(
        WORKSTATION,
        (90.0, 30.0, 200.0),
        (0.15, 0.08, 0.25),
        source="the desktop of Fischer et al. 2025, its constant doubled for boards, fans and supplies; ours",
    ),
    _class(
        SERVER_4_GPU,
        (400.0, 150.0, 800.0),
        (0.17, 0.08, 0.27),
        source="half of a server with eight GPUs and air cooling (Latif et al. 2025), the range widened; ours",
    ),
    _class(SERVER_8_GPU_AIR, (800.0, 400.0, 1_400.0), (0.17, 0.10, 0.25), source=_EIGHT_GPUS),
    _class(SERVER_8_GPU_LIQUID, (400.0, 200.0, 700.0), (0.06, 0.03, 0.12), source=_EIGHT_GPUS),
    _class(
        CPU_NODE,
        (60.0, 20.0, 150.0),
        (0.15, 0.05, 0.30),
        source="no study of it was found: the desktop of Fischer et al. 2025, with a wider range for fans; ours",
    ),
    _class(
        LAPTOP,
        (8.0, 3.0, 14.0),
        (0.10, 0.05, 0.20),
        source="backlight, wireless and disk of a laptop (Mahesri, Vardhan, PACS 2004); losses of its supply ours",
    ),
    _class(
        CLOUD_VM,
        (0.0, 0.0, 0.0),
        (0.35, 0.10, 1.00),
        source="a part of a host that is not seen: from a lean node to the rating of a DGX A100 (NVIDIA 2020); ours",
    ),
)

MACHINES: Final[Mapping[str, RestModel]] = MappingProxyType({model.machine: model for model in _CLASSES})
"""Every class, by name."""

KNOWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dgx-a100": SERVER_8_GPU_AIR,
        "dgx-h100": SERVER_8_GPU_AIR,
        "dgx-h200": SERVER_8_GPU_AIR,
        "hgx-h100": SERVER_8_GPU_AIR,
        "hgx-h200": SERVER_8_GPU_AIR,
    }
)
"""Machines that go by a name of their own, and the class that they are of."""


def machine_named(name: str) -> RestModel:
    """The class of a machine that the user named, not assumed any more.

    Raises:
        KeyError: No class and no machine has that name.
    """
    key = name.casefold()
    model = MACHINES[KNOWN.get(key, key)]
    return replace(model, machine=key if key in KNOWN else model.machine, assumed=False, reason="given")
