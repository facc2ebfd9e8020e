"""NVIDIA GPUs, read through NVML by way of :mod:`pynvml` (the distribution nvidia-ml-py).

A GPU's energy counter where it has one; else its power, integrated; else a model of its utilisation, labelled so; else
a reason. A MIG slice is its GPU's share, labelled as a model; so is a job's share of a GPU with others on it, where
that is asked for. See :func:`discover`.

References: https://docs.nvidia.com/deploy/nvml-api/
"""

from lightning_carbon.sources.nvml.discovery import close, covers_host, discover, neighbours
from lightning_carbon.sources.nvml.listing import Device, DeviceList, list_devices
from lightning_carbon.sources.nvml.power_limits import LimitedGpu, limited_gpus, set_power_limit

__all__ = [
    "Device",
    "DeviceList",
    "LimitedGpu",
    "close",
    "covers_host",
    "discover",
    "limited_gpus",
    "list_devices",
    "neighbours",
    "set_power_limit",
]
