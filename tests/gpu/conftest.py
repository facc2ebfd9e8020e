"""What the tests on a GPU share: the reason to skip where there is none, and the file of results."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.gpu.measuring.results import FOLDER, VARIABLE, Results, gpu_facts, machine_of

NO_GPU = "torch finds no GPU that it can use"
_BUDGET_SECONDS = 540


def _trouble() -> str | None:
    """Why nothing here can run; ``None`` where it can."""
    if find_spec("torch") is None:
        return "torch is not installed"
    import torch

    return None if torch.cuda.is_available() else NO_GPU


@pytest.fixture(scope="session")
def gpu_uuid() -> str:
    """The UUID of the GPU that torch computes on, as NVML has it."""
    trouble = _trouble()
    if trouble is not None:
        pytest.skip(trouble)
    import torch

    uuid = str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid).removeprefix("GPU-")
    known = [f"GPU-{uuid}" for visible in _uuids() if visible == f"GPU-{uuid}"]
    if not known:
        pytest.skip(
            f"torch computes on {uuid}, which NVML does not show as a GPU: a MIG slice has no sensor of its own"
        )
    return known[0]


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest, gpu_uuid: str) -> Iterator[Results]:
    """Takes what is measured, and writes it at the end."""
    if request.config.option.markexpr != "gpu":
        pytest.skip("what a GPU can do is measured by `make test-gpu` alone")
    began = time.monotonic()
    collected = Results(machine_of(gpu_facts(_uuids().index(gpu_uuid))))
    yield collected
    seconds = time.monotonic() - began
    path = collected.write(Path(os.environ.get(VARIABLE) or FOLDER), seconds)
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and path is not None:
        late = f"; more than the {_BUDGET_SECONDS} s that they should take" if seconds > _BUDGET_SECONDS else ""
        reporter.write_line(f"\nresults of {collected.machine['gpu']} in {path}, after {seconds:.0f} s{late}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note what was skipped, and why, beside what was measured."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # a hook wrapper of pluggy, which pytest types as None
    collected = getattr(item, "funcargs", {}).get("results")
    if report.skipped and isinstance(collected, Results):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        collected.skipped[item.name] = reason.removeprefix("Skipped: ")
    del call


def _uuids() -> list[str]:
    """Those of all GPUs, in NVML's order."""
    import pynvml

    pynvml.nvmlInit()
    handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    uuids = [pynvml.nvmlDeviceGetUUID(handle) for handle in handles]
    return [uuid.decode() if isinstance(uuid, bytes) else uuid for uuid in uuids]
