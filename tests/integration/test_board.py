"""Showing the end of a run: whatever a writer does, nothing is raised, and a program's figures are left alone."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon.integrations.trackers.tensorboard import FinishedRun, is_called, show_finished_run
from lightning_carbon.records.power_profile import START, Height, Strand, power_profile_of
from tests.unit.records.samples import FULL

ROOT = Path(__file__).resolve().parents[2]
SECOND = 1_000_000_000
GPU = Strand("gpu", is_modelled=False)
COURSE = power_profile_of([START, Height(SECOND, {GPU: 9}, {GPU: SECOND}, {"train": SECOND})])
ENDING = FinishedRun(FULL, COURSE, 7, ["power/total_watts"])


class Writer:
    """A ``SummaryWriter`` that keeps what it is given, or fails.

    Args:
        folder: Where it pretends to write.
        fails: The methods that raise.
    """

    def __init__(self, folder: Path, *fails: str) -> None:
        self._folder = folder
        self._fails = fails
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method
        def method(*arguments: object, **_: object) -> object:
            if name in self._fails:
                message = f"{name} is broken"
                raise OSError(message)
            self.calls.append(f"{name} {arguments[0]}" if arguments and isinstance(arguments[0], str) else name)
            return str(self._folder) if name == "get_logdir" else None

        return method

    def shown(self) -> list[str]:
        """What was shown."""
        return [call for call in self.calls if call.startswith("add_")]


def test_everything_is_shown_once(tmp_path: Path) -> None:
    """The words, the picture, the layout."""
    writer = Writer(tmp_path)
    show_finished_run(writer, ENDING)

    assert ["add_text carbon/summary", "add_image power/over_time", "add_custom_scalars"] == writer.shown()


@pytest.mark.parametrize("broken", ["add_text", "add_image", "add_custom_scalars", "flush", "get_logdir"])
def test_what_fails_costs_that_part_alone(tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture) -> None:
    """The others are shown, and nothing is raised."""
    writer = Writer(tmp_path, broken)
    with caplog.at_level(logging.CRITICAL, logger="lightning_carbon"):
        show_finished_run(writer, ENDING)

    assert 2 == len(writer.shown())


def test_a_class_is_known_by_its_name_wherever_it_is_from() -> None:
    """There are two copies of Lightning's loggers, and people derive from them."""
    made = type("TensorBoardLogger", (), {})

    assert is_called(type("Mine", (made,), {})(), "TensorBoardLogger")
    assert not is_called(Path(), "TensorBoardLogger")


_CHILD = """
import logging, sys
{before}
logging.basicConfig(level=logging.{level}, format="%(message)s", stream=sys.stderr)
logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it debugs a lot
from pathlib import Path
from tests.integration.test_board import ENDING, Writer
from lightning_carbon.integrations.trackers.tensorboard import show_finished_run
writer = Writer(Path())
show_finished_run(writer, ENDING)
show_finished_run(writer, ENDING)
print(*writer.shown(), sep=",")
print("matplotlib.pyplot" in sys.modules)
"""


def child(before: str = "", level: str = "WARNING", **variables: str) -> subprocess.CompletedProcess[str]:
    """Show the same run twice in a program of its own."""
    words = [sys.executable, "-W", "error", "-c", _CHILD.format(before=before, level=level)]
    environment = {**os.environ, **variables}
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=100)


def test_without_matplotlib_there_is_no_figure() -> None:
    """The rest is shown, and one line for those who debug says why, once."""
    done = child("sys.modules['matplotlib'] = None", "DEBUG")
    words, _ = done.stdout.splitlines()

    said = done.stderr.splitlines()

    assert "add_text carbon/summary,add_custom_scalars,add_text carbon/summary,add_custom_scalars" == words
    assert 1 == len(said)
    assert said[0].startswith("no figure of the power: ")
    assert "matplotlib" in said[0]


@pytest.mark.parametrize("folder", ["", "/dev/null/nowhere"], ids=["as here", "without a folder to write to"])
def test_the_figure_needs_neither_pyplot_nor_a_backend_of_the_program(folder: str) -> None:
    """Nothing is loaded that keeps figures for the whole program, and nothing is said."""
    done = child(**({"MPLCONFIGDIR": folder} if folder else {}))

    assert "add_image power/over_time" in done.stdout
    assert ("False", "") == (done.stdout.splitlines()[1], done.stderr)
