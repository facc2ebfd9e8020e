"""A stand-in ``libnvidia-ml.so.1`` whose GPUs draw a known power, compiled where the tests run.

Ask for the fixture ``nvml_standin`` (a :class:`Standin`), describe a :class:`Scenario`, and compare with its truth::

    def test_a_counter_counts(nvml_standin: Standin) -> None:
        with nvml_standin.showing(Scenario.of(Gpu(watts=300, tick_ns=100_000_000))) as scenario:
            port = nvml.discover()[0].port
            ...
            scenario.true_joules(0, start_ns, end_ns)

    subprocess.run([...], env=nvml_standin.environment(Scenario.of(Gpu(), Gpu())))
"""

from tests.nvml_standin.library import Standin, build, compiler, limit_milliwatts, real_header_folder
from tests.nvml_standin.scenario import (
    ALL_READINGS_FAIL,
    DRIVER_NOT_LOADED,
    FUNCTION_NOT_FOUND,
    GPU_IS_LOST,
    NO_PERMISSION,
    NOT_SUPPORTED,
    RESET_REQUIRED,
    TIMEOUT,
    UNKNOWN,
    UNSIGNED_INT,
    UNSIGNED_LONG_LONG,
    Gpu,
    Process,
    Scenario,
    Slice,
    gpu_uuid,
)

__all__ = [
    "ALL_READINGS_FAIL",
    "DRIVER_NOT_LOADED",
    "FUNCTION_NOT_FOUND",
    "GPU_IS_LOST",
    "NOT_SUPPORTED",
    "NO_PERMISSION",
    "RESET_REQUIRED",
    "TIMEOUT",
    "UNKNOWN",
    "UNSIGNED_INT",
    "UNSIGNED_LONG_LONG",
    "Gpu",
    "Process",
    "Scenario",
    "Slice",
    "Standin",
    "build",
    "compiler",
    "gpu_uuid",
    "limit_milliwatts",
    "real_header_folder",
]
