"""Watching a run under way, on a clock that moves while the watcher waits."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from typer.testing import CliRunner

from lightning_carbon.carbon.budgets import budget_of
from lightning_carbon.cli.app import app
from lightning_carbon.cli.runs.choosing import open_runs
from lightning_carbon.cli.watch import looking
from lightning_carbon.cli.watch.looking import follow
from tests.report_ledger import world_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.metering.worlds import World

NAME = "[red]trial[/red] \x1b[2J\u202e1"


def started(ledger: Path) -> World:
    """A run with a plan and a budget, half a minute old."""
    world = world_of(ledger, project="lisa", run_name=NAME, budget=budget_of("100 Wh"))
    world.engine.tell_plan(steps=60)
    world.engine.start("setup")
    world.run(5.0, 0.5)
    world.engine.enter("train")
    train(world, 25)
    return world


def train(world: World, steps: int) -> None:
    """Train for a second a step."""
    for _ in range(steps):
        world.run(1.0, 0.5)
        world.engine.step_done(samples=4, tokens=1_000)
        world.engine.next_row()


def ends_after(world: World, looks: int) -> Callable[[float], None]:
    """A wait in which the run trains, and ends after some of them."""
    left = [looks]

    def wait(_seconds: float) -> None:
        train(world, 5)
        left[0] -= 1
        if not left[0]:
            world.engine.stop()

    return wait


def watched(ledger: Path, world: World, *, is_terminal: bool) -> str:
    """What is shown of a run until it ends."""
    shown = io.StringIO()
    runs = open_runs(str(ledger))
    console = Console(file=shown, force_terminal=is_terminal, width=100, highlight=False, color_system=None)
    follow(runs, runs.ledger.last(), 1.0, console=console, sleep=ends_after(world, 3))
    return shown.getvalue()


def test_lines_are_printed_where_there_is_no_terminal(tmp_path: Path) -> None:
    """Power, steps, energy, tokens, forecast and budget, until the run has ended."""
    lines = watched(tmp_path, started(tmp_path), is_terminal=False).splitlines()

    assert ["running"] * 3 + ["completed"] == [line.split(",")[0] for line in lines]
    words = [" kW, ", "train, 2", "per token", "at the end (", "of 100 Wh used"]
    assert [] == [word for word in words if word not in lines[0]], lines[0]
    assert "at the end" not in lines[-1]
    assert "throttled: heat, waste: throttled by heat: " in lines[0]


def test_a_terminal_shows_devices_and_phases(tmp_path: Path) -> None:
    """Each device with its power, each phase with its energy, and the name of the run as the text that it is."""
    shown = watched(tmp_path, started(tmp_path), is_terminal=True)

    assert all(word in shown for word in ("NVIDIA H100", "AMD EPYC", "▸ train", "setup", "steps", "of 60"))
    assert all(word in shown for word in ("87 °C  1,410 MHz  97.0 % busy", "throttled: heat", "waste", "look at fans"))
    assert "[red]trial[/red]" in shown
    assert "\x1b[2J" not in shown.replace("\x1b[2K", "")
    assert "\u202e" not in shown


def test_the_run_under_way_is_watched_by_default(tmp_path: Path) -> None:
    """Where none is, a line says so."""
    world = started(tmp_path)
    found = looking._under_way(open_runs(str(tmp_path)))  # noqa: SLF001 - the command itself would wait for its end
    world.engine.stop()
    done = CliRunner().invoke(app, ["watch", "--ledger", str(tmp_path)])

    assert NAME == found.run_name
    assert (2, 1) == (done.exit_code, done.stderr.count("\n"))
    assert "no run is under way" in done.stderr


def test_a_run_that_has_ended_is_shown_once(tmp_path: Path) -> None:
    """By its name, and the command ends at once."""
    world = started(tmp_path)
    run_id = world.engine.stop().run_id
    done = CliRunner().invoke(app, ["watch", run_id, "--ledger", str(tmp_path)])

    assert (0, 1) == (done.exit_code, done.stdout.count("\n"))
    assert done.stdout.startswith("completed, 30")


def test_ctrl_c_leaves_quietly(tmp_path: Path) -> None:
    """With the exit code of a program that it ends."""
    started(tmp_path)

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    runs = open_runs(str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        follow(runs, runs.ledger.last(), 1.0, console=Console(file=io.StringIO()), sleep=interrupt)
