"""The meter on recordings of real GPUs beside an external meter, where the recordings are (``make reality``)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.reality import walls
from tests.reality.errors import errors_of
from tests.reality.figures import PAGE, RESULTS, with_tables
from tests.reality.traces import VARIABLE, folder, read

ROOT = folder()
COMMITTED: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))


@pytest.mark.skipif(ROOT is None, reason=f"{VARIABLE} names no folder with gpu-traces/")
@pytest.mark.parametrize("committed", COMMITTED, ids=lambda row: f"{row['trace']} {row['column']}")
def test_the_committed_figures_are_what_the_meter_makes_of_the_recordings(committed: dict[str, Any]) -> None:
    """A change to sampling or to timelines that makes a total or a window worse, or better, is seen here."""
    assert ROOT is not None
    found = errors_of(read(ROOT / committed["trace"]), committed["column"]).mapping()

    assert committed.pop("windows").keys() == found.pop("windows").keys()
    assert committed == {
        name: pytest.approx(value, abs=1e-3) if isinstance(value, float) else value for name, value in found.items()
    }


def test_the_page_says_what_was_found() -> None:
    """METHODOLOGY.md has the tables of the committed figures, to the letter."""
    page = PAGE.read_text(encoding="utf-8")

    assert page == with_tables(page, json.loads(RESULTS.read_text(encoding="utf-8")))


WALLS: list[dict[str, Any]] = json.loads(walls.RESULTS.read_text(encoding="utf-8"))


def test_the_committed_shares_of_walls_are_what_the_interval_holds() -> None:
    """Of nodes by the packaged trainings; of a desktop where a checkout of its runs is at hand."""
    root = walls.folder()
    found = walls.servers() if root is None else walls.results_of(list(walls.walls(root)))

    assert found
    assert WALLS[-len(found) :] == found


def test_machines_reach_the_goal_where_a_meter_tells_it() -> None:
    """85 % inside and ±35 % by a class; within ±20 % in the mean when calibrated, and all but 5 % within a count."""
    for row in WALLS:
        if "calibrated" in row["machine"]:
            assert 0.2 > row["half_width"]
            assert 0.95 <= row["near"] / row["runs"]
        else:
            assert 0.35 > row["widest"]
            assert 0.85 <= row["inside"] / row["runs"]


def test_the_page_has_the_walls() -> None:
    """METHODOLOGY.md has their table, to the letter."""
    page = PAGE.read_text(encoding="utf-8")

    assert page == walls.with_table(page, WALLS)
