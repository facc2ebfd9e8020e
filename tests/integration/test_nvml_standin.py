"""The stand-in driver itself: NVIDIA's interface, and power that is what its closed form says."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pynvml
import pytest

from tests.nvml_standin import GPU_IS_LOST, UNKNOWN, Gpu, Scenario, build, compiler, real_header_folder
from tests.nvml_standin.library import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.nvml_standin import Standin

SECOND = 1_000_000_000
SHAPES = [
    Gpu(shape="constant", watts=412.5),
    Gpu(shape="sine", watts=300, amplitude_watts=250, period_seconds=0.37),
    Gpu(shape="square", watts=300, amplitude_watts=250, period_seconds=0.011),
    Gpu(shape="saw", watts=300, amplitude_watts=250, period_seconds=0.029),
]


@pytest.fixture
def real_header() -> str:
    """The compiler's words that make it use NVIDIA's own header."""
    if compiler() is None:
        pytest.skip("the stand-in NVML needs a C compiler (cc, gcc or clang)")
    folder = real_header_folder()
    if folder is None:
        pytest.skip("NVIDIA's nvml.h is not installed (pip install nvidia-nvml-dev)")
    return f"-isystem{folder}"


@contextmanager
def started(standin: Standin, *gpus: Gpu) -> Iterator[Scenario]:
    """A scenario in force, with NVML initialised and this package not in between."""
    with standin.showing(Scenario.of(*gpus)) as scenario:
        pynvml.nvmlInit()
        try:
            yield scenario
        finally:
            pynvml.nvmlShutdown()


def test_declarations_agree_with_nvidias_header(real_header: str, tmp_path: Path) -> None:
    """Built against the real nvml.h, every prototype, size, offset and constant of the stand-in still holds."""
    assert build(tmp_path, "-DNVML_STANDIN_REAL_HEADER", real_header).exists()


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        (
            "nvml_standin.c",
            "nvmlDevice_t device, unsigned long long *energy",
            "nvmlDevice_t device, unsigned int *energy",
        ),
        ("layout_check.h", "SIZE(nvmlFieldValue_t, 40)", "SIZE(nvmlFieldValue_t, 48)"),
        ("layout_check.h", "VALUE(NVML_FI_DEV_POWER_INSTANT, 186)", "VALUE(NVML_FI_DEV_POWER_INSTANT, 185)"),
    ],
)
def test_a_declaration_that_disagrees_does_not_compile(
    real_header: str, tmp_path: Path, file: str, right: str, wrong: str
) -> None:
    """The comparison with the real header would notice a wrong type, size or constant."""
    copy = shutil.copytree(HERE, tmp_path / "source")
    text = (copy / file).read_text()
    assert right in text
    (copy / file).write_text(text.replace(right, wrong))

    with pytest.raises(RuntimeError, match="error:"):
        build(tmp_path, "-DNVML_STANDIN_REAL_HEADER", real_header, source=copy)


@pytest.mark.parametrize("gpu", SHAPES, ids=lambda gpu: gpu.shape)
def test_the_counter_is_the_integral_of_the_power(nvml_standin: Standin, gpu: Gpu) -> None:
    """What the counter shows lies, to the millijoule, between the true energies before and after the call."""
    with started(nvml_standin, gpu):
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        for _ in range(50):
            before = time.monotonic_ns()
            millijoules = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
            after = time.monotonic_ns()

            low, high = (gpu.counter_start_joules + gpu.true_joules(0, at) for at in (before, after))
            assert low - 0.002 <= millijoules / 1_000 <= high + 0.001
            time.sleep(0.0007)


@pytest.mark.parametrize("gpu", SHAPES, ids=lambda gpu: gpu.shape)
def test_the_known_integral_is_that_of_the_known_power(gpu: Gpu) -> None:
    """The closed form of the energy agrees with a fine sum over the closed form of the power."""
    start, step, steps = 123 * SECOND + 4_567, 5_000, 100_000
    total = sum(gpu.watts_at(start + step * at + step // 2) for at in range(steps)) * step / 1e9

    assert total == pytest.approx(
        gpu.true_joules(start, start + step * steps), rel=3e-4
    )  # each jump of the saw is misplaced by up to half a step


def test_a_ticking_counter_moves_on_its_grid(nvml_standin: Standin) -> None:
    """Between two ticks the counter shows the energy up to the first of them."""
    tick, phase = 50_000_000, 7_000_000
    gpu = Gpu(shape="sine", watts=300, amplitude_watts=200, period_seconds=0.7, tick_ns=tick, tick_phase_ns=phase)
    with started(nvml_standin, gpu):
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        start, seen, ticks = 123 * SECOND, set(), set()
        for step in range(200):
            nvml_standin.hold(at := start + step * 1_300_000)
            millijoules = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
            ticked = (at - phase) // tick * tick + phase
            seen.add(millijoules)
            ticks.add(ticked)

            assert abs(millijoules - 1_000 * (gpu.true_joules(0, ticked) + gpu.counter_start_joules)) <= 1

    assert len(ticks) == len(seen) > 3


def test_a_reset_counter_starts_again_from_zero(nvml_standin: Standin) -> None:
    """After its reset the counter shows the energy since then."""
    reset_at = time.monotonic_ns() - SECOND
    with started(nvml_standin, Gpu(watts=100, reset_at_ns=reset_at)) as scenario:
        millijoules = pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByIndex(0))
        after = time.monotonic_ns()

    assert 99.9 <= millijoules / 1_000 <= scenario.true_joules(0, reset_at, after) + 0.001


@pytest.mark.parametrize(
    ("trouble", "code"),
    [({"lost_at_ns": 1}, GPU_IS_LOST), ({"fail_from_ns": 1}, UNKNOWN), ({"energy_code": 3}, 3)],
)
def test_trouble_answers_with_the_code_of_nvml(nvml_standin: Standin, trouble: dict[str, int], code: int) -> None:
    """A GPU that is lost, fails or does not support a call raises pynvml's error for it."""
    with (
        started(nvml_standin, Gpu(**trouble)),  # type: ignore[arg-type]
        pytest.raises(pynvml.NVMLError) as caught,
    ):
        pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByIndex(0))

    assert code == caught.value.value


def test_trouble_that_is_over_is_over(nvml_standin: Standin) -> None:
    """Readings work again after the end of a failure."""
    with started(nvml_standin, Gpu(fail_from_ns=1, fail_until_ns=2)):
        assert pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByIndex(0)) > 0


def test_a_hanging_reading_hangs_and_lets_python_run(nvml_standin: Standin) -> None:
    """A call that hangs holds its own thread only."""
    with started(nvml_standin, Gpu(hang_at_ns=1)):
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        thread = threading.Thread(target=pynvml.nvmlDeviceGetPowerUsage, args=(handle,), daemon=True)
        thread.start()
        thread.join(0.1)

        assert thread.is_alive()


def test_sixteen_gpus_are_told_apart(nvml_standin: Standin) -> None:
    """Every GPU has its own UUID, PCI address and index, and is found by each."""
    with started(nvml_standin, *(Gpu() for _ in range(16))) as scenario:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        uuids = [pynvml.nvmlDeviceGetUUID(handle) for handle in handles]
        by_bus = [pynvml.nvmlDeviceGetHandleByPciBusId(pynvml.nvmlDeviceGetPciInfo(handle).busId) for handle in handles]
        indices = [pynvml.nvmlDeviceGetIndex(handle) for handle in by_bus]
        driver = pynvml.nvmlSystemGetDriverVersion()

    assert [scenario.uuid(index) for index in range(16)] == uuids
    assert list(range(16)) == indices
    assert scenario.driver_version == driver
