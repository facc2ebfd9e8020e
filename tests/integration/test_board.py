"""Showing the end of a run: whatever a writer does, nothing is raised, and a program's figures are left alone."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch.utils.tensorboard import SummaryWriter

from lightning_carbon.integrations.trackers.finished import FIGURE_FROM_SECONDS, FinishedRun
from lightning_carbon.integrations.trackers.tensorboard import show_finished_run
from lightning_carbon.records.power_profile import START, Height, Strand, power_profile_of
from lightning_carbon.report.board import POWER, SUMMARY
from lightning_carbon.report.figure import DOTS_PER_INCH, SIZE_INCHES
from lightning_carbon.report.markdown import summary_markdown
from tests.integration.board import Show
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


@pytest.mark.parametrize("broken", ["add_text", "add_image"])
def test_a_writer_that_fails_is_named(tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture) -> None:
    """What the user's own logger does not take is no failure of the meter."""
    writer = type(f"Broken_{broken}", (Writer,), {})(tmp_path, broken)
    with caplog.at_level(logging.WARNING, logger="lightning_carbon"):
        show_finished_run(writer, ENDING)

    [message] = caplog.messages

    assert f"Broken_{broken} did not take the energy that was logged, and the training goes on" == message


@pytest.mark.parametrize(
    ("run", "figures"),
    [
        (ENDING, 1),
        (replace(ENDING, is_training=False), 0),
        (replace(ENDING, record=replace(FULL, duration_seconds=FIGURE_FROM_SECONDS - 1)), 0),
    ],
    ids=["a training", "a test", "a short training"],
)
def test_a_figure_is_drawn_of_a_training_that_lasted(tmp_path: Path, run: FinishedRun, figures: int) -> None:
    """Drawing takes a tenth of a second of processor time, which shorter runs are spared."""
    writer = Writer(tmp_path)
    show_finished_run(writer, run)

    assert figures == writer.shown().count("add_image power/over_time")


def test_tensorboard_shows_what_is_written(tmp_path: Path) -> None:
    """The figure has the size of a card, and stands on the step of the end, as the words do."""
    with SummaryWriter(tmp_path) as writer:
        show_finished_run(writer, ENDING)
    show = Show.of(tmp_path)
    pixels = tuple(round(inches * DOTS_PER_INCH) for inches in SIZE_INCHES)

    assert {POWER.name: [(7, *pixels)]} == show.images
    assert {SUMMARY.name: [(7, summary_markdown(FULL))]} == show.texts
    assert ["power (W)"] == show.charts


def test_warnings_that_come_once_come_once(tmp_path: Path) -> None:
    """Python repeats them after any block that catches warnings, and the figure has none, save in its first import."""
    show_finished_run(Writer(tmp_path), ENDING)
    namespace: dict[str, object] = {"__name__": "program"}
    exec("import warnings\ndef warn(): warnings.warn('of the program')", namespace)  # noqa: S102 - a module of its own
    warn: Any = namespace["warn"]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        warn()
        show_finished_run(Writer(tmp_path), replace(ENDING, record=replace(FULL, run_name="\u4e2d")))
        warn()

    assert ["of the program"] == [str(warning.message) for warning in seen]


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
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=500)


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
