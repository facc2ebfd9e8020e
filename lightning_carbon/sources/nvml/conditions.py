"""The condition of a GPU as NVML tells it: utilization, clocks, temperature, memory, power limit, throttle reasons.

NVML has none of these as field values (nvml.h, ``NVML_FI_*``, of 580), so each costs a call. What a GPU does not know,
such as the utilization of one in MIG mode, is asked for rarely.

References: nvml.h, ``nvmlClocksEventReasons``, until driver 525 ``nvmlClocksThrottleReasons`` with the same bits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.condition import Condition, Throttle
from lightning_carbon.sources.nvml.library import is_gone
from lightning_carbon.units import MILLIWATTS_PER_WATT, PERCENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from lightning_carbon.sources.nvml.library import Handle

_REASONS: Final = (
    (0x04, Throttle.POWER_CAP),  # SwPowerCap
    (0x20, Throttle.HEAT),  # SwThermalSlowdown
    (0x40, Throttle.HEAT),  # HwThermalSlowdown
    (0x80, Throttle.POWER_BRAKE),  # HwPowerBrakeSlowdown
    (0x10, Throttle.SYNC_BOOST),  # SyncBoost
)
"""The bits of nvml.h that stand for a slowdown. Idle (0x01), clocks that the user has set (0x02) and those of a display
(0x100) are none."""
_HARDWARE: Final = 0x08
"""``HwSlowdown``: heat, the power brake or too fast a draw; the bits of the first two may say which."""
_KNOWN: Final = 0x7FF
"""All bits of nvml.h, former versions included. A mask with others, such as 0xFFFFFFFF, is none."""

_SM, _MEMORY, _GPU_SENSOR = 1, 2, 0
"""nvml.h: NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU."""
_UNKNOWN_WORDS: Final = {0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF}
"""NVML_VALUE_NOT_AVAILABLE as a word of 32 or 64 bits."""
_REST_TURNS: Final = 15
"""How many readings a figure is left out after its question has failed: half a minute; ours."""
_SLOW_FROM: Final = 4
_SLOW_TURNS: Final = 5
"""From which place on a figure hardly moves, and how often it is asked for: the clock of the memory, the memory in use
and the power limit stand until the fifth reading after; ours."""


class NvmlGauges:
    """The gauges of a GPU; a :class:`~lightning_carbon.ports.DeviceGauges`.

    Args:
        handle: The GPU.
        nvml: The module :mod:`pynvml`.
    """

    def __init__(self, handle: Handle, nvml: ModuleType) -> None:
        self._handle = handle
        self._ask: tuple[Callable[[Any], Any], ...] = _questions(nvml)
        self._rest = [0] * len(self._ask)
        self._last: list[Any] = [None] * len(self._ask)
        self._turn = -1

    def read_condition(self) -> Condition:
        """Ask for all that the GPU tells; four calls of NVML, and now and then seven.

        Raises:
            SourceLost: The GPU or the driver is gone.
        """
        return self._handle.ask(self._answers)

    def _answers(self, handle: object) -> Condition:
        self._turn += 1
        is_slow_turn = self._turn % _SLOW_TURNS == 0
        last, rest = self._last, self._rest
        for place, ask in enumerate(self._ask):
            if rest[place]:
                rest[place] -= 1
            elif place < _SLOW_FROM or is_slow_turn:
                try:
                    last[place] = ask(handle)
                except Exception as error:  # an old pynvml lacks functions, an old GPU answers
                    if is_gone(error):
                        raise
                    last[place], rest[place] = None, _REST_TURNS
        busy, sm_clock, celsius, reasons, memory_clock, used, limit = last
        return Condition(
            None if busy is None else busy.gpu / PERCENT,
            sm_clock,
            memory_clock,
            celsius,
            None if used is None else _known(used.used),
            None if limit is None or (known := _known(limit)) is None else known / MILLIWATTS_PER_WATT,
            None if reasons is None else throttles_of(reasons),
        )


def gauges_of(handle: Handle | None, nvml: ModuleType) -> NvmlGauges | None:
    """The gauges of a GPU; ``None`` where there is no access to it, or pynvml is too old to have them."""
    try:
        return None if handle is None else NvmlGauges(handle, nvml)
    except AttributeError:
        return None


def _questions(nvml: ModuleType) -> tuple[Callable[[Any], Any], ...]:
    """The questions, those that are asked rarely last."""
    clock, temperature = nvml.nvmlDeviceGetClockInfo, nvml.nvmlDeviceGetTemperature
    reasons = getattr(nvml, "nvmlDeviceGetCurrentClocksEventReasons", None)
    older = getattr(nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", None)

    def reasons_of(handle: object) -> int:
        """The mask of reasons, by its former name where the driver is too old for the present name."""
        nonlocal reasons
        if reasons is not None:
            try:
                return int(reasons(handle))
            except Exception:
                if older is None:
                    raise
                answer = int(older(handle))
                reasons = None
                return answer
        if older is None:
            raise AttributeError("nvmlDeviceGetCurrentClocksThrottleReasons")
        return int(older(handle))

    return (
        nvml.nvmlDeviceGetUtilizationRates,
        lambda handle: clock(handle, _SM),
        lambda handle: temperature(handle, _GPU_SENSOR),
        reasons_of,
        lambda handle: clock(handle, _MEMORY),
        nvml.nvmlDeviceGetMemoryInfo,
        nvml.nvmlDeviceGetEnforcedPowerLimit,
    )


@lru_cache(maxsize=64)
def throttles_of(mask: int) -> frozenset[Throttle] | None:
    """The reasons of a mask of NVML; ``None`` where it is no mask."""
    if not 0 <= mask <= _KNOWN:
        return None
    found = {reason for bit, reason in _REASONS if mask & bit}
    if mask & _HARDWARE and not found & {Throttle.HEAT, Throttle.POWER_BRAKE}:
        found.add(Throttle.HARDWARE)
    return frozenset(found)


def _known(word: int) -> int | None:
    return None if word in _UNKNOWN_WORDS else word
