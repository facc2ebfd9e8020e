"""What ``nvidia-smi -q -x`` said of real machines, as scenarios of the stand-in driver.

The captures are not in the repository: the environment variable ``LIGHTNING_CARBON_TRACES`` names the folder that has
them in its folder ``nvidia-smi``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.nvml_standin.scenario import NOT_SUPPORTED, Gpu, Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACES_VARIABLE = "LIGHTNING_CARBON_TRACES"
CAPTURED = ("a100", "gb200", "h100", "l40s", "t4")

# nvml.h, NVML_DEVICE_ARCH_*
_ARCHITECTURES = {"Turing": 6, "Ampere": 7, "Ada Lovelace": 8, "Hopper": 9, "Blackwell": 10}


def capture_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the captures lie, if they do."""
    folder = environ.get(TRACES_VARIABLE)
    captures = Path(folder).resolve() / "nvidia-smi" if folder else None
    return captures if captures is not None and captures.is_dir() else None


def scenario_of(capture: Path) -> Scenario:
    """A machine that draws, for ever, what a capture shows.

    Args:
        capture: The file that ``nvidia-smi -q -x`` wrote.
    """
    log = ET.parse(capture).getroot()  # noqa: S314 - a file that whoever runs the tests has put there
    gpus = [_gpu(gpu) for gpu in log.findall("gpu")]
    return Scenario(gpus=tuple(gpus), driver_version=log.findtext("driver_version", ""))


def _gpu(gpu: ET.Element) -> Gpu:
    instant, average = (
        _watts_of(gpu, "gpu_power_readings/instant_power_draw"),
        _watts_of(gpu, "gpu_power_readings/average_power_draw"),
    )
    shown = instant if instant is not None else average
    return Gpu(
        uuid=gpu.findtext("uuid", ""),
        name=gpu.findtext("product_name", ""),
        bus_id=gpu.get("id", ""),
        serial=gpu.findtext("serial", "").replace("N/A", ""),
        architecture=_ARCHITECTURES[gpu.findtext("product_architecture", "")],
        watts=shown or 0.0,
        instant_code=NOT_SUPPORTED if instant is None else 0,
        average_code=NOT_SUPPORTED if average is None else 0,
        power_code=NOT_SUPPORTED if shown is None else 0,
        module_watts=_watts_of(gpu, "module_power_readings/instant_power_draw") or 0.0,
        module_limit_milliwatts=round((_watts_of(gpu, "module_power_readings/max_power_limit") or 0.0) * 1_000),
        memory_watts=_watts_of(gpu, "gpu_memory_power_readings/average_power_draw") or 0.0,
        limit_milliwatts=round((_watts_of(gpu, "gpu_power_readings/max_power_limit") or 0.0) * 1_000),
        c2c=gpu.findtext("c2c_mode") == "Enabled",
        c2c_code=NOT_SUPPORTED if gpu.findtext("c2c_mode") == "N/A" else 0,
    )


def _watts_of(gpu: ET.Element, name: str) -> float | None:
    """A power in watts, where the capture shows it."""
    text = gpu.findtext(name, "N/A")
    return None if text == "N/A" else float(text.removesuffix(" W"))
