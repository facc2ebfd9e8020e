"""From the rating of an accelerator to energy, CO2e and money: laws, measured systems, and one estimate by hand."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.accelerators import accelerators, find_accelerator
from lightning_carbon.estimate.assumptions import assumptions
from lightning_carbon.estimate.calibration import (
    MACHINE,
    MeasuredTraining,
    PublishedHours,
    full_share,
    held_out,
    measured_trainings,
    mfu_of,
    published_hours,
    tpu_share,
    training_share,
)
from lightning_carbon.estimate.estimating import Estimate, estimate
from lightning_carbon.estimate.factors import (
    FULL_SHARE,
    HOST_FIXED,
    HOST_SHARE,
    IDLE_SHARE,
    MFU,
    SMALL_MFU,
    SMALL_PARAMETERS,
    TPU_SHARE,
    TRAINING_SHARE,
    USD_PER_KWH,
)
from lightning_carbon.estimate.planning import plan
from lightning_carbon.grid.machines import MACHINES, SERVER_8_GPU_AIR
from tools import estimate_tables

PUE = PowerUsage(1.5, 1.0, 2.0, "a test", assumed=True)


def intensity_of(region: str, value: float, low: float | None = None, high: float | None = None) -> Intensity:
    """A carbon intensity in grams per kWh."""
    least, most = (value if end is None else end for end in (low, high))
    return Intensity(value, least, most, "a test", 2025, "life-cycle", region, assumed=False)


def estimate_of(
    count: int = 1,
    hours: float = 1.0,
    utilisation: float | None = None,
    gpu: str | None = "H100",
    gpu_watts: float | None = None,
    grams: float = 100.0,
) -> Estimate:
    """An estimate at 100 g/kWh and a PUE between 1 and 2."""
    job = plan(gpu, count, hours, utilisation=utilisation, gpu_watts=gpu_watts)
    return estimate(job, intensity=intensity_of("SWE", grams, grams / 2, grams * 2), pue=PUE)


jobs = st.tuples(st.integers(1, 10_000), st.floats(1e-3, 1e5))


@given(job=jobs, factor=st.integers(2, 50), utilisation=st.none() | st.floats(0, 1))
def test_an_estimate_is_linear_in_hours_and_in_number(
    job: tuple[int, float], factor: int, utilisation: float | None
) -> None:
    """So many times as long, or as many, is so many times the energy, the CO2e and the money, at every end."""
    count, hours = job
    once = estimate_of(count, hours, utilisation)

    for more in (estimate_of(count * factor, hours, utilisation), estimate_of(count, hours * factor, utilisation)):
        for end in ("value", "low", "high"):
            expected = factor * getattr(once.energy, end).joules
            assert expected == pytest.approx(getattr(more.energy, end).joules, rel=1e-6)
            assert factor * getattr(once.site_kwh, end) == pytest.approx(getattr(more.site_kwh, end), rel=1e-6)
        assert factor * once.footprint.value.grams == pytest.approx(more.footprint.value.grams, rel=1e-6)
        assert once.cloud_usd is not None
        assert tuple(factor * usd for usd in once.cloud_usd) == pytest.approx(more.cloud_usd)


@given(job=jobs, shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_the_busier_the_more(job: tuple[int, float], shares: tuple[float, float]) -> None:
    """Energy and CO2e never fall where utilisation rises, at any end of the range."""
    less, more = (estimate_of(*job, utilisation=share) for share in sorted(shares))

    assert less.energy.value <= more.energy.value
    assert less.energy.low <= more.energy.low
    assert less.energy.high <= more.energy.high
    assert less.footprint.value <= more.footprint.value


@given(
    job=jobs,
    part=st.sampled_from([accelerator for accelerator in accelerators() if accelerator.power_watts]),
    grams=st.floats(0, 2_000),
)
def test_the_range_holds_the_value(job: tuple[int, float], part: object, grams: float) -> None:
    """Whatever is estimated lies between its ends, and nothing is below zero."""
    count, hours = job
    found = estimate_of(count, hours, gpu=str(part), grams=grams)

    for bounds in (found.energy, found.accelerators, found.host):
        assert 0 <= bounds.low.microjoules <= bounds.value.microjoules <= bounds.high.microjoules
    for span in (found.site_kwh, found.electricity_usd, found.mean_watts):
        assert 0 <= span.low <= span.value <= span.high
    assert 0 <= found.footprint.low.grams <= found.footprint.value.grams <= found.footprint.high.grams


def test_an_idle_accelerator_still_draws() -> None:
    """At a utilisation of zero what remains is the idle share, with its server."""
    found = estimate_of(utilisation=0.0)

    assert 700 * IDLE_SHARE.span.value * 3_600 == pytest.approx(found.accelerators.value.joules)


def test_an_estimate_by_hand() -> None:
    """Two boards of 400 W, half busy, for 10 h: 4.04 kWh, 5.85 with their machine, 8.77 with PUE."""
    job = plan("A100", 2, 10, utilisation=0.5)
    found = estimate(job, intensity=intensity_of("SWE", 100), pue=PUE, usd_per_kwh=0.2)
    watts = 400 * (0.15 + 0.71 * 0.5)
    machine = 2 * (watts * 1.17 + 400 * 0.14) * 10 / 1_000

    assert 2 * watts * 10 / 1_000 == pytest.approx(found.accelerators.value.kilowatt_hours)
    assert found.energy.value.kilowatt_hours == pytest.approx(machine)
    assert found.mean_watts.value == pytest.approx(100 * machine)
    assert found.site_kwh.value == pytest.approx(1.5 * machine)
    assert found.footprint.value.grams == pytest.approx(150 * machine)
    assert found.electricity_usd.value == pytest.approx(0.3 * machine)
    assert found.cloud_usd == pytest.approx((20 * 0.80, 20 * 3.00))


@pytest.mark.parametrize(
    ("training", "machine"), [(training, training.boundary == MACHINE) for training in measured_trainings()]
)
def test_measured_trainings_lie_in_the_estimated_range(training: MeasuredTraining, *, machine: bool) -> None:
    """Whatever was measured of accelerators or whole machines, save the system of a TPU v4, whose rating is a mean."""
    found = estimate_of(gpu=training.accelerator)
    power = found.mean_watts if machine else found.accelerators.map(lambda energy: energy.over(3600 * 10**9).watts)

    assert (power.low <= 1.01 * training.watts <= 1.02 * power.high) == (training.accelerator != "TPU v4")


def test_the_ends_of_a_range_are_as_near_as_was_asked_for() -> None:
    """A factor of 3 with hours given, and of 8 from parameters and tokens."""
    hours = estimate_of().energy
    arithmetic = estimate(plan("H100", params=7e9, tokens=1e12), intensity=intensity_of("SWE", 1), pue=PUE).energy
    small = estimate(plan("H100", params=1e8, tokens=1e12), intensity=intensity_of("SWE", 1), pue=PUE).energy

    assert hours.high.joules / hours.low.joules <= 3
    assert arithmetic.high.joules / arithmetic.low.joules <= 8
    assert small.high.joules / small.low.joules <= 8


def test_a_tpu_takes_less_of_its_rating() -> None:
    """Its own share, whether hours are given or follow from arithmetic."""
    for job in (plan("TPU v3", hours=1), plan("TPU v3", params=1e10, tokens=1e11)):
        assert TPU_SHARE == job.share


def test_a_board_of_two_dies_counts_as_two_devices() -> None:
    """Two devices of an MI250X are one board: its rated power, its peak, and its hours."""
    job = plan("MI250X", 2, params=1e10, tokens=1e11, mfu=0.4)

    assert 560 == 2 * job.rated_watts
    assert job.precision is not None
    assert 383.0e12 == pytest.approx(2 * job.precision[1])
    assert 6e21 / (383.0e12 * 0.4 * 3600) == pytest.approx(job.hours.span.value)


def test_what_is_not_known_is_absent() -> None:
    """Without a price there is no cost in a cloud."""
    assert estimate_of(gpu="T4").cloud_usd is None
    assert estimate_of(gpu=None, gpu_watts=100.0).cloud_usd is None


@pytest.mark.parametrize("usd", [-0.1, float("nan"), float("inf")])
def test_a_price_that_is_none_is_refused(usd: float) -> None:
    """Electricity costs nothing or something."""
    with pytest.raises(ConfigError) as refused:
        estimate(plan("T4", hours=1), intensity=intensity_of("SWE", 35), pue=PUE, usd_per_kwh=usd)

    assert "usd_per_kwh" == refused.value.argument


def test_every_assumption_has_a_source_and_holds_its_value() -> None:
    """What the estimate stands on is told with range and source, and the arithmetic's own lines with it."""
    job = plan("H100", 8, params=7e9, tokens=1e12)
    lines = assumptions(estimate(job, intensity=intensity_of("SWE", 35), pue=PUE))

    assert all(line.source and line.span.low <= line.span.value <= line.span.high for line in lines)
    assert {"MFU", "dense peak in bf16", "hours", "PUE", "cloud, the cheapest"} <= {line.name for line in lines}
    assert len({line.name for line in lines}) == len(lines)


def test_what_was_given_is_not_assumed() -> None:
    """Whoever gives every figure finds only the hardware's shares among the assumptions."""
    job = plan("T4", hours=10, utilisation=0.9)
    pue = PowerUsage(1.1, 1.1, 1.1, "given", assumed=False)
    lines = assumptions(estimate(job, intensity=intensity_of("custom", 35), pue=pue, usd_per_kwh=0.1))

    assert {
        "mean power, of the rating",
        "rest of the machine, of its accelerators",
        "rest of the machine, fixed, of the rating",
    } == {line.name for line in lines if line.assumed}
    assert {"given"} == {line.source for line in lines if line.name == "utilisation"}


def test_the_factors_hold_their_values() -> None:
    """Each assumed figure lies in its own range, and says whose it is."""
    factors = (IDLE_SHARE, TRAINING_SHARE, FULL_SHARE, TPU_SHARE, HOST_FIXED, HOST_SHARE, MFU, SMALL_MFU, USD_PER_KWH)

    assert all(0 < factor.span.low <= factor.span.value < factor.span.high <= 1 and factor.source for factor in factors)
    assert IDLE_SHARE.span.high < FULL_SHARE.span.low


def test_the_factors_are_what_the_trainings_say() -> None:
    """Every calibrated figure is that of the rule, rounded: change a training, and the factor has to follow."""
    trainings, models = measured_trainings(), published_hours()
    large = mfu_of(model for model in models if model.parameters >= SMALL_PARAMETERS)
    small = mfu_of(model for model in models if model.parameters < SMALL_PARAMETERS)
    found = (training_share(trainings), full_share(trainings), tpu_share(trainings), large, small)

    for factor, span in zip((TRAINING_SHARE, FULL_SHARE, TPU_SHARE, MFU, SMALL_MFU), found, strict=True):
        assert (span.value, span.low, span.high) == pytest.approx(
            (factor.span.value, factor.span.low, factor.span.high), abs=0.0055
        )


def test_nine_in_ten_trainings_lie_in_the_range_that_the_others_give_them() -> None:
    """Of measured powers as of published hours, each held against all others."""
    results = list(held_out())
    powers = [result.is_inside for result in results if result.what != "MFU"]
    hours = [result.is_inside for result in results if result.what == "MFU"]

    assert len(powers) >= 20
    assert sum(powers) >= 0.9 * len(powers)
    assert sum(hours) >= 0.9 * len(hours)


def test_every_training_has_a_source_and_a_rated_accelerator() -> None:
    """Who measured it, when and where to read it."""
    every: list[MeasuredTraining | PublishedHours] = [*measured_trainings(), *published_hours()]
    for training in every:
        assert training.source
        assert 2018 <= training.year <= 2026
        assert training.url.startswith("https://")
        assert find_accelerator(training.accelerator).power_watts


def test_the_page_has_the_table_of_the_trainings() -> None:
    """As the script writes it."""
    page = estimate_tables.PAGE.read_text(encoding="utf-8")
    [written] = re.findall(f"{estimate_tables.BEGIN}(.*?){estimate_tables.END}", page, re.DOTALL)

    assert f"\n{estimate_tables.part()}\n" == written


def test_the_rest_of_the_machine_is_that_of_the_metered_one() -> None:
    """An estimate and a meter model the rest of a machine of eight H100 alike, so they can be compared."""
    model = MACHINES[SERVER_8_GPU_AIR]
    rated = find_accelerator("H100 SXM").power_watts
    assert rated is not None

    assert model.constant_watts / (8 * rated) == pytest.approx(HOST_FIXED.span.value, abs=0.005)
    assert (model.share, model.share_high) == (HOST_SHARE.span.value, HOST_SHARE.span.high)


def test_without_all_of_an_author_less_lies_inside() -> None:
    """Trainings of an author are alike; what the others say of them is the harder question, and is told, too."""
    alone = [result.is_inside for result in held_out()]
    without = [result.is_inside for result in held_out(whole_sources=True)]

    assert len(alone) == len(without)
    assert 0.7 * len(without) <= sum(without) < sum(alone)
