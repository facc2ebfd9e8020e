"""Accelerators that a training computes on and that nothing can meter."""

from __future__ import annotations

import pytest

from lightning_carbon.ports import ACCELERATOR, Finding
from lightning_carbon.sources.accelerators import ROCM, not_metered
from lightning_carbon.testing import ManualClock, ScriptedCounter

NO_DRIVER = Finding("nvml", "NVIDIA GPUs", reason="the NVIDIA driver is installed and not loaded")


@pytest.mark.parametrize(
    ("computes_on", "name"),
    [
        (ROCM, "AMD GPU"),
        ("xpu", "Intel GPU"),
        ("xpu:1", "Intel GPU"),
        ("mps", "Apple GPU"),
        ("xla", "TPU"),
        ("hpu", "Intel Gaudi"),
        ("npu", "Ascend NPU"),
        ("mtia", "accelerator of torch's type 'mtia'"),
    ],
)
def test_an_accelerator_that_nothing_can_meter_is_a_finding(computes_on: str, name: str) -> None:
    """Whatever torch computes on, save the processor, is told where no sensor of ours can read it."""
    [finding] = not_metered(computes_on, [NO_DRIVER])

    assert (ACCELERATOR, name, None) == (finding.source, finding.subject, finding.port)
    assert "in no figure" in finding.reason


@pytest.mark.parametrize("computes_on", [None, "", "cpu", "meta", "cuda"])
def test_what_is_metered_or_unknown_is_no_finding(computes_on: str | None) -> None:
    """A processor is not told, nor a device of which nobody knows, nor an NVIDIA GPU that is metered."""
    assert [] == not_metered(computes_on, [Finding("nvml", "GPU 0", ScriptedCounter(ManualClock()))])


def test_an_nvidia_gpu_without_a_sensor_is_a_finding_with_the_reason() -> None:
    """A training on CUDA of which no GPU can be metered is told, by the reason that NVML gave."""
    [finding] = not_metered("cuda:0", [NO_DRIVER])

    assert ("NVIDIA GPU", NO_DRIVER.reason) == (finding.subject, finding.reason)


def test_an_nvidia_gpu_that_was_not_asked_for_is_no_finding() -> None:
    """Where the user asked for no GPU, none is missed."""
    assert [] == not_metered("cuda:0", [])
