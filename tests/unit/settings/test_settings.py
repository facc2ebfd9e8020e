"""What a user may say, and what is said back."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from lightning_carbon.errors import ConfigError, UnknownRegion
from lightning_carbon.meter import Meter
from lightning_carbon.settings import SETTINGS, MeterConfig, Settings, configure, ledger_folder
from lightning_carbon.testing import ManualClock, ScriptedCounter

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"region": "Sweeden"}, r"region='Sweeden' cannot be used: did you mean .*SE"),
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
        ({"devices": "cuda"}, r"devices='cuda' cannot be used: give \"auto\", "),
        ({"devices": "gpu:0"}, r"devices='gpu:0' cannot be used"),
        ({"devices": ["8932f93"]}, r"devices=\['8932f93'\] cannot be used"),
        ({"devices": [1.0]}, r"devices=\[1.0\] cannot be used"),
        ({"devices": {0}}, r"devices=\{0\} cannot be used"),
        ({"sources": "nvml"}, r"sources='nvml' cannot be used"),
        ({"sources": [42]}, r"sources\[0\]=42 cannot be used"),
        (
            {"sources": [ScriptedCounter]},
            r"sources\[0\]=.*: it is a class; give an instance, ScriptedCounter\(",
        ),
        ({"sources": [ScriptedCounter(CLOCK), ScriptedCounter(CLOCK)]}, r"sources\[1\]=.* is there already"),
        ({"prometheus_port": 0}, r"prometheus_port=0 cannot be used: give a port from 1 to 65535"),
        ({"prometheus_port": True}, r"prometheus_port=True cannot be used"),
        ({"prometheus_port": "9108"}, r"prometheus_port='9108' cannot be used"),
        ({"opentelemetry": "yes"}, r"opentelemetry='yes' cannot be used: give True"),
        ({"project": "a/b"}, r"project='a/b' cannot be used"),
        ({"project": ".."}, r"project='..' cannot be used"),
        ({"project": ""}, r"project='' cannot be used"),
        ({"run_name": 7}, r"run_name=7 cannot be used"),
        ({"project": ".hidden"}, r"project='.hidden' cannot be used: .* does not begin with a dot"),
        ({"project": "red\x1b[31m"}, r"project='red\\x1b\[31m' cannot be used: .* without slashes and control"),
        ({"run_name": "two\nlines"}, r"run_name='two\\nlines' cannot be used"),
        ({"run_name": "\ud800"}, r"run_name='\\ud800' cannot be used"),
        ({"project": "é" * 101}, r"project='é{101}' cannot be used: .* at most 200 bytes"),
        ({"ledger": ""}, r"ledger='' cannot be used"),
        ({"ledger": b"runs"}, r"ledger=b'runs' cannot be used"),
        ({"per_step": "no"}, r"per_step='no' cannot be used: give True or False"),
        ({"strict": None}, r"strict=None cannot be used: give True or False"),
        ({"cpu_scope": "universe"}, r"cpu_scope='universe' cannot be used: give one of 'auto', 'process', 'machine'"),
        ({"gpu_scope": "slice"}, r"gpu_scope='slice' cannot be used: give one of 'device', 'process'"),
        ({"detail": "layer"}, r"detail='layer' cannot be used: give one of 'phase', 'step', 'module'"),
        ({"regoin": "SE"}, r"regoin='SE' cannot be used: did you mean region\? Give one of region, intensity, "),
        ({"colour": "green"}, r"colour='green' cannot be used: Give one of region, intensity, "),
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
    """Shells and schedulers hand such over."""
    environ = {setting.variable: "" for setting in SETTINGS if setting.variable}

    assert configure({}, ledger=tmp_path) == configure(environ, ledger=tmp_path)
    assert ledger_folder(None, {}) == ledger_folder(None, environ)


def test_an_intensity_of_the_environment_gives_way_to_any_argument(tmp_path: Path) -> None:
    """What is said in the program, as a region or as a figure, wins over both variables."""
    environ = {"LIGHTNING_CARBON_INTENSITY": "41.4"}
    by_variable, by_region, by_figure = (
        configure(environ, ledger=tmp_path, **settings).intensity
        for settings in ({}, {"region": "SE"}, {"intensity": 20.0})
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


@pytest.mark.linux
def test_a_bad_ledger_of_the_environment_is_refused_by_name() -> None:
    """Below a file nothing can be written."""
    with pytest.raises(ConfigError, match=r"^LIGHTNING_CARBON_LEDGER='/dev/null/ledger' cannot be used: ") as caught:
        configure({"LIGHTNING_CARBON_LEDGER": "/dev/null/ledger"})

    assert ("ledger", "LIGHTNING_CARBON_LEDGER", "") == (
        caught.value.argument,
        caught.value.variable,
        caught.value.option,
    )


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


def test_the_table_is_what_type_checkers_read() -> None:
    """The typed dictionary and the configuration have the settings of the table, with their types and defaults."""
    fields = {field.name: field.default for field in dataclasses.fields(MeterConfig)}
    defaults = {name: default for name, default in fields.items() if default is not dataclasses.MISSING}

    assert {setting.name: setting.type for setting in SETTINGS} == get_type_hints(Settings)
    assert [*(setting.name for setting in SETTINGS if setting.name != "region"), "series"] == list(fields)
    assert defaults.pop("series") is None
    assert defaults == {setting.name: setting.default for setting in SETTINGS if setting.name in defaults}


def test_what_a_shell_sets_has_a_name_that_can_be_guessed() -> None:
    """A variable is called as its argument, and an option of the command line is too, as far as it has a unit."""
    variables = {setting.variable: setting.name for setting in SETTINGS if setting.variable}
    options = {setting.option: setting.name for setting in SETTINGS if setting.option}

    assert {f"LIGHTNING_CARBON_{name.upper()}" for name in variables.values()} == set(variables)
    assert {"--" + name.removesuffix("_seconds").replace("_", "-") for name in options.values()} == set(options)


@pytest.mark.parametrize(
    ("settings", "meant"),
    [
        ({"pue": 154}, "was 1.54 meant?"),
        ({"pue": 15.4}, "was 1.54 meant?"),
        ({"pue": 1e9}, "give site energy over IT energy"),
        ({"intensity": 0.4}, "was 400 meant (0.4 kg)? If it is 0.4 g, give '0.4 g'."),
        ({"intensity": "0.4"}, "was 400 meant (0.4 kg)?"),
        ({"intensity": 384_400}, "was 384.4 meant (384400 mg)?"),
        ({"intensity": "400 kg"}, "no supply of electricity emits so many gCO2e/kWh"),
        ({"intensity": "-1 g"}, "give gCO2e/kWh as a number"),
        ({"intensity": "few g"}, "give gCO2e/kWh as a number"),
        ({"intensity": ""}, "give gCO2e/kWh as a number"),
    ],
)
def test_a_slip_of_the_unit_is_asked_about(settings: dict[str, Any], meant: str) -> None:
    """Percent, kilograms and milligrams are recognised by figures that no site and no grid has."""
    with pytest.raises(ConfigError, match=re.escape(meant)):
        configure({}, **settings)


@pytest.mark.parametrize(
    ("said", "grams"),
    [
        (0, 0.0),
        (1, 1.0),
        ("0.5 g", 0.5),
        ("0.5gCO2e/kWh", 0.5),
        ("0.4 kg", 400.0),
        ("384400 mg/kWh", 384.4),
        ("41.4", 41.4),
    ],
)
def test_every_true_intensity_can_be_said(said: float | str, grams: float, tmp_path: Path) -> None:
    """Nothing at all, and next to nothing where the unit stands by it, as an argument and as a variable."""
    by_argument = configure({}, intensity=said, ledger=tmp_path).intensity
    by_variable = configure({"LIGHTNING_CARBON_INTENSITY": str(said)}, ledger=tmp_path).intensity

    assert pytest.approx(grams) == by_argument.value
    assert by_argument == by_variable


@pytest.mark.parametrize(
    ("said", "devices"),
    [
        ("cuda:1", (1,)),
        (["cuda:0", "1", 2], (0, 1, 2)),
        (" GPU-5a0b ,MIG-1", ("GPU-5a0b", "MIG-1")),
        (["8932f937-d72c-4106-c12f-20bd9faed9f6"], ("8932f937-d72c-4106-c12f-20bd9faed9f6",)),
        ([], ()),
        (None, "auto"),
    ],
)
def test_devices_are_known_by_their_usual_names(said: Any, devices: object, tmp_path: Path) -> None:  # noqa: ANN401
    """As torch counts them, as NVML calls them, and as torch prints UUIDs."""
    assert devices == configure({}, devices=said, ledger=tmp_path).devices


def test_a_name_of_200_bytes_is_taken(tmp_path: Path) -> None:
    """Spaces around it are not part of it, and a dot within it is."""
    config = configure({}, project="é" * 100, run_name="  v1.5 β ", ledger=tmp_path)

    assert ("é" * 100, "v1.5 β") == (config.project, config.run_name)
