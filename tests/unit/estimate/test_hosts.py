"""The machine that an estimate counts: by number and model of accelerators, or as named."""

from __future__ import annotations

import pytest

from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.estimating import estimate
from lightning_carbon.estimate.factors import HOST_FIXED
from lightning_carbon.estimate.planning import plan
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.machines import MACHINES
from lightning_carbon.grid.pue import pue_of


def rest_watts(gpu: str | None, count: int, machine: str | None = None, gpu_watts: float | None = None) -> float:
    """The mean power of all that is not an accelerator."""
    job = plan(gpu, count, 1.0, machine=machine, gpu_watts=gpu_watts)
    priced = estimate(job, intensity=intensity_of("SE"), pue=pue_of(1.0))
    return priced.host.value.joules / 3600


@pytest.mark.parametrize(
    ("gpu", "count", "expected"),
    [
        ("RTX 4090", 1, "desktop"),
        ("RTX 4090", 2, "workstation"),
        ("RTX 4090", 4, "workstation"),
        ("RTX 4090", 8, "server-8gpu-air"),
        ("H100", 1, "server-8gpu-air"),
        ("H100", 8, "server-8gpu-air"),
        ("TPU v2", 8, "server-8gpu-air"),
    ],
)
def test_the_machine_follows_from_its_accelerators(gpu: str, count: int, expected: str) -> None:
    """Assumed, as the meter assumes it."""
    host = plan(gpu, count, 1.0, gpu_watts=300.0).host

    assert (expected, True) == (host.machine, host.assumed)


def test_a_desktop_s_rest_is_that_of_the_meter_s_class() -> None:
    """Its constant and share, and processors and memory that the meter counts as chips."""
    model = MACHINES["desktop"]
    job = plan("RTX 4090", 1, 1.0)
    watts = job.share.span.value * job.rated_watts

    assert pytest.approx(model.constant_watts + 40.0 * (1 + model.share) + model.share * watts) == rest_watts(
        "RTX 4090", 1
    )


def test_cards_share_a_machine() -> None:
    """Four in a workstation have its constant once, and five in two; of a server a job has its part."""
    four, five = (plan("RTX 4090", count, 1.0, machine="workstation").host for count in (4, 5))
    half = plan("A100", 2, 1.0, machine="server-4gpu").host

    assert pytest.approx(2 * 4 * four.fixed_watts.span.value) == 5 * five.fixed_watts.span.value
    assert half.fixed_watts == plan("A100", 4, 1.0, machine="server-4gpu").host.fixed_watts


def test_a_server_of_eight_goes_by_the_rating() -> None:
    """Named as a class or by its own name, it is what is assumed; none leaves it out."""
    job = plan("H100", 8, 1.0)

    assert job.host.fixed_watts.span == HOST_FIXED.span.times(job.rated_watts)
    assert rest_watts("H100", 8) == rest_watts("H100", 8, "dgx-h100") == rest_watts(None, 8, None, 700.0)
    assert 0.0 == rest_watts("H100", 8, "none")


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_every_class_of_the_meter_can_be_named(machine: str) -> None:
    """With a range around its value."""
    host = plan("RTX 4090", 1, 1.0, machine=machine).host

    assert (machine, False) == (host.machine, host.assumed)
    assert host.fixed_watts.span.low <= host.fixed_watts.span.value <= host.fixed_watts.span.high


def test_a_class_that_is_none_is_told() -> None:
    """With those that there are."""
    with pytest.raises(ConfigError, match=r"machine='toaster' cannot be used: .*workstation"):
        plan("H100", 1, 1.0, machine="toaster")
