"""What AMD's library adds to its GPUs, on a stand-in for it beside a recorded machine of two boards."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from lightning_carbon.ports import Finding
from lightning_carbon.sources.hwmon import discovery as hwmon
from lightning_carbon.sources.hwmon.amd_library import AmdLibrary, neighbours
from tests.worlds import write_world

pytestmark = pytest.mark.linux
FIRST_NAMESPACE = 4026531836
MINE, OTHER = 100, 200
BOARD = "0000:31:00.0"


class AmdSmi(SimpleNamespace):
    """``amdsmi`` (ROCm 7), whose handles are the addresses themselves, and which prints when it is imported."""

    def __init__(self, **settings: object) -> None:
        super().__init__(processes=[], fails=False, imports=0, **settings)

    def load(self, name: str) -> object:
        """Import it, as loudly as it does without its driver."""
        self.imports += 1
        print("Unable to find libamd_smi.so library")  # noqa: T201 - as some versions do
        if self.fails:
            raise ImportError(name)
        return self

    def amdsmi_init(self) -> None:
        """Nothing to do."""

    def amdsmi_get_processor_handles(self) -> list[str]:
        """The first board alone."""
        return [BOARD]

    def amdsmi_get_gpu_device_bdf(self, handle: str) -> str:
        """The address."""
        return handle.upper()

    def amdsmi_get_gpu_device_uuid(self, handle: str) -> str:
        """An id made from the address."""
        return f"48ff740c-0000-1000-80{handle[5:7]}-000000000000"

    def amdsmi_get_gpu_process_list(self, handle: str) -> list[object]:
        """The processes on it."""
        del handle
        return list(self.processes)


def process(pid: int, held: int = 1 << 30) -> dict[str, object]:
    """An entry of the library's list."""
    return {"name": "python", "pid": pid, "memory_usage": {"gtt_mem": 0, "cpu_mem": 0, "vram_mem": held}}


def found(
    folder: Path, smi: AmdSmi, namespace: int | None = FIRST_NAMESPACE, *, unique_id: bool = True
) -> list[Finding]:
    """The findings for the first board."""
    root = write_world("amd", folder)
    if not unique_id:
        for path in list(root.rglob("unique_id")):
            path.unlink()
    library = AmdLibrary(lambda: {MINE}, load=smi.load, namespace=lambda: namespace)
    return hwmon.discover((BOARD,), {}, root, host=False, library=library).accelerators[:1]


def test_a_gpu_has_its_uuid_and_the_other_programs_on_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Named at the start and at every further look, without the job's own, and without a word of the library's."""
    smi = AmdSmi()
    smi.processes = [process(MINE), process(OTHER), process(300, held=0), object()]
    [finding] = found(tmp_path, smi)

    assert "UUID 48ff740c-0000-1000-8031-000000000000" in finding.reason
    assert finding.reason.endswith(f"is charged whole, and other programs use it, too: pid {OTHER}")
    assert neighbours(finding).endswith(f"pid {OTHER}")

    smi.processes = [process(MINE)]
    assert "" == neighbours(finding)
    assert ("", "") == capfd.readouterr()


def test_a_gpu_without_an_id_of_the_kernel_goes_by_its_uuid(tmp_path: Path) -> None:
    """So that it has the same id in whatever slot it is; the kernel's id comes first."""
    [with_id] = found(tmp_path / "a", AmdSmi())
    [without] = found(tmp_path / "b", AmdSmi(), unique_id=False)
    assert with_id.port is not None
    assert without.port is not None

    assert "gpu:5a7c1b1e2f3d4c01" == with_id.port.sensor.domain.id
    assert "gpu:48ff740c-0000-1000-8031-000000000000" == without.port.sensor.domain.id


def test_in_a_container_no_program_is_named(tmp_path: Path) -> None:
    """The numbers of its processes are others outside."""
    smi = AmdSmi()
    smi.processes = [process(OTHER)]
    [finding] = found(tmp_path, smi, namespace=4026532000)

    assert "other programs" not in finding.reason
    assert "" == neighbours(finding)


def test_a_library_that_is_missing_is_asked_for_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing depends on it, and nothing is said of it."""
    smi = AmdSmi()
    smi.fails = True
    [finding] = found(tmp_path, smi)

    assert ("", 1) == (finding.reason, smi.imports)
    assert finding.port is not None
    assert ("", "") == capfd.readouterr()
