"""What measured rows are priced with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lightning_carbon.errors import ConfigError
from lightning_carbon.measuring.pricing import method_of, price_of
from tests.unit.study.measured.measurements import measured, power


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
        ({"region": "Sweden"}, "did you mean SE"),
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
