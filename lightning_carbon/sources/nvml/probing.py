"""The best sensor that a GPU really has, found by asking each in turn.

What works is tried, never concluded from the model: drivers, virtual GPUs and laptops break every such rule.

1. The energy counter, the sum of all the driver's own samples. ±5 %, the gain error of the sensors behind it
   (Yang, Adamek, Armour, "Accurate and Convenient Energy Measurements for GPUs", SC'24).
2. The momentary power, integrated by the meter. ±10 %: the same sensors, of which A100 and H100 watch only a quarter of
   the time (same paper), seen once a tick.
3. The mean power of the last second, integrated. ±15 %: the gain is that of 2, but what is integrated is the power of
   half a second before, so the two ends of a run, and of each phase, carry some that is not theirs: up to half a second
   of the swing, 5 % of a run of ten seconds whose power rises from nothing. The rest is for that.
4. The power of ``nvmlDeviceGetPowerUsage``: on Ampere (except GA100) and newer the same mean of the last second, ±15 %
   like 3; before and on GA100 momentary, ±10 % like 2; where nobody can tell which, the wider one.
5. A model: idle share plus utilisation times the rest of the enforced limit. ±50 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, SourceError, SourceLost, SourceUnavailable
from lightning_carbon.sources.nvml.readings import MILLIWATTS_PER_WATT, NvmlCounter, NvmlGauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from lightning_carbon.ports import Source
    from lightning_carbon.sources.nvml.inventory import Gpu
    from lightning_carbon.sources.nvml.library import Handle

# nvml.h: NVML_FI_DEV_POWER_AVERAGE and _INSTANT, in drivers from 530; NVML_POWER_SCOPE_GPU and _MODULE.
POWER_AVERAGE: Final = 185
POWER_INSTANT: Final = 186
SCOPE_GPU: Final = 0
SCOPE_MODULE: Final = 1

# nvml.h, nvmlValueType_t: which member of the union nvmlValue_t holds the value.
_UNION_MEMBER: Final = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}

_AMPERE: Final = 7  # NVML_DEVICE_ARCH_AMPERE
_UNKNOWN_ARCHITECTURE: Final = 0xFFFFFFFF

IDLE_SHARE: Final = 0.15
"""Assumed draw of an idle GPU as a share of its limit: data-centre cards show some 10 to 20 % (A100 SXM about 55 of
400 W, H100 SXM about 70 of 700 W in nvidia-smi)."""

_COUNTER = "nvmlDeviceGetTotalEnergyConsumption (Yang et al., SC'24: ±5 %)"
_INSTANT = "nvmlDeviceGetFieldValues POWER_INSTANT, integrated (Yang et al., SC'24)"
_AVERAGE = "nvmlDeviceGetFieldValues POWER_AVERAGE, the mean of the last second, integrated"
MOMENTARY_RATIO: Final = 0.10
TRAILING_RATIO: Final = 0.15
"""How far off integrated power may be, at moments and as the mean of the last second; see above. Ours."""

_FIELDS = (
    (POWER_INSTANT, "momentary power", _INSTANT, MOMENTARY_RATIO),
    (POWER_AVERAGE, "mean power", _AVERAGE, TRAILING_RATIO),
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
        source: Ready to be read.
        remark: Which better ones did not answer, for people.
    """

    source: Source
    remark: str


def probe(gpu: Gpu, nvml: ModuleType) -> Probed:
    """Find the best sensor of a GPU.

    Args:
        gpu: The GPU, as NVML lists it.
        nvml: The module :mod:`pynvml`.

    Raises:
        SourceUnavailable: It has none, or is gone; says what each answered.
    """
    if gpu.handle is None:
        raise SourceUnavailable("nvml", f"NVML gives no access to this GPU: {gpu.trouble}")
    failures: list[str] = []
    for name, attempt in _Candidates(gpu, gpu.handle, nvml).in_order():
        try:
            return Probed(attempt(), "; ".join(failures))
        except SourceLost as error:
            raise SourceUnavailable("nvml", str(error)) from error
        except SourceError as error:
            failures.append(f"{name}: {str(error).removeprefix('NVML: ')}")
        except AttributeError:
            failures.append(f"{name}: not known to this version of pynvml")
    raise SourceUnavailable("nvml", "no sensor of this GPU answers (" + "; ".join(failures) + ")")


class _Candidates:
    """Everything that can be tried on one GPU."""

    def __init__(self, gpu: Gpu, handle: Handle, nvml: ModuleType) -> None:
        self._gpu = gpu
        self._handle = handle
        self._nvml = nvml

    def in_order(self) -> Iterator[tuple[str, Callable[[], Source]]]:
        """What to try, best first."""
        module = self._is_module()
        scopes = (SCOPE_MODULE, SCOPE_GPU) if module else (SCOPE_GPU,)
        yield "energy counter", partial(self._counter, covers_host=module)
        for field, name, method, ratio in _FIELDS:
            for scope in scopes:
                label = f"{name} of the module" if scope == SCOPE_MODULE else name
                yield label, partial(self._field, field, scope, method, ratio)
        yield "power", self._power_usage
        yield "utilisation", self._model

    def _is_module(self) -> bool:
        """Whether GPU and CPU are one module whose counter covers both: by its C2C link, as Zeus tells Grace Hopper."""
        try:
            return bool(self._handle.ask(self._nvml.nvmlDeviceGetC2cModeInfoV).isC2cEnabled)
        except (SourceError, AttributeError):
            return False

    def _counter(self, *, covers_host: bool) -> Source:
        sensor = self._sensor(Provenance.COUNTER, 0.05, _COUNTER, covers_host=covers_host)
        question = self._nvml.nvmlDeviceGetTotalEnergyConsumption
        counter = NvmlCounter(sensor, self._handle, question, covers_host=covers_host)
        if counter.read_energy().microjoules == 0:
            # Some virtual GPUs answer, with a zero that stays.
            raise ReadFailed("it stands at zero")
        return counter

    def _field(self, field: int, scope: int, method: str, uncertainty_ratio: float) -> Source:
        get_field_values, error_type = self._nvml.nvmlDeviceGetFieldValues, self._nvml.NVMLError
        # Older pynvml knows fields without a scope only.
        request = [field] if scope == SCOPE_GPU else [(field, scope)]

        def milliwatts(handle: object) -> float:
            answer = get_field_values(handle, request)[0]
            if answer.nvmlReturn:
                raise error_type(answer.nvmlReturn)
            member = _UNION_MEMBER.get(answer.valueType)
            if member is None:
                raise ReadFailed(f"NVML: a power of the unknown type {answer.valueType}")
            return float(getattr(answer.value, member))

        covers_host = scope == SCOPE_MODULE
        sensor = self._sensor(Provenance.INTEGRATED, uncertainty_ratio, method, covers_host=covers_host)
        return self._tried(NvmlGauge(sensor, self._handle, milliwatts, covers_host=covers_host))

    def _power_usage(self) -> Source:
        architecture = self._architecture()
        if architecture is None:
            method, uncertainty_ratio = _UNCLEAR, TRAILING_RATIO
        elif architecture < _AMPERE:
            method, uncertainty_ratio = _MOMENTARY, MOMENTARY_RATIO
        else:
            method, uncertainty_ratio = (_MAYBE_TRAILING if architecture == _AMPERE else _TRAILING), TRAILING_RATIO
        sensor = self._sensor(Provenance.INTEGRATED, uncertainty_ratio, method)
        return self._tried(NvmlGauge(sensor, self._handle, self._nvml.nvmlDeviceGetPowerUsage, covers_host=False))

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
            return limit * (IDLE_SHARE + (1 - IDLE_SHARE) * busy)

        method = _MODEL.format(limit=limit / MILLIWATTS_PER_WATT, idle=IDLE_SHARE)
        sensor = self._sensor(Provenance.MODELLED, 0.5, method)
        return self._tried(NvmlGauge(sensor, self._handle, milliwatts, covers_host=False))

    def _tried(self, gauge: NvmlGauge) -> NvmlGauge:
        gauge.read_power()
        return gauge

    def _sensor(
        self, provenance: Provenance, uncertainty_ratio: float, method: str, *, covers_host: bool = False
    ) -> Sensor:
        name = f"{self._gpu.name} (module, CPU included)" if covers_host else self._gpu.name
        domain = Domain(Kind.GPU, domain_id(self._gpu.names.uuid), name)
        return Sensor(domain, provenance, uncertainty_ratio, method)


def domain_id(uuid: str) -> str:
    """The id of the domain of a GPU or slice."""
    return f"gpu:{uuid}"
