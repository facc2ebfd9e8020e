"""Shows the end of a run in TensorBoard: the summary, the figure of its power, the layout of our charts.

This is done once, after the run has ended and its record is stored, in the process whose rows are logged. A failure
costs that part and nothing else. The figure takes some 0.1 s of processor time, so only a long training gets one.

Knows TensorBoard's writers by their methods, those of torch and those of tensorboardX.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lightning_carbon.integrations.shared.guard import guarded, logger, told_of
from lightning_carbon.records.power_profile import PowerProfile
from lightning_carbon.records.run import RunRecord
from lightning_carbon.report.board import POWER, SUMMARY, layout
from lightning_carbon.report.figure import pixels, power_figure
from lightning_carbon.report.markdown import summary_markdown

Writer = Any
"""A ``SummaryWriter`` of torch or of tensorboardX."""

_LAYOUT_TAG: Final = b"custom_scalars__config__"
"""The tag of TensorBoard's layout; a run has a single layout, the last that was written."""
_LAYOUT_WITHIN_BYTES: Final = 4_000_000
"""How far into the logs to look for a layout of the user's, which writers get at the start."""

FIGURE_FROM_SECONDS: Final = 30.0
"""The least duration of a training with a figure, which takes less than 0.5 % of it (`make bench`, 2026)."""

_told: set[str] = set()


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, as TensorBoard shows it.

    Args:
        record: Its record.
        profile: Its power over time.
        step: Its place on the x-axis.
        names: The metrics that were logged.
        prefix: The prefix of the names, such as ``"test/"``.
        is_training: Whether it was a training.
    """

    record: RunRecord
    profile: PowerProfile
    step: int
    names: Collection[str] = ()
    prefix: str = ""
    is_training: bool = True


def show_finished_run(writer: Writer, run: FinishedRun) -> None:
    """Show a run that has ended. Never raises.

    Args:
        writer: A ``SummaryWriter`` that is open.
        run: The run.
    """
    _show_summary(writer, run)
    _show_power(writer, run)
    _lay_out(writer, run)
    _flush(writer)


@guarded()
def _show_summary(writer: Writer, run: FinishedRun) -> None:
    text = summary_markdown(run.record)
    with told_of(writer):
        writer.add_text(run.prefix + SUMMARY.name, text, run.step)


@guarded()
def _show_power(writer: Writer, run: FinishedRun) -> None:
    if not run.is_training or run.record.duration_seconds < FIGURE_FROM_SECONDS:
        return
    try:
        figure = power_figure(run.record, run.profile)
    except ImportError as error:
        if "figure" not in _told:
            _told.add("figure")
            logger.debug("no figure of the power: %s (pip install 'lightning-carbon[report]')", error)
        return
    if figure is None:
        return
    image = pixels(figure)
    with told_of(writer):
        # Not add_figure(), which loads pyplot and chooses a backend for the whole program.
        writer.add_image(run.prefix + POWER.name, image, run.step, dataformats="HWC")


@guarded()
def _lay_out(writer: Writer, run: FinishedRun) -> None:
    charts = layout(run.names)
    with told_of(writer):
        if charts and run.is_training and not _has_layout(writer):
            writer.add_custom_scalars(charts)


def _flush(writer: Writer) -> None:
    with told_of(writer):
        writer.flush()


def _has_layout(writer: Writer) -> bool:
    """Whether the run has a layout already, since the user's own must not be replaced."""
    writer.flush()
    for file in Path(writer.get_logdir()).glob("events.out.tfevents.*"):
        with file.open("rb") as events:
            if _LAYOUT_TAG in events.read(_LAYOUT_WITHIN_BYTES):
                return True
    return False
