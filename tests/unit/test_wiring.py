"""What a user may say, and what is said back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from lightning_carbon.errors import ConfigError, UnknownRegion
from lightning_carbon.testing import ManualClock, ScriptedCounter
from lightning_carbon.wiring import Meter, configure, ledger_folder

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"region": "Sweden"}, r"region='Sweden' cannot be used: did you mean .*SE"),
        ({"region": 46}, r"region=46 cannot be used"),
        ({"intensity": -1}, r"intensity=-1 cannot be used"),
        ({"intensity": math.nan}, r"intensity=nan cannot be used"),
        ({"intensity": "low"}, r"intensity='low' cannot be used"),
        ({"intensity": 20, "region": "SE"}, r"one of them must decide"),
        ({"pue": 0.9}, r"pue=0.9 cannot be used"),
        ({"pue": math.inf}, r"pue=inf cannot be used"),
        ({"pue": True}, r"pue=True cannot be used"),
        ({"interval_seconds": 0.001}, r"interval_seconds=0.001 cannot be used"),
        ({"interval_seconds": 61}, r"interval_seconds=61 cannot be used"),
        ({"interval_seconds": None}, r"interval_seconds=None cannot be used"),
        ({"devices": ""}, r"devices='' cannot be used"),
        ({"devices": 3}, r"devices=3 cannot be used"),
        ({"devices": [-1]}, r"devices=\[-1\] cannot be used"),
        ({"devices": [True]}, r"devices=\[True\] cannot be used"),
        ({"sources": "nvml"}, r"sources='nvml' cannot be used"),
        ({"sources": [42]}, r"sources\[0\]=42 cannot be used"),
        ({"sources": [ScriptedCounter]}, r"sources\[0\]=.* cannot be used"),
        ({"sources": [ScriptedCounter(CLOCK), ScriptedCounter(CLOCK)]}, r"sources\[1\]=.* is there already"),
        ({"project": "a/b"}, r"project='a/b' cannot be used"),
        ({"project": ".."}, r"project='..' cannot be used"),
        ({"project": ""}, r"project='' cannot be used"),
        ({"run_name": 7}, r"run_name=7 cannot be used"),
        ({"ledger": ""}, r"ledger='' cannot be used"),
        ({"ledger": 7}, r"ledger=7 cannot be used"),
    ],
)
def test_bad_input_is_refused_at_once(settings: dict[str, Any], said: str) -> None:
    """Every argument that cannot be used is named at construction, with its value and the fix."""
    with pytest.raises(ConfigError, match=said):
        Meter(**settings)


def test_a_file_in_the_way_of_the_ledger_is_refused(tmp_path: Path) -> None:
    """A ledger below a file cannot be made, and the error says what to set."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=r"ledger=.* LIGHTNING_CARBON_LEDGER"):
        Meter(ledger=tmp_path / "file" / "ledger")


def test_defaults_say_that_they_are_assumed(tmp_path: Path) -> None:
    """With nothing given, the world's averages are used and marked as assumed."""
    config = configure({}, ledger=tmp_path)

    assert (config.intensity.region, config.intensity.assumed) == ("WORLD", True)
    assert (config.pue.value, config.pue.low, config.pue.assumed) == (1.54, 1.0, True)
    assert (config.devices, config.interval_seconds, config.sources) == ("auto", 0.1, None)


def test_what_is_given_is_not_assumed(tmp_path: Path) -> None:
    """A given intensity and PUE are exact, and nobody's guess."""
    config = configure({}, intensity=41.4, pue=1.1, ledger=tmp_path)

    assert (config.intensity.value.grams_per_kilowatt_hour, config.intensity.assumed) == (41.4, False)
    assert config.intensity.low == config.intensity.high == config.intensity.value
    assert (config.pue.value, config.pue.high, config.pue.assumed) == (1.1, 1.1, False)


def test_defaults_come_from_the_environment(tmp_path: Path) -> None:
    """Region, PUE, ledger and devices can be set once for all scripts; an argument wins."""
    environ = {
        "LIGHTNING_CARBON_REGION": "FR",
        "LIGHTNING_CARBON_PUE": "1.2",
        "LIGHTNING_CARBON_LEDGER": str(tmp_path),
        "LIGHTNING_CARBON_DEVICES": "0, GPU-5a0b",
    }
    config = configure(environ)
    chosen = configure(environ, region="SE", pue=1.3, devices="all", ledger=tmp_path / "mine")

    assert (config.intensity.region, config.pue.value, config.ledger) == ("FRA", 1.2, tmp_path)
    assert config.devices == (0, "GPU-5a0b")
    assert (chosen.intensity.region, chosen.pue.value, chosen.ledger) == ("SWE", 1.3, tmp_path / "mine")
    assert chosen.devices == "all"


@pytest.mark.parametrize(
    ("name", "value"),
    [("LIGHTNING_CARBON_PUE", "low"), ("LIGHTNING_CARBON_PUE", "0.5"), ("LIGHTNING_CARBON_REGION", "X")],
)
def test_bad_variables_are_refused_by_name(name: str, value: str, tmp_path: Path) -> None:
    """A variable that cannot be used is an error too, not a silent default."""
    with pytest.raises(ConfigError, match=repr(value)):
        configure({name: value}, ledger=tmp_path)


def test_an_unknown_region_lists_near_ones() -> None:
    """The error for a region carries the near matches for programs, too."""
    with pytest.raises(UnknownRegion) as caught:
        Meter(region="Swedn")

    assert "SE" in " ".join(caught.value.near)


def test_the_default_ledger_is_in_the_users_data_folder() -> None:
    """Without any setting the runs of a user add up in one place."""
    folder = ledger_folder(None, {})

    assert folder.parts[-2:] == ("lightning-carbon", "ledger")
