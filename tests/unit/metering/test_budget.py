"""What is said of a budget while a run goes on, and when it is used up."""

from __future__ import annotations

import logging

import pytest

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.errors import BudgetReached, ConfigError
from lightning_carbon.metering.budget import BudgetWatch
from lightning_carbon.ranks import Ranks
from lightning_carbon.records.rows import Forecast
from lightning_carbon.records.totals import Totals
from lightning_carbon.settings import MeterConfig, Settings, configure
from lightning_carbon.testing import ManualClock, MemoryRunStore, ScriptedCounter
from tests.unit.metering.worlds import World

_MOST_STEPS = 5_000


def config(**settings: str) -> MeterConfig:
    """Settings with a budget."""
    given: Settings = {"region": "SE", "pue": 1.0, **settings}  # type: ignore[typeddict-item]  # names are the table's
    return configure({}, **given)


def test_a_budget_is_warned_of_on_the_way() -> None:
    """At 50, 80 and 95 %, each once, at the highest that is passed; and when the forecast first passes it."""
    said: list[str] = []
    watch = BudgetWatch(config(budget="100 J"), lambda _, message: said.append(message))
    ends = Forecast(Bounds.exactly(130.0), Bounds.exactly(1.0), Bounds.exactly(1.0))
    reached = [watch.see(joules) for joules in (10.0, 49.9, 50.0, 60.0)]
    reached += [watch.see(97.0, ends), watch.see(99.0), watch.see(100.0), watch.see(200.0)]

    assert [False] * 6 + [True, False] == reached
    assert watch.is_reached
    assert [
        "50.0 % of the budget of 100 J are used",
        "95.0 % of the budget of 100 J are used",
        "the run will likely use 130.0 % of its budget of 100 J",
        "the budget of 100 J is used up",
    ] == said


def test_the_budget_is_that_of_the_machines() -> None:
    """What they draw at their plugs counts, of the run so far as of its forecast."""
    said: list[str] = []
    watch = BudgetWatch(config(budget="100 J"), lambda _, message: said.append(message))
    ends = Forecast(Bounds.exactly(80.0), Bounds.exactly(1.0), Bounds.exactly(1.0))

    assert not watch.see(40.0, ends, machine_ratio=1.5)
    assert watch.see(70.0, machine_ratio=1.5)
    assert "the run will likely use 120.0 % of its budget of 100 J" == said[1]


@pytest.mark.parametrize(("budget", "more"), [("1 kWh", 0.2), ("1 EUR", 0.1), ("100 g", 0.2)])
def test_a_lineage_counts_earlier_attempts(budget: str, more: float) -> None:
    """By their energy at the ratio of this run's machines, or by the CO2e of their own records; if that is wanted."""
    shares = []
    for scope in ("lineage", "run"):
        watch = BudgetWatch(config(budget=budget, budget_scope=scope, price_per_kwh="0.5"), lambda *_: None)
        watch.see(300_000.0, machine_ratio=1.2, earlier=Totals(600_000_000_000, 20.0))
        assert scope == watch.scope
        shares.append(watch.used_ratio or 0.0)

    assert shares[0] - shares[1] == pytest.approx(more)


def test_a_resumed_run_reaches_the_budget_of_its_lineage() -> None:
    """Where an earlier attempt has used it up already, as soon as anything is known."""
    settings = config(budget="1500 J")
    first = World()
    first.engine.start("train")
    first.steps(100)
    state = first.engine.state_dict()
    first.engine.stop()
    seen: list[tuple[bool, float]] = []
    for scope in ("lineage", "run"):
        world = World(store=first.store, changes={"budget": settings.budget, "budget_scope": scope})
        world.engine.load_state_dict(state)
        world.engine.start("train")
        world.steps(60)
        budget = world.engine.stop().budget
        assert budget is not None
        seen.append((world.engine.budget_reached, round(budget.used_ratio or 0, 2)))

    assert [(True, 1.07), (False, 0.4)] == seen


def test_a_run_without_a_budget_never_reaches_it() -> None:
    """Whatever it uses."""
    assert not BudgetWatch(config(), lambda *_: None).see(1e12)


@pytest.mark.parametrize("on_budget", ["warn", "stop"])
def test_a_loop_of_ones_own_is_told(on_budget: str, caplog: pytest.LogCaptureFixture) -> None:
    """It can ask; where it asked to be stopped, its next step raises, and its record is whole."""
    settings = config(budget="150 J", on_budget=on_budget)
    world = World(changes={"budget": settings.budget, "on_budget": on_budget})
    meter = world.engine.start("train")
    world.steps(10)
    before = meter.budget_reached
    with caplog.at_level(logging.WARNING):
        world.run(1.5)
    raised = False
    try:
        meter.step_done()
    except BudgetReached:
        raised = True
    record = meter.stop()

    assert (False, True, on_budget == "stop") == (before, meter.budget_reached, raised)
    assert "the budget of 150 J is used up" == caplog.messages[-1]
    assert 3 == len(caplog.messages)
    assert (250.0, 11) == (record.energy.total_joules, record.steps)


class Named:
    """The name of a run that its ranks know."""

    def agree(self, proposal: str) -> str:
        """The name, whatever a rank proposes."""
        del proposal
        return "20261121T101112Z-00000001"


def worlds(count: int, budget: str, *, world_size: int | None = None, **changes: str) -> list[World]:
    """Ranks of a run, on a clock and a store that they share."""
    settings = config(budget=budget)
    clock, store = ManualClock(start_ns=5_000_000_000), MemoryRunStore()
    return [
        World(
            lambda clock, rank=rank: [ScriptedCounter(clock, lambda _: 100.0, domain=gpu(rank))],  # type: ignore[misc]
            clock=clock,
            store=store,
            ranks=Ranks(rank, rank, world_size or count, "host"),
            identity=Named(),
            changes={"budget": settings.budget, **changes},
        )
        for rank in range(count)
    ]


def gpu(rank: int) -> Domain:
    """The GPU of a rank."""
    return Domain(Kind.GPU, f"gpu:{rank}", f"GPU {rank}")


def take_step(ranks: list[World]) -> list[bool]:
    """Let all ranks take a step of a tenth of a second, and say which are ended by it."""
    ranks[0].clock.advance(seconds=0.1)
    for world in ranks:
        world.samplers[-1].tick()
    ended = []
    for world in ranks:
        try:
            world.engine.step_done()
            ended.append(False)
        except BudgetReached:
            ended.append(True)
    return ended


@pytest.mark.parametrize("on_budget", ["warn", "stop"])
def test_ranks_reach_their_budget_at_the_same_step(on_budget: str) -> None:
    """All of them, without waiting for each other; the record says whether that ended the run."""
    ranks = worlds(3, "6000 J", on_budget=on_budget)
    for world in ranks:
        world.engine.start("train")
    seen: list[list[bool]] = []
    ended: list[bool] = []
    while len(seen) < _MOST_STEPS and not (seen and any(seen[-1])):
        ended = take_step(ranks)
        seen.append([world.engine.budget_reached for world in ranks])
    records = [world.engine.stop() for world in reversed(ranks)]
    budget = records[-1].budget

    assert [True] * 3 == seen[-1]
    assert [on_budget == "stop"] * 3 == ended
    assert budget is not None
    assert ("6000 J", on_budget == "stop") == (budget.limit, budget.stopped)
    assert {len(seen)} == {rank.steps for rank in records[-1].ranks}


def test_ranks_that_are_not_all_heard_of_do_not_stop(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody knows what the others would do, so the user is told the fix."""
    ranks = worlds(2, "300 J", world_size=3, on_budget="stop")
    for world in ranks:
        world.engine.start("train")
    with caplog.at_level(logging.WARNING):
        seen = [any(take_step(ranks)) for _ in range(200)]
    for world in ranks:
        world.engine.stop()

    assert not any(seen)
    assert not any(world.engine.budget_reached for world in ranks)
    [said] = [message for message in caplog.messages if "processes" in message]
    assert said.startswith("the budget counts only processes that write into one folder")
    assert "the journals of 1 of 3 processes are not there; give all of them one folder by ledger=" in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"budget": "two kWh"}, "budget='two kWh' cannot be used: give an amount with its unit"),
        ({"budget": "10 EUR"}, "budget='10 EUR' cannot be used: give price_per_kwh, too, in EUR"),
        ({"budget": "10 EUR", "price_per_kwh": "0"}, "price_per_kwh='0' cannot be used: give the price"),
        ({"budget_scope": "all"}, "budget_scope='all' cannot be used: give one of 'run', 'lineage'"),
        ({"budget": "1 J", "on_budget": "panic"}, "on_budget='panic' cannot be used: give one of 'warn', 'stop'"),
    ],
)
def test_what_cannot_be_a_budget_is_refused(settings: dict[str, str], said: str) -> None:
    """At construction, with the fix."""
    with pytest.raises(ConfigError) as caught:
        config(**settings)

    assert str(caught.value).startswith(said)
