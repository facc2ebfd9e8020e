"""Who is asked for callbacks, what is answered, and what is said about settings that cannot be used."""

from __future__ import annotations

import logging
from importlib.machinery import ModuleSpec
from importlib.metadata import DistributionFinder, EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import lightning_carbon
from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.autolog.automatic import ENTRY_POINT, GROUPS, INTEGRATION, Automatic, check
from lightning_carbon.integrations.autolog.entry import callbacks
from lightning_carbon.testing import ManualClock, ScriptedCounter

FROZEN = Path(__file__).parents[3] / "data" / "public_names.txt"


def transformers() -> dict[str, ModuleType]:
    """The two modules that are looked at, as far as they are looked at."""
    trainer, integrations = ModuleType("transformers.trainer"), ModuleType("transformers.integrations.utils")
    vars(trainer).update(DEFAULT_CALLBACKS=["flow"], __spec__=ModuleSpec("transformers.trainer", None))
    vars(integrations).update(INTEGRATION_TO_CALLBACK={"wandb": "theirs"}, __spec__=ModuleSpec("utils", None))
    return {"transformers.trainer": trainer, "transformers.integrations.integration_utils": integrations}


def declared(meta_path: list[Any]) -> EntryPoints:
    """The entry points of those who were put on the path."""
    found: list[EntryPoint] = []
    for finder in meta_path:
        if not isinstance(finder, DistributionFinder):
            continue
        for distribution in finder.find_distributions(DistributionFinder.Context()):
            found += distribution.entry_points
    return EntryPoints(found)


def test_the_public_names_are_frozen() -> None:
    """A name that scripts of today import is there tomorrow: see tests/data/public_names.txt before changing any."""
    assert FROZEN.read_text(encoding="utf-8").splitlines() == lightning_carbon.__all__


def test_the_public_names_are_listed() -> None:
    """Those who look what there is see all of them, without loading any."""
    assert sorted(lightning_carbon.__all__) == dir(lightning_carbon)


@pytest.mark.parametrize("value", [None, "", "0"])
def test_nothing_is_given_unless_it_is_asked_for(value: str | None, caplog: pytest.LogCaptureFixture) -> None:
    """Without the variable, or with one that says no, trainers get nothing, and nobody is told."""
    automatic = Automatic({} if value is None else {"LIGHTNING_CARBON": value}, {}, [])

    assert ([], False, []) == (automatic.lightning_callbacks(), automatic.is_on, caplog.messages)


@pytest.mark.parametrize("value", ["true", "yes", "2"])
def test_a_value_that_switches_nothing_on_is_told(value: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever meant yes learns how to say it; the trainer is not touched."""
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        given = Automatic({"LIGHTNING_CARBON": value}, {}, []).lightning_callbacks()

    assert [] == given
    assert [f"LIGHTNING_CARBON={value!r} switches nothing on: set it to 1, or to 0 to say no"] == caplog.messages


def test_the_program_decides_over_the_environment() -> None:
    """What autolog() was told last holds, whatever the variable says."""
    automatic = Automatic({"LIGHTNING_CARBON": "1"}, {}, [])
    by_variable = automatic.is_on
    automatic.switch_off()
    off = automatic.is_on
    automatic.switch_on({})

    assert (True, False, True) == (by_variable, off, automatic.is_on)


def test_the_entry_point_gives_nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Lightning calls at every trainer answers with an empty list."""
    monkeypatch.delenv("LIGHTNING_CARBON", raising=False)

    assert [] == callbacks()


def test_a_source_tree_tells_of_its_entry_points() -> None:
    """Where the package was not installed, autolog() lets Lightning find it all the same, once however often said."""
    meta_path: list[Any] = []
    automatic = Automatic({}, {}, meta_path, declared=lambda _: False)
    automatic.switch_on({})
    automatic.switch_on({})
    told = [(entry.group, entry.value) for entry in declared(meta_path)]
    automatic.switch_off()

    assert [(group, ENTRY_POINT) for group in GROUPS] == told
    assert [] == list(declared(meta_path))


def test_an_installed_package_is_not_told_of_twice() -> None:
    """Its own entry points are enough: Lightning would make a callback for each that it finds."""
    meta_path: list[Any] = []
    Automatic({}, {}, meta_path, declared=lambda _: True).switch_on({})

    assert [] == list(declared(meta_path))


def test_another_package_is_not_told_of() -> None:
    """Whoever looks for a package by its name finds that one."""
    meta_path: list[Any] = []
    Automatic({}, {}, meta_path, declared=lambda _: False).switch_on({})

    assert [] == list(meta_path[-1].find_distributions(DistributionFinder.Context(name="torch")))


def test_transformers_is_told_once_and_left_as_it_was() -> None:
    """One entry more in its list of callbacks, however often it is said, and none after it is switched off."""
    modules = transformers()
    automatic = Automatic({}, modules, [])
    automatic.switch_on({})
    automatic.switch_on({"project": "lisa"})
    trainer, integrations = modules.values()
    on = len(trainer.DEFAULT_CALLBACKS)
    automatic.switch_off()
    automatic.switch_off()

    assert (2, ["flow"]) == (on, trainer.DEFAULT_CALLBACKS)
    # A name that was asked for in `report_to` is still understood.
    assert {"wandb", INTEGRATION} == set(integrations.INTEGRATION_TO_CALLBACK)


def test_switching_off_before_transformers_came_leaves_nothing_waiting() -> None:
    """Nobody waits for its Trainer then; that the name is known does no harm."""
    meta_path: list[Any] = []
    automatic = Automatic({}, {}, meta_path)
    automatic.switch_on({})
    automatic.switch_off()

    assert [None] == [finder.find_spec("transformers.trainer", None) for finder in meta_path]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"regoin": "SE"}, r"regoin='SE' cannot be used: did you mean region\? Give one of region, "),
        ({"colour": "green"}, r"colour='green' cannot be used: Give one of region, "),
        ({"region": "Swedn"}, r"region='Swedn' cannot be used: did you mean"),
        ({"pue": 0.5}, r"pue=0.5 cannot be used"),
        ({"count_batch": "nowhere.count"}, r"count_batch='nowhere.count' cannot be used"),
        ({"sources": ["nvml"]}, r"sources\[0\]='nvml' cannot be used"),
    ],
)
def test_settings_are_checked_when_they_are_said(settings: Any, said: str) -> None:  # noqa: ANN401 - wrong on purpose
    """No trainer is made to fail for them later, and nothing has changed."""
    automatic = Automatic({}, {}, [])
    with pytest.raises(ConfigError, match=said):
        automatic.switch_on(settings)

    assert not automatic.is_on


def test_switching_off_takes_no_settings() -> None:
    """Both at once would leave open what was meant."""
    with pytest.raises(ConfigError, match=r"region='SE' cannot be used: disable=True is given too"):
        lightning_carbon.autolog(disable=True, region="SE")


def test_every_setting_is_taken(tmp_path: Path) -> None:
    """The meter's arguments and Lightning's own."""
    check(
        {
            "region": "SE",
            "pue": 1.2,
            "project": "lisa",
            "run_name": "first",
            "ledger": tmp_path,
            "interval_seconds": 0.5,
            "devices": "all",
            "sources": [ScriptedCounter(ManualClock())],
            "per_step": True,
            "strict": True,
            "cpu_scope": "machine",
            "gpu_scope": "process",
            "detail": "step",
            "count_batch": lambda batch: (len(batch), None),
            "progress_bar": False,
        },
        {},
    )
