"""What class of machine this is, and what part of it is the job's."""

from __future__ import annotations

import pytest

from lightning_carbon.grid.machines import (
    CLOUD_VM,
    CPU_NODE,
    DESKTOP,
    LAPTOP,
    SERVER_4_GPU,
    SERVER_8_GPU_AIR,
    WORKSTATION,
)
from lightning_carbon.sources.machine_class import Accelerators, Chassis, machine_class

H100 = "NVIDIA H100 80GB HBM3"
CARD = "NVIDIA GeForce RTX 4090"


@pytest.mark.parametrize(
    ("chassis", "names", "expected"),
    [
        (Chassis(3), [CARD], DESKTOP),
        (Chassis(7), [CARD, CARD], WORKSTATION),
        (Chassis(3), [], DESKTOP),
        (Chassis(10), [CARD], LAPTOP),
        (Chassis(23), [], CPU_NODE),
        (Chassis(23), ["NVIDIA L40S"] * 4, SERVER_4_GPU),
        (Chassis(23), ["NVIDIA L40S"] * 8, SERVER_8_GPU_AIR),
        (Chassis(23), [H100] * 8, SERVER_8_GPU_AIR),
        (Chassis(1, is_guest=True), [H100] * 8, SERVER_8_GPU_AIR),
        (Chassis(1, is_guest=True), ["NVIDIA A100-SXM4-40GB"] * 4, SERVER_4_GPU),
        (Chassis(1, is_guest=True), ["Tesla T4"], CLOUD_VM),
        (Chassis(1, is_guest=True), [], CLOUD_VM),
        (Chassis(), [], CPU_NODE),
        (Chassis(), [CARD], DESKTOP),
    ],
)
def test_chassis_and_accelerators_tell_the_class(chassis: Chassis, names: list[str], expected: str) -> None:
    """By what it has; it is assumed, and says what it follows from."""
    model = machine_class(chassis, Accelerators(tuple(names), len(names)))

    assert (expected, True) == (model.machine, model.assumed)
    assert model.reason


@pytest.mark.parametrize(
    ("names", "of_job", "cpu_portion", "expected"),
    [
        ([H100] * 8, 8, 1.0, 1.0),
        ([H100] * 8, 2, 0.5, 0.25),
        ([H100], 1, 1.0, 0.125),
        ([CARD] * 4, 1, 1.0, 0.25),
        ([CARD] * 4, 0, 0.5, 0.5),
        ([], 0, 0.25, 0.25),
    ],
)
def test_a_job_has_the_part_of_its_accelerators_or_processors(
    names: list[str], of_job: int, cpu_portion: float, expected: float
) -> None:
    """An H100 that is alone in a container is one of eight; without accelerators the processors decide."""
    model = machine_class(Chassis(23), Accelerators(tuple(names), of_job), cpu_portion, cpu_reason="a cgroup")

    assert expected == model.portion
