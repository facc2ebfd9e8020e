"""The energy of tests, by pytest itself, with a source of constant power; and what it costs those who do not ask."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest

from lightning_carbon.integrations.pytest.costs import CallCost, Resolution, budget_joules, cost_of, table_of

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ("pytester",)

MODULE = "lightning_carbon.integrations.pytest.entry"
IS_INSTALLED = any(entry.value == MODULE for entry in entry_points(group="pytest11"))
WORDS = ("-p", "no:cacheprovider", *(() if IS_INSTALLED else ("-p", MODULE)))
WATTS = 100.0

CONFTEST = f"""
import pytest
from lightning_carbon.integrations.pytest.entry import NAME
from lightning_carbon.integrations.pytest.plugin import EnergyPlugin
from lightning_carbon.sources.simulated import SimulatedCounter

def pytest_configure(config):
    if config.getoption("energy"):
        source = SimulatedCounter(watts={WATTS}, tick_seconds=0.02)
        config.pluginmanager.register(EnergyPlugin(config, sources=[source], interval_seconds=0.02), NAME)
"""
TESTS = """
import time
import pytest

def test_long():
    time.sleep(0.4)

def test_short():
    pass

@pytest.mark.energy_budget("3.6 J")
def test_over():
    time.sleep(0.2)

@pytest.mark.energy_budget(amount="1 kWh")
def test_under():
    time.sleep(0.1)

@pytest.mark.energy_budget("50 g")
def test_wrong():
    pass
"""


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with tests of known power, and a ledger of its own."""
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", str(pytester.path / "ledger"))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    return pytester


def told(path: Path) -> dict[str, Any]:
    """The tests in a file of figures, by name."""
    return {test["test"].split("::")[1]: test for test in json.loads(path.read_text(encoding="utf-8"))["tests"]}


def test_each_test_has_the_energy_of_its_call_and_a_budget_fails_it(session: pytest.Pytester) -> None:
    """A test that is shorter than a tick of the sensor has none, and an amount that is no energy is refused."""
    done = session.runpytest_inprocess(*WORDS, "--energy", "--energy-json", "energy.json")
    tests = told(session.path / "energy.json")
    said = done.stdout.str()

    done.assert_outcomes(passed=3, failed=2)
    assert tests["test_long"]["seconds"] * WATTS == pytest.approx(tests["test_long"]["joules"], rel=0.25)
    assert tests["test_long"]["low_joules"] < tests["test_long"]["joules"] < tests["test_long"]["high_joules"]
    assert {"test", "seconds"} == tests["test_short"].keys()
    assert 3.6 == pytest.approx(tests["test_over"]["budget_joules"])
    assert tests["test_over"]["low_joules"] > 3.6
    assert "of a budget of 3.6 J" in said
    assert "energy_budget('50 g') names no energy" in said
    assert said.index("test_long", said.index("energy of the tests")) < said.rindex("test_under")
    assert "shorter than a tick of the sensors" in said


def test_workers_of_xdist_meter_themselves_and_are_gathered(session: pytest.Pytester) -> None:
    """Each in a run of its own, and the table has the tests of all."""
    done = session.runpytest_subprocess(*WORDS, "--energy", "--energy-json", "energy.json", "-n2")
    processes = json.loads((session.path / "energy.json").read_text(encoding="utf-8"))["processes"]

    done.assert_outcomes(passed=3, failed=2)
    assert {"test_long", "test_short", "test_over", "test_under"} <= told(session.path / "energy.json").keys()
    assert {"gw0", "gw1"} == {process["process"] for process in processes}
    assert 2 == len({process["run_id"] for process in processes})


def test_nothing_is_measured_or_judged_unless_asked_for(session: pytest.Pytester) -> None:
    """The mark is known, and that is all."""
    done = session.runpytest_inprocess(*WORDS, "--strict-markers")

    done.assert_outcomes(passed=5)
    assert "energy of the tests" not in done.stdout.str()
    assert not (session.path / "ledger").exists()


def test_a_setting_that_cannot_be_used_is_named(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a test runs."""
    monkeypatch.setenv("LIGHTNING_CARBON_REGION", "Sweeden")
    done = pytester.runpytest_inprocess(*WORDS, "--energy")

    assert pytest.ExitCode.USAGE_ERROR == done.ret
    done.stderr.fnmatch_lines(["*LIGHTNING_CARBON_REGION*did you mean*"])


def test_those_who_do_not_ask_load_nothing() -> None:
    """In every session of an environment with the package: the entry point imports nothing but its own packages."""
    program = f"import sys; before = set(sys.modules); import {MODULE}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    packages = {MODULE.rsplit(".", parts)[0] for parts in range(1, 4)}

    assert packages | {MODULE} == {name for name in done.stdout.split() if name.startswith("lightning_carbon")}
    assert "pytest" not in done.stdout.split()


def test_the_range_of_a_test_has_its_edges_and_the_sensor_s_own() -> None:
    """Within a tick at its edges, nobody knows what belongs to a test."""
    resolution = Resolution(tick_seconds=0.1, low_ratio=0.95, high_ratio=1.1)
    cost = cost_of("test_a", 2.0, 100.0, resolution=resolution, budget=89.0)

    assert (90.0, 115.0) == pytest.approx((cost.low_joules, cost.high_joules))
    assert (True, False) == (cost.is_over, cost._replace(budget_joules=91.0).is_over)
    assert CallCost("test_b", 0.1) == cost_of("test_b", 0.1, 5.0, resolution=resolution)
    assert (360.0, None, None) == (budget_joules("0.1 Wh"), budget_joules("3 EUR"), budget_joules(50))


def test_a_session_without_a_sensor_says_so() -> None:
    """No figure, and no sum."""
    assert ["0 J in all, with what lies between tests; nothing is metered; readings cover 0%"] == table_of([], [])
