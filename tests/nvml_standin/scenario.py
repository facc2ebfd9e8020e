"""What the GPUs of the stand-in driver are, and what they truly draw.

Power is a closed form of ``CLOCK_MONOTONIC`` (what :func:`time.monotonic_ns` and, on Linux,
:func:`time.perf_counter_ns` show), so the energy between any two moments is known without sampling. The formulas here
and in ``nvml_standin.c`` are written separately, and a test holds one against the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

NOT_SUPPORTED = 3
NO_PERMISSION = 4
DRIVER_NOT_LOADED = 9
TIMEOUT = 10
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
RESET_REQUIRED = 16
UNKNOWN = 999

UNSIGNED_INT = 1
UNSIGNED_LONG_LONG = 3

ALL_READINGS_FAIL = {"energy_code": NOT_SUPPORTED, "fields_code": NOT_SUPPORTED, "power_code": NOT_SUPPORTED}
"""Keyword arguments of a :class:`Gpu` that leaves nothing but utilisation and limit."""


def gpu_uuid(index: int) -> str:
    """A UUID that tells its GPU by the first digits: ``GPU-0a5e1e00-...`` is GPU 0."""
    return f"GPU-{index:x}a5e1e00-c0de-4b1d-9e1f-{index:012x}"


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A MIG slice of a GPU.

    Args:
        uuid: Its UUID, ``MIG-...``.
        name: As NVML names it.
        gpu_instance: The id of its GPU instance.
        compute_instance: The id of its compute instance in the GPU instance.
        gpu_slices: How many compute slices the GPU instance has.
        compute_slices: How many of these the compute instance has.
        attributes_code: What ``nvmlDeviceGetAttributes`` answers; 0 works.
    """

    uuid: str
    name: str = "NVIDIA A100-SXM4-40GB MIG 1g.5gb"
    gpu_instance: int = 7
    compute_instance: int = 0
    gpu_slices: int = 1
    compute_slices: int = 1
    attributes_code: int = 0


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process on a GPU.

    Args:
        pid: Its number.
        percent: How busy it keeps the GPU's multiprocessors while it is there.
        list: Which of NVML's lists has it.
        from_ns: The moment of ``CLOCK_MONOTONIC`` at which it comes.
        until_ns: The moment at which it goes; 0 is never.
    """

    pid: int
    percent: int = 0
    list: Literal["compute", "graphics", "mps"] = "compute"
    from_ns: int = 0
    until_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """A GPU of the stand-in; every ``_ns`` is a moment of ``CLOCK_MONOTONIC`` where 0 is never, every ``_code`` what a
    call answers where 0 works.

    Args:
        uuid: Its UUID; unset, one that tells its index.
        name: The model.
        bus_id: Its PCI address; unset, one that tells its index.
        architecture: As ``nvmlDeviceGetArchitecture`` counts: 7 Ampere, 9 Hopper.
        shape: The form of its power over time.
        watts: The mean power. Keep the lowest power above 0, as that of a real GPU is.
        amplitude_watts: How far the power swings to either side of the mean (square: first half above, second below;
            saw: rising from below to above).
        period_seconds: The length of one swing.
        origin_ns: When the first swing began.
        counter_start_joules: What the counter had at ``origin_ns``.
        tick_ns: How often the energy counter moves; 0 is always.
        tick_phase_ns: A moment at which it moves.
        power_tick_ns: How often the power reading moves; 0 is always.
        reset_at_ns: When the counter starts again from zero, as when the driver is reloaded.
        lost_at_ns: When the GPU falls off the bus.
        hang_at_ns: From when on readings hang for an hour.
        zero_from_ns: From when on power readings show 0 W.
        fail_from_ns: From when on readings answer ``fail_code``.
        fail_until_ns: When they work again.
        fail_code: What they answer meanwhile.
        slow_ms: How long every reading takes.
        handle_code: What asking for its handle answers.
        energy_code: ... the energy counter.
        fields_code: ... ``nvmlDeviceGetFieldValues`` as a whole.
        instant_code: ... the field of the momentary power.
        average_code: ... the field of the mean power.
        power_code: ... ``nvmlDeviceGetPowerUsage``.
        utilization_code: ... ``nvmlDeviceGetUtilizationRates``.
        limit_code: ... ``nvmlDeviceGetEnforcedPowerLimit``.
        power_is_average: Whether ``nvmlDeviceGetPowerUsage`` shows the mean of the second before.
        field_type: The ``nvmlValueType_t`` of field values; one that NVML does not know gives garbage.
        utilization: In percent.
        limit_milliwatts: The power limit, by default and the highest; a quarter is the lowest.
        set_limit_code: What ``nvmlDeviceSetPowerManagementLimit`` answers.
        follows_limit: Whether it draws no more than the limit in force.
        celsius: Its temperature.
        sm_megahertz: The clock of its processors.
        memory_megahertz: The clock of its memory.
        memory_used_bytes: The memory in use.
        event_reasons: The mask of reasons for which its clocks are low.
        throttle_from_ns: From when on they hold; 0 is always.
        throttle_until_ns: When they end.
        gauges_hang_at_ns: From when on its gauges hang for an hour, beside counter and power, which go on.
        gauges_code: ... temperature, clocks, memory and reasons.
        older_reasons: Whether the driver knows the reasons by their former name alone.
        c2c: What ``nvmlDeviceGetC2cModeInfoV`` says: whether a link to a CPU is on.
        c2c_code: What it answers.
        serial: The serial number of its board, which GPUs of one module share; unset, NVML gives none.
        module_watts: What the power fields show in the scope of the module; 0 where they show nothing.
        module_limit_milliwatts: The highest power limit in that scope.
        memory_watts: What the fields show in the scope of the memory.
        first_energy_calls: How many calls of the energy counter answer 0 J with ``first_energy_code``.
        first_energy_code: What they answer.
        mig_enabled: Whether MIG is on.
        mig_code: What ``nvmlDeviceGetMigMode`` answers.
        profiles_code: What asking for a GPU instance profile answers.
        max_slices: How many compute slices the GPU has in MIG mode.
        processes_code: What the lists of processes answer.
        samples_code: What ``nvmlDeviceGetProcessUtilization`` answers.
        samples_garbage: Whether an entry that is no sample is among its answers.
        sample_ns: How often it takes samples.
        slices: Its MIG slices.
        processes: Who is on it, at most 16.
    """

    uuid: str = ""
    name: str = "NVIDIA H100 80GB HBM3"
    bus_id: str = ""
    architecture: int = 9
    shape: Literal["constant", "sine", "square", "saw"] = "constant"
    watts: float = 300.0
    amplitude_watts: float = 0.0
    period_seconds: float = 1.0
    origin_ns: int = 0
    counter_start_joules: float = 1_000.0
    tick_ns: int = 0
    tick_phase_ns: int = 0
    power_tick_ns: int = 0
    reset_at_ns: int = 0
    lost_at_ns: int = 0
    hang_at_ns: int = 0
    zero_from_ns: int = 0
    fail_from_ns: int = 0
    fail_until_ns: int = 0
    fail_code: int = UNKNOWN
    slow_ms: int = 0
    handle_code: int = 0
    energy_code: int = 0
    fields_code: int = 0
    instant_code: int = 0
    average_code: int = 0
    power_code: int = 0
    utilization_code: int = 0
    limit_code: int = 0
    power_is_average: bool = False
    field_type: int = UNSIGNED_INT
    utilization: int = 50
    limit_milliwatts: int = 700_000
    set_limit_code: int = 0
    follows_limit: bool = False
    celsius: int = 55
    sm_megahertz: int = 1_980
    memory_megahertz: int = 2_619
    memory_used_bytes: int = 40 << 30
    event_reasons: int = 0
    throttle_from_ns: int = 0
    throttle_until_ns: int = 0
    gauges_hang_at_ns: int = 0
    gauges_code: int = 0
    older_reasons: bool = False
    c2c: bool = False
    c2c_code: int = 0
    serial: str = ""
    module_watts: float = 0.0
    module_limit_milliwatts: int = 0
    memory_watts: float = 0.0
    first_energy_calls: int = 0
    first_energy_code: int = 0
    mig_enabled: bool = False
    mig_code: int = 0
    profiles_code: int = 0
    max_slices: int = 7
    processes_code: int = 0
    samples_code: int = 0
    samples_garbage: bool = False
    sample_ns: int = 100_000_000
    slices: tuple[Slice, ...] = ()
    processes: tuple[Process, ...] = ()

    def watts_at(self, at_ns: int) -> float:
        """The power at a moment of ``CLOCK_MONOTONIC``."""
        part = self._part_of_period(at_ns)
        match self.shape:
            case "sine":
                swing = math.sin(2 * math.pi * part)
            case "square":
                swing = 1.0 if part < 0.5 else -1.0
            case "saw":
                swing = 2 * part - 1
            case _:
                swing = 0.0
        return self.watts + self.amplitude_watts * swing

    def true_joules(self, start_ns: int, end_ns: int) -> float:
        """The energy drawn between two moments of ``CLOCK_MONOTONIC``, exactly, whatever the counter says."""
        return self.watts * (end_ns - start_ns) / 1e9 + self._swing_joules(end_ns) - self._swing_joules(start_ns)

    def _part_of_period(self, at_ns: int) -> float:
        seconds = (at_ns - self.origin_ns) / 1e9
        return seconds / self.period_seconds % 1.0

    def _swing_joules(self, at_ns: int) -> float:
        """What the swing has added since its period began; nothing is left of it when the period ends."""
        part = self._part_of_period(at_ns)
        match self.shape:
            case "sine":
                integral = (1 - math.cos(2 * math.pi * part)) / (2 * math.pi)
            case "square":
                integral = min(part, 1 - part)
            case "saw":
                integral = part * part - part
            case _:
                integral = 0.0
        return self.amplitude_watts * self.period_seconds * integral


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A machine as the stand-in driver shows it.

    Args:
        gpus: Its GPUs, at most 16, in the order of NVML's indices.
        init_code: What ``nvmlInit`` answers; 0 works.
        init_ms: How long it takes.
        driver_version: For people.
    """

    gpus: tuple[Gpu, ...] = field(default_factory=lambda: (Gpu(),))
    init_code: int = 0
    init_ms: int = 0
    driver_version: str = "580.65.06"

    @classmethod
    def of(cls, *gpus: Gpu) -> Scenario:
        """A working machine with these GPUs."""
        return cls(gpus=gpus)

    def uuid(self, index: int) -> str:
        """The UUID of a GPU."""
        return self.gpus[index].uuid or gpu_uuid(index)

    def true_joules(self, index: int, start_ns: int, end_ns: int) -> float:
        """What a GPU drew between two moments of ``CLOCK_MONOTONIC``, exactly."""
        return self.gpus[index].true_joules(start_ns, end_ns)

    def write(self, path: Path) -> Path:
        """Write the file that ``NVML_STANDIN_CONFIG`` names."""
        lines = [f"init_code {self.init_code}", f"init_ms {self.init_ms}", f"driver_version {self.driver_version}"]
        for index, gpu in enumerate(self.gpus):
            lines += ["gpu", f"uuid {gpu_uuid(index)}", f"bus_id 00000000:{16 + index:02X}:00.0"]
            lines += _lines(gpu)
            lines += [
                f"process {process.pid} {process.list} {process.percent} {process.from_ns} {process.until_ns}"
                for process in gpu.processes
            ]
            for part in gpu.slices:
                lines += ["slice", *_lines(part)]
        path.write_text("\n".join(lines) + "\n")
        return path


def _lines(thing: Gpu | Slice) -> list[str]:
    """The ``key value`` lines of a GPU or slice; empty strings keep what was written before."""
    names = [entry.name for entry in fields(thing) if entry.name not in {"slices", "processes"}]
    values = {name: getattr(thing, name) for name in names}
    return [f"{key} {int(value) if isinstance(value, bool) else value}" for key, value in values.items() if value != ""]
