"""What was used between two moments of a program's choice."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.metering.laps import Spent
from lightning_carbon.testing import ScriptedDevice
from tests.unit.metering.worlds import World


def test_between_two_moments_is_what_was_used_there() -> None:
    """Once readings have settled it; until then as far as they have, and what share of the time that is."""
    world = World()
    meter = world.engine.start("train")
    world.run(1.0)
    start = meter.laps.note()
    assert meter.laps.between(start, start) == Spent(0.0, 1.0)

    world.run(1.0)
    world.clock.advance(seconds=0.25)
    end = meter.laps.note()
    assert meter.laps.between(start, end) == Spent(100.0, 0.8)

    world.run(1.0)
    assert meter.laps.between(start, end) == Spent(125.0, 1.0)

    meter.stop()
    assert meter.laps.between(start, end) == Spent(125.0, 1.0)


def test_what_is_not_settled_at_all_is_not_known() -> None:
    """Not zero; nor is what began long ago, or where nothing is metered."""
    world, blind = World(), World(lambda _: [])
    meter = world.engine.start()
    world.run(1.0)
    world.clock.advance(seconds=0.01)
    start = meter.laps.note()

    assert meter.laps.between(start, meter.laps.note()) is None
    blind.engine.start()
    assert blind.engine.laps.between(blind.engine.laps.note(), blind.engine.laps.note()) is None

    for _ in range(300):
        meter.laps.note()
    world.run(1.0)
    assert meter.laps.between(start, meter.laps.note()) is None


def test_a_moment_is_where_the_device_got_to_it() -> None:
    """As with all marks: what the program asked for before counts before."""
    world = World(device=ScriptedDevice)
    assert world.device is not None
    meter = world.engine.start()
    world.device.launch(seconds=0.5)
    start = meter.laps.note()
    world.run(1.0)
    end = meter.laps.note()
    world.run(1.0)

    spent = meter.laps.between(start, end)
    assert spent is not None
    assert (50.0, 1.0) == pytest.approx(spent, abs=0.1)


@given(st.lists(st.floats(0.01, 0.5), min_size=1, max_size=20))
def test_moments_in_a_row_add_up(seconds: list[float]) -> None:
    """What lies between the first and the last is what lies between those in between."""
    world = World()
    meter = world.engine.start("train")
    world.run(0.5)
    laps = [meter.laps.note()]
    for length in seconds:
        world.run(length, 0.05)
        meter.step_done()
        laps.append(meter.laps.note())
    record = meter.stop()
    parts = [meter.laps.between(first, second) for first, second in pairwise(laps)]
    whole = meter.laps.between(laps[0], laps[-1])

    assert whole is not None
    assert whole.joules == pytest.approx(sum(part.joules for part in parts if part is not None), abs=1e-6)
    assert len(seconds) == record.steps
