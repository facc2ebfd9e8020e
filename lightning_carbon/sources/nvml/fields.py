"""Power and its limits by NVML's field values, each for its scope.

nvml.h on ``NVML_FI_DEV_POWER_AVERAGE`` and ``_INSTANT``: scope 0 is the GPU, 1 its module, "e.g. CPU + GPU", where that
is an NVIDIA CPU, 2 the GPU's memory, which is inside the GPU's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.errors import ReadFailed, SourceError
from lightning_carbon.units import MILLIWATTS_PER_WATT, Power

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from lightning_carbon.sources.nvml.library import Handle

INSTANT: Final = "NVML_FI_DEV_POWER_INSTANT"
"""The momentary power, in drivers from 530."""
AVERAGE: Final = "NVML_FI_DEV_POWER_AVERAGE"
"""The mean of the last second."""

MAX_LIMIT: Final = "NVML_FI_DEV_POWER_MAX_LIMIT"
"""The highest limit that can be set."""

WINDOW_SECONDS: Final = 1.0
"""The window of :data:`AVERAGE`, by nvml.h."""

SCOPE_GPU: Final = "NVML_POWER_SCOPE_GPU"
SCOPE_MODULE: Final = "NVML_POWER_SCOPE_MODULE"

# nvml.h, nvmlValueType_t: which member of the union nvmlValue_t holds the value.
_UNION_MEMBER: Final = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}


def power_field(nvml: ModuleType, field: str, scope: str) -> Callable[[Any], float]:
    """A function that asks for the power in milliwatts, given a GPU's handle.

    Args:
        nvml: The module :mod:`pynvml`.
        field: The name of the field in it.
        scope: The name of the scope in it.

    Raises:
        AttributeError: This version of pynvml does not know the field or the scope.
    """
    get_field_values, error_type = nvml.nvmlDeviceGetFieldValues, nvml.NVMLError
    number = getattr(nvml, field)
    # Older versions of pynvml only know fields without a scope, which are those of the GPU.
    request = [number] if scope == SCOPE_GPU else [(number, getattr(nvml, scope))]

    def milliwatts(handle: object) -> float:
        answer = get_field_values(handle, request)[0]
        if answer.nvmlReturn:
            raise error_type(answer.nvmlReturn)
        member = _UNION_MEMBER.get(answer.valueType)
        if member is None:
            raise ReadFailed(f"NVML: a power of the unknown type {answer.valueType}")
        return float(getattr(answer.value, member))

    return milliwatts


def gpu_limit(handle: Handle, nvml: ModuleType) -> Power | None:
    """The most that a GPU may draw: the highest limit that can be set for it, else the limit in force."""
    milliwatts = 0.0
    for name in ("nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementLimitConstraints"):
        try:
            answer = handle.ask(getattr(nvml, name))
        except (SourceError, AttributeError):
            continue
        milliwatts = max(milliwatts, float(answer[1] if isinstance(answer, (list, tuple)) else answer))
    return Power(milliwatts / MILLIWATTS_PER_WATT) if milliwatts > 0 else None


def module_limit(handle: Handle, nvml: ModuleType) -> Power | None:
    """The most that the module of a GPU may draw: the highest limit that can be set for it."""
    try:
        milliwatts = handle.ask(power_field(nvml, MAX_LIMIT, SCOPE_MODULE))
    except (SourceError, AttributeError):
        return None
    return Power(milliwatts / MILLIWATTS_PER_WATT) if milliwatts > 0 else None
