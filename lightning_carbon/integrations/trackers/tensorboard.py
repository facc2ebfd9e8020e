"""Shows the end of a run in TensorBoard: the summary, the figure of its power, the layout of our charts.

This is done once, after the run has ended and its record is stored, in the process whose rows are logged. A failure
costs that part and nothing else. The figure takes some 0.1 s of processor time, so only a long training gets one.

Knows TensorBoard's writers by their methods, those of torch and those of tensorboardX.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from lightning_carbon.integrations.shared.guard import guarded, told_of
from lightning_carbon.integrations.trackers.finished import FinishedRun
from lightning_carbon.report.board import POWER, SUMMARY, layout
from lightning_carbon.report.markdown import summary_markdown

Writer = Any
"""A ``SummaryWriter`` of torch or of tensorboardX."""

_LAYOUT_TAG: Final = b"custom_scalars__config__"
"""The tag of TensorBoard's layout; a run has a single layout, the last that was written."""
_LAYOUT_WITHIN_BYTES: Final = 4_000_000
"""How far into the logs to look for a layout of the user's, which writers get at the start."""


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
    image = run.image
    if image is None:
        return
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
