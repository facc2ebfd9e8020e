"""What a user may say, and what is said back."""

from __future__ import annotations

import math
import re
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

    assert (config.intensity.value, config.intensity.assumed) == (41.4, False)
    assert config.intensity.low == config.intensity.high == config.intensity.value
    assert (config.pue.value, config.pue.high, config.pue.assumed) == (1.1, 1.1, False)


def test_defaults_come_from_the_environment(tmp_path: Path) -> None:
    """What does not differ between scripts can be set once for all of them; an argument wins."""
    environ = {
        "LIGHTNING_CARBON_REGION": "FR",
        "LIGHTNING_CARBON_PUE": "1.2",
        "LIGHTNING_CARBON_PROJECT": "lisa",
        "LIGHTNING_CARBON_RUN_NAME": "nightly",
        "LIGHTNING_CARBON_LEDGER": str(tmp_path),
        "LIGHTNING_CARBON_DEVICES": "0, GPU-5a0b",
    }
    config = configure(environ)
    chosen = configure(
        environ, region="SE", pue=1.3, devices="all", ledger=tmp_path / "mine", project="bart", run_name="once"
    )

    assert (config.intensity.region, config.pue.value, config.ledger) == ("FRA", 1.2, tmp_path)
    assert (config.devices, config.project, config.run_name) == ((0, "GPU-5a0b"), "lisa", "nightly")
    assert (chosen.intensity.region, chosen.pue.value, chosen.ledger) == ("SWE", 1.3, tmp_path / "mine")
    assert (chosen.devices, chosen.project, chosen.run_name) == ("all", "bart", "once")


def test_an_empty_variable_is_as_if_it_were_unset(tmp_path: Path) -> None:
    """Shells and schedulers hand such over; only a ledger without a name is a mistake."""
    names = ("REGION", "INTENSITY", "PUE", "PROJECT", "RUN_NAME", "DEVICES")

    assert configure({}, ledger=tmp_path) == configure(
        {f"LIGHTNING_CARBON_{name}": "" for name in names}, ledger=tmp_path
    )


def test_an_intensity_of_the_environment_gives_way_to_any_argument(tmp_path: Path) -> None:
    """What is said in the program, as a region or as a figure, wins over both variables."""
    environ = {"LIGHTNING_CARBON_INTENSITY": "41.4"}
    by_variable, by_region, by_figure = (
        configure(environ, ledger=tmp_path, **one).intensity for one in ({}, {"region": "SE"}, {"intensity": 20.0})
    )
    both = {**environ, "LIGHTNING_CARBON_REGION": "FR"}

    assert (41.4, False, "given") == (
        by_variable.value,
        by_variable.assumed,
        by_variable.source,
    )
    assert ("SWE", 20.0) == (by_region.region, by_figure.value)
    assert by_region == configure(both, ledger=tmp_path, region="SE").intensity


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PUE", "low"),
        ("PUE", "0.5"),
        ("REGION", "X"),
        ("REGION", "Swedn"),
        ("INTENSITY", "low"),
        ("INTENSITY", "-1"),
        ("INTENSITY", "nan"),
        ("PROJECT", "a/b"),
        ("RUN_NAME", ".."),
        ("DEVICES", "0,,1"),
    ],
)
def test_bad_variables_are_refused_by_name(variable: str, value: str, tmp_path: Path) -> None:
    """A variable that cannot be used is an error too, which names it, and no silent default."""
    name = f"LIGHTNING_CARBON_{variable}"
    with pytest.raises(ConfigError, match=re.escape(f"{name}={value!r} cannot be used: ")):
        configure({name: value}, ledger=tmp_path)


@pytest.mark.parametrize("folder", ["", "/dev/null/ledger"])
def test_a_bad_ledger_of_the_environment_is_refused_by_name(folder: str) -> None:
    """Neither nowhere nor below a file can anything be written."""
    with pytest.raises(ConfigError, match=f"^LIGHTNING_CARBON_LEDGER='{folder}' cannot be used: "):
        configure({"LIGHTNING_CARBON_LEDGER": folder})


def test_two_variables_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """A region and a figure for it cannot both hold."""
    environ = {"LIGHTNING_CARBON_INTENSITY": "41.4", "LIGHTNING_CARBON_REGION": "FR"}
    with pytest.raises(ConfigError, match=r"LIGHTNING_CARBON_INTENSITY='41.4'.*LIGHTNING_CARBON_REGION='FR' is set"):
        configure(environ, ledger=tmp_path)


def test_an_unknown_region_lists_near_ones() -> None:
    """The error for a region carries the near matches for programs, too."""
    with pytest.raises(UnknownRegion) as caught:
        Meter(region="Swedn")

    assert "SE" in " ".join(caught.value.near)


def test_the_default_ledger_is_in_the_users_data_folder() -> None:
    """Without any setting the runs of a user add up in one place."""
    folder = ledger_folder(None, {})

    assert folder.parts[-2:] == ("lightning-carbon", "ledger")
