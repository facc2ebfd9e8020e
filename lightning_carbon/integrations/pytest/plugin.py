"""Measures the energy of tests, with a meter in each process that runs any.

A test has the energy of its call, without its fixtures. With pytest-xdist each worker meters itself: its own processor
time, and its share of each GPU. So workers side by side are not charged for each other.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from lightning_carbon.energy.phases import Part
from lightning_carbon.errors import ConfigError, LightningCarbonError
from lightning_carbon.integrations.pytest.costs import (
    SCHEMA,
    CallCost,
    budget_joules,
    cost_of,
    part_of,
    resolution_of,
    table_of,
)
from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.ledger.files import write_json
from lightning_carbon.meter import Meter
from lightning_carbon.settings import PROJECT
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Generator

    from lightning_carbon.metering.laps import Lap

_KEY: Final = "lightning_carbon"
_MARK: Final = "energy_budget"
_PROJECT: Final = "pytest"
_CALL: Final = "call"
_PATIENCE_SECONDS: Final = 3.0
"""How long a test with a budget waits for the reading that settles it; ours, readings settle within half a second."""
_LOOK_SECONDS: Final = 0.02
_LOOKED_AT: Final = 100
"""How many of the last tests are looked at after each; ours: a reading settles them long before as many have passed."""


class Call(NamedTuple):
    """A test that has run.

    Args:
        test: Its name.
        start: When its call began.
        end: When it ended.
        budget: The most joules that it may take; ``None`` where it has no budget.
    """

    test: str
    start: Lap
    end: Lap
    budget: float | None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end.at_ns - self.start.at_ns) / NANOSECONDS_PER_SECOND


class EnergyPlugin:
    """The plugin of a session.

    Args:
        config: The configuration of the session.
        settings: Those of the meter, where the environment does not say all of them.
    """

    def __init__(self, config: pytest.Config, **settings: Any) -> None:  # noqa: ANN401 - as the meter takes them
        worker = getattr(config, "workerinput", {})
        self._config = config
        self._process: str = worker.get("workerid", "")
        self._only_gathers = not worker and config.getoption("dist", "no") != "no"
        shared = {"gpu_scope": "process"} if worker else {}
        project = None if os.environ.get(PROJECT.variable) else _PROJECT
        given = {"cpu_scope": "process", "detail": "step", "project": project, **shared, **settings}
        try:
            self._meter = None if self._only_gathers else Meter(**given)
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from error
        self._calls: list[Call] = []
        self._joules: dict[str, float] = {}
        self._costs: list[CallCost] = []
        self._parts: list[dict[str, Any]] = []

    # -- a session ----------------------------------------------------------------------------------------------------

    def pytest_sessionstart(self) -> None:
        """Start the meter."""
        try:
            if self._meter is not None:
                self._meter.start("test")
        except LightningCarbonError as error:
            raise pytest.UsageError(str(error)) from error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note when the call of a test begins and ends, and judge its budget."""
        meter = self._meter
        if meter is None or not meter.is_running:
            return (yield)
        budget = _budget_of(item)
        start = meter.laps.note()
        meter.enter_part(_CALL)
        try:
            result = yield
        finally:
            meter.enter_part(Part.OTHER)
            call = Call(item.nodeid, start, meter.laps.note(), budget)
            self._calls.append(call)
            self._settle(meter)
        if budget is not None:
            self._judge(meter, call)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Stop the meter; a worker sends its figures to the process that gathers them."""
        meter = self._meter
        if meter is None or not meter.is_running:
            return
        record = meter.stop()
        self._settle(meter)
        resolution = resolution_of(record)
        self._costs = [
            cost_of(call.test, call.seconds, self._joules.get(call.test), resolution=resolution, budget=call.budget)
            for call in self._calls
        ]
        self._parts = [part_of(self._process, record)]
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_KEY] = {"costs": [cost.mapping() for cost in self._costs], "parts": self._parts}
        elif not self._only_gathers:
            self._write()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - of pytest-xdist
        """Gather the figures of a worker; a worker that was killed has sent none."""
        told = getattr(node, "workeroutput", {}).get(_KEY, {})
        self._costs += [CallCost(**cost) for cost in told.get("costs", ())]
        self._parts += told.get("parts", ())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the tests that took the most energy."""
        if self._only_gathers:
            self._write()
        terminalreporter.section("energy of the tests, without fixtures")
        for line in table_of(self._costs, self._parts):
            terminalreporter.write_line(line)

    # -- inside -------------------------------------------------------------------------------------------------------

    @guarded()
    def _settle(self, meter: Meter) -> None:
        """Take the energy of the tests that readings have settled; the meter keeps a few hundred moments alone."""
        for call in self._calls[-_LOOKED_AT:]:
            if call.test not in self._joules:
                spent = meter.laps.between(call.start, call.end)
                if spent is not None and spent.settled_ratio == 1:
                    self._joules[call.test] = spent.joules

    def _judge(self, meter: Meter, call: Call) -> None:
        """Fail a test that took more than its budget, once a reading has settled that."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while call.test not in self._joules and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            self._settle(meter)
        joules = self._joules.get(call.test)
        cost = cost_of(call.test, call.seconds, joules, resolution=resolution_of(meter.record), budget=call.budget)
        if cost.is_over:
            range_of = f"{cost.low_joules:.3g} to {cost.high_joules:.3g} J"
            pytest.fail(f"took {joules:.3g} J ({range_of}), of a budget of {call.budget:.3g} J", pytrace=False)

    def _write(self) -> None:
        """Write the file that was asked for."""
        name = self._config.getoption("energy_json", None)
        if name is None:
            return
        told = {"schema": SCHEMA, "tests": [cost.mapping() for cost in self._costs], "processes": self._parts}
        try:
            write_json(Path(name), told)
        except (LightningCarbonError, OSError) as error:
            raise pytest.UsageError(f"--energy-json cannot be written: {error}") from error


def _budget_of(item: pytest.Item) -> float | None:
    mark = item.get_closest_marker(_MARK)
    if mark is None:
        return None
    amount = mark.args[0] if mark.args else mark.kwargs.get("amount")
    budget = budget_joules(amount)
    if budget is None:
        pytest.fail(f'energy_budget({amount!r}) names no energy; give an amount such as "50 J".', pytrace=False)
    return budget
