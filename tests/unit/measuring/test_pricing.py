"""What measured rows are priced with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lightning_carbon.errors import ConfigError
from lightning_carbon.measuring.pricing import as_told, method_of, price_of, row_of
from tests.unit.study.measured.measurements import measured, method, power


def test_a_price_is_that_of_the_accelerator_that_was_measured() -> None:
    """By its name in the method's list; for what is not in it, for several sorts and for none, there is no price."""
    study, now = method_of("strubell2019"), method_of(environ={})
    p100, v100 = power("gpu:0", 100.0), replace(power("gpu:1", 100.0), name="Tesla V100-PCIE-32GB")
    other = replace(p100, name="NVIDIA GeForce GTX 1060")

    assert (0.43, 0.74) == tuple(getattr(price_of(measured(name), study), "low", None) for name in (p100, v100))
    for prices in (study, now):
        assert [None] * 3 == [
            price_of(measurement, prices) for measurement in (measured(p100, v100), measured(other), measured())
        ]
    assert price_of(measured(replace(p100, name="NVIDIA H200")), now) is not None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"name": "strubell"}, "method='strubell' cannot be used: give one of current, strubell2019"),
        ({"name": "strubell2019", "pue": 1.1}, "pue=1.1 cannot be used: the study's constants are fixed"),
        ({"name": "strubell2019", "region": "SE"}, "region='SE' cannot be used: the study's constants are fixed"),
        ({"usd_per_kwh": -1}, "usd_per_kwh=-1 cannot be used"),
        ({"region": "Sweeden"}, "did you mean SE"),
    ],
)
def test_a_method_that_cannot_be_used_is_refused(words: dict[str, object], said: str) -> None:
    """It names the argument, the value and the fix."""
    with pytest.raises(ConfigError, match=said):
        method_of(**words)  # type: ignore[arg-type]


def test_current_factors_are_those_of_a_meter() -> None:
    """Region, intensity, PUE and their variables, and a price where one is given."""
    found = method_of(usd_per_kwh=0.3, environ={"LIGHTNING_CARBON_REGION": "SE", "LIGHTNING_CARBON_PUE": "1.1"})

    assert ("SWE", 1.1) == (found.intensity.region, found.pue.value)
    assert found.electricity is not None
    assert found.electricity.usd_per_kwh == 0.3
    assert method_of(environ={}).electricity is not None


def test_a_row_is_priced_as_its_run_was_told() -> None:
    """A run in Sweden keeps Sweden's carbon intensity and its own PUE; what it had to assume comes from the method."""
    told = replace(measured(power("gpu:0", 300.0)), intensity=method(35.0).intensity, pue=method(pue=1.1).pue)
    guessed = replace(
        told,
        intensity=replace(method(458.0).intensity, assumed=True),
        pue=replace(method(pue=1.54).pue, assumed=True),
    )
    now = method_of(environ={"LIGHTNING_CARBON_REGION": "NO", "LIGHTNING_CARBON_PUE": "1.3"})
    asked = method_of(region="FR", pue=1.2, environ={})

    assert (35.0, 1.1) == (as_told(now, told).intensity.value, as_told(now, told).pue.value)
    assert ("NOR", 1.3) == (as_told(now, guessed).intensity.region, as_told(now, guessed).pue.value)
    assert ("FRA", 1.2) == (as_told(asked, told).intensity.region, as_told(asked, told).pue.value)
    assert method_of("strubell2019") == as_told(method_of("strubell2019"), told)
    old = measured(power("gpu:0", 300.0))
    mass, other = (getattr(row_of(run, now).computed, "co2e_kg", None) for run in (told, old))
    assert mass is not None
    assert other is not None
    assert 35.0 * 1.1 / (now.intensity.value * 1.3) == pytest.approx(mass / other, rel=1e-3)
