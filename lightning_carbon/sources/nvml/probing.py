"""The best working sensor of a GPU, found by asking each in turn.

Sensors are tried, and never inferred from the model: drivers, virtual GPUs and laptops break every such rule.

1. The energy counter, the sum of all the driver's own samples.
2. The momentary power, integrated by the meter.
3. The mean power of the last second, integrated.
4. The power of ``nvmlDeviceGetPowerUsage``: on Ampere (except GA100) and newer the same mean of the last second; before
   and on GA100 momentary.
5. A model: idle share plus utilisation times the rest of the enforced limit. ±50 %.

The first four come from the same shunts, so the range of each is that of the GPU's family (:mod:`accuracy`). A mean of
the last second adds what it blurs: half a second at both ends where nothing tells whether it is one.

All of them cover the GPU alone (``NVML_POWER_SCOPE_GPU``), even on a module.

A driver that is just being loaded answers NotSupported or zero for a moment, so a single answer decides nothing.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from lightning_carbon.energy.condition import IDLE_OF_LIMIT
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, SourceError, SourceLost, SourceUnavailable
from lightning_carbon.ports import is_counter
from lightning_carbon.sources.nvml.accuracy import ask_family, stated
from lightning_carbon.sources.nvml.fields import (
    AVERAGE,
    INSTANT,
    SCOPE_GPU,
    WINDOW_SECONDS,
    gpu_limit,
    power_field,
)
from lightning_carbon.sources.nvml.readings import NvmlCounter, NvmlGauge
from lightning_carbon.units import MILLIWATTS_PER_WATT
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    from lightning_carbon.ports import Source
    from lightning_carbon.sources.nvml.inventory import Gpu
    from lightning_carbon.sources.nvml.library import Handle

_T = TypeVar("_T")

NO_SENSOR: Final = "no sensor of this GPU answers"

_AMPERE: Final = 7  # NVML_DEVICE_ARCH_AMPERE
_UNKNOWN_ARCHITECTURE: Final = 0xFFFFFFFF

_TRIES: Final = 3
_PAUSE_SECONDS: Final = 0.002
"""How often each sensor is asked before the next best, and how far apart; ours."""

_MODEL_RATIO: Final = 0.5
"""Assumed: utilisation says little of power."""

_COUNTER = "nvmlDeviceGetTotalEnergyConsumption"
_INSTANT = "nvmlDeviceGetFieldValues POWER_INSTANT, integrated"
_AVERAGE = "nvmlDeviceGetFieldValues POWER_AVERAGE, the mean of the last second, integrated"

_FIELDS = (
    (INSTANT, "momentary power", _INSTANT),
    (AVERAGE, "mean power", _AVERAGE),
)
# nvml.h on nvmlDeviceGetPowerUsage: the mean of one second on Ampere (except GA100) and newer, momentary before.
_TRAILING = "nvmlDeviceGetPowerUsage, the mean of the last second on this GPU, integrated"
_MAYBE_TRAILING = "nvmlDeviceGetPowerUsage, the mean of the last second unless this is a GA100, integrated"
_MOMENTARY = "nvmlDeviceGetPowerUsage, momentary on this GPU, integrated"
_UNCLEAR = "nvmlDeviceGetPowerUsage, the mean of the last second from Ampere on (except GA100), integrated"
_MODEL = (
    "nvmlDeviceGetUtilizationRates times nvmlDeviceGetEnforcedPowerLimit of {limit:.0f} W: "
    "{idle:.0%} of it when idle, all of it when always busy; assumed"
)


@dataclass(frozen=True, slots=True)
class Probed:
    """A sensor that answered.

    Args:
        source: The source, ready to be read.
        remark: The better sensors that did not answer, for people.
        fallback: For a counter, the next best sensor, which shows whether the counter is alive.
        later: Tries the better sensors again that did not answer, if there are any.
    """

    source: Source
    remark: str = ""
    fallback: Source | None = None
    later: Callable[[], Source] | None = None

    def mapped(self, change: Callable[[Source], Source]) -> Probed:
        """The same with other sources in the place of its own, such as shares of them."""
        later = self.later
        return Probed(
            change(self.source),
            self.remark,
            None if self.fallback is None else change(self.fallback),
            None if later is None else lambda: change(later()),
        )


def probe(gpu: Gpu, nvml: ModuleType, parent: str | None = None) -> Probed:
    """Find the best sensor of a GPU.

    Args:
        gpu: The GPU, as NVML lists it.
        nvml: The module :mod:`pynvml`.
        parent: The id of the domain whose energy includes the GPU's, such as that of its module.

    Raises:
        SourceUnavailable: It has no sensor, or is gone; the error lists each sensor's answer.
    """
    if gpu.handle is None:
        raise SourceUnavailable("nvml", f"NVML gives no access to this GPU: {gpu.trouble}")
    failures: list[str] = []
    silent: list[Callable[[], Source]] = []
    candidates = _Candidates(gpu, gpu.handle, nvml, parent=parent).in_order()
    for name, attempt in candidates:
        try:
            source = _several_times(attempt)
        except SourceLost as error:
            raise SourceUnavailable("nvml", str(error)) from error
        except SourceError as error:
            failures.append(f"{name}: {str(error).removeprefix('NVML: ')}")
            silent.append(attempt)
        except AttributeError:
            failures.append(f"{name}: not known to this version of pynvml")
        else:
            fallback = _first([attempt for _, attempt in candidates]) if is_counter(source) else None
            return Probed(source, "; ".join(failures), fallback, partial(_better, silent) if silent else None)
    raise SourceUnavailable("nvml", f"{NO_SENSOR} ({'; '.join(failures)})")


def _first(attempts: Iterable[Callable[[], Source]]) -> Source | None:
    """The first of several sensors to answer."""
    for attempt in attempts:
        try:
            return attempt()
        except (SourceError, AttributeError):
            continue
    return None


def _better(attempts: Iterable[Callable[[], Source]]) -> Source:
    """The first of several sensors to answer by now."""
    source = _first(attempts)
    if source is None:
        raise ReadFailed("no better sensor answers yet")
    return source


def _several_times(attempt: Callable[[], _T]) -> _T:
    """Repeat a failed attempt, since the first answers of a driver may be wrong."""
    for _ in range(_TRIES - 1):
        try:
            return attempt()
        except ReadFailed:
            time.sleep(_PAUSE_SECONDS)
    return attempt()


class _Candidates:
    """The sensors that can be tried on a GPU."""

    def __init__(self, gpu: Gpu, handle: Handle, nvml: ModuleType, *, parent: str | None) -> None:
        self._domain = Domain(Kind.GPU, domain_id(gpu.names.uuid), gpu.name, parent)
        self._handle = handle
        self._nvml = nvml
        self._max_power = gpu_limit(handle, nvml)
        self._family = ask_family(gpu.name, handle, nvml)

    def in_order(self) -> Iterator[tuple[str, Callable[[], Source]]]:
        """The sensors to try, best first."""
        yield "energy counter", self._counter
        for field, name, method in _FIELDS:
            yield name, partial(self._field, field, method)
        yield "power", self._power_usage
        yield "utilisation", self._model

    def _counter(self) -> Source:
        sensor = self._measured(Provenance.COUNTER, _COUNTER)
        counter = NvmlCounter(sensor, self._handle, self._nvml.nvmlDeviceGetTotalEnergyConsumption)
        if counter.read_energy().microjoules == 0:
            # Some virtual GPUs answer with a zero for ever.
            raise ReadFailed("it stands at zero")
        return counter

    def _field(self, field: str, method: str) -> Source:
        window_seconds = WINDOW_SECONDS if field == AVERAGE else 0.0
        sensor = self._measured(Provenance.INTEGRATED, method, is_mean=field == AVERAGE, window_seconds=window_seconds)
        return self._tried(NvmlGauge(sensor, self._handle, power_field(self._nvml, field, SCOPE_GPU)))

    def _power_usage(self) -> Source:
        architecture = self._architecture()
        if architecture is None:
            method = _UNCLEAR
        elif architecture < _AMPERE:
            method = _MOMENTARY
        else:
            method = _MAYBE_TRAILING if architecture == _AMPERE else _TRAILING
        window_seconds = WINDOW_SECONDS if method == _TRAILING else 0.0
        is_mean = method != _MOMENTARY
        sensor = self._measured(Provenance.INTEGRATED, method, is_mean=is_mean, window_seconds=window_seconds)
        return self._tried(NvmlGauge(sensor, self._handle, self._nvml.nvmlDeviceGetPowerUsage))

    def _architecture(self) -> int | None:
        try:
            architecture = int(self._handle.ask(self._nvml.nvmlDeviceGetArchitecture))
        except (SourceError, AttributeError):
            return None
        return None if architecture == _UNKNOWN_ARCHITECTURE else architecture

    def _model(self) -> Source:
        limit = float(self._handle.ask(self._nvml.nvmlDeviceGetEnforcedPowerLimit))
        utilization = self._nvml.nvmlDeviceGetUtilizationRates

        def milliwatts(handle: object) -> float:
            busy = min(max(float(utilization(handle).gpu), 0.0), 100.0) / 100
            return limit * (IDLE_OF_LIMIT + (1 - IDLE_OF_LIMIT) * busy)

        method = _MODEL.format(limit=limit / MILLIWATTS_PER_WATT, idle=IDLE_OF_LIMIT)
        sensor = Sensor(self._domain, Provenance.MODELLED, _MODEL_RATIO, method, max_power=self._max_power)
        return self._tried(NvmlGauge(sensor, self._handle, milliwatts))

    def _tried(self, gauge: NvmlGauge) -> NvmlGauge:
        gauge.read_power()
        return gauge

    def _measured(
        self, provenance: Provenance, method: str, *, is_mean: bool = False, window_seconds: float = 0.0
    ) -> Sensor:
        """What a sensor of this GPU says of itself, with the range of its family."""
        range_of_family = stated(self._family, is_mean=is_mean, is_placed=window_seconds > 0)
        accuracy = range_of_family.accuracy
        return Sensor(
            self._domain,
            provenance,
            max(accuracy.below_ratio, accuracy.above_ratio),
            f"{method}; {range_of_family.basis}",
            max_power=self._max_power,
            window_seconds=window_seconds,
            accuracy=accuracy,
        )


def domain_id(uuid: str) -> str:
    """The id of the domain of a GPU or slice."""
    return f"gpu:{uuid}"
