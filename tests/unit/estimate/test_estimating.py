"""From the rating of an accelerator to energy, CO2e and money: laws, measured systems, and one estimate by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.accelerators import accelerators
from lightning_carbon.estimate.assumptions import assumptions
from lightning_carbon.estimate.estimating import Estimate, estimate
from lightning_carbon.estimate.factors import BUSY_SHARE, HOST_SHARE, IDLE_SHARE, MFU, USD_PER_KWH, UTILISATION
from lightning_carbon.estimate.planning import plan

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
    """Two boards of 400 W, half busy, for 10 h: 3.8 kWh, 5.7 with their server, 8.55 with PUE."""
    job = plan("A100", 2, 10, utilisation=0.5)
    found = estimate(job, intensity=intensity_of("SWE", 100), pue=PUE, usd_per_kwh=0.2)

    assert 2 * 400 * (0.15 + 0.65 * 0.5) * 10 / 1_000 == pytest.approx(found.accelerators.value.kilowatt_hours)
    assert found.energy.value.kilowatt_hours == pytest.approx(5.7)
    assert found.mean_watts.value == pytest.approx(570)
    assert found.site_kwh.value == pytest.approx(8.55)
    assert found.footprint.value.grams == pytest.approx(855)
    assert found.electricity_usd.value == pytest.approx(1.71)
    assert found.cloud_usd == pytest.approx((20 * 2.79, 20 * 2.79))


@pytest.mark.parametrize(
    ("gpu", "count", "watts", "source"),
    [
        ("P100", 1, 296, "Patterson et al. 2021, table 1: Transformer big, system"),
        ("P100", 1, 271, "Patterson et al. 2021, table 1: Evolved Transformer, system"),
        ("TPU v2", 1, 229, "Patterson et al. 2021, table 1: Transformer big, system"),
        ("TPU v3", 1, 310, "Patterson et al. 2021, table 4: T5, system"),
        ("TPU v3", 1, 245, "Patterson et al. 2021, table 4: Switch Transformer, system"),
        ("V100", 1, 330, "Patterson et al. 2021, table 4: GPT-3, system"),
        ("H100", 8, 0.76 * 10_200, "Newkirk et al. 2025: 76 % of a node's rating"),
        ("H100", 8, 8_480, "Latif et al. 2025: the most that a node drew"),
    ],
)
def test_measured_systems_lie_in_the_estimated_range(gpu: str, count: int, watts: float, source: str) -> None:
    """Published measurements of a training's power lie in the range, and within a factor of two of the value."""
    power = estimate_of(count, gpu=gpu).mean_watts

    assert power.low < watts < power.high, source
    assert 0.5 < power.value / watts < 2, source


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

    assert {"idle power, of the rating", "busy power, of the rating", "rest of the server, of its accelerators"} == {
        line.name for line in lines if line.assumed
    }


def test_the_factors_hold_their_values() -> None:
    """Each assumed figure lies in its own range, and says whose it is."""
    factors = (IDLE_SHARE, BUSY_SHARE, HOST_SHARE, UTILISATION, MFU, USD_PER_KWH)

    assert all(0 < factor.span.low < factor.span.value < factor.span.high <= 1 and factor.source for factor in factors)
    assert IDLE_SHARE.span.high < BUSY_SHARE.span.low
