"""The calibration of forecasts as a table for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.forecasts.calibration import Held

PAGE = Path(__file__).parents[2] / "METHODOLOGY.md"
BEGIN = "<!-- forecasts: written by python -m tests.forecasts --write -->\n"
END = "<!-- end of forecasts -->\n"


def table(energy: Sequence[Held], time: Sequence[Held], trainings: int) -> str:
    """A table in Markdown: a line for each moment.

    Args:
        energy: How forecasts of the energy turned out.
        time: How forecasts of the time turned out, at the same moments.
        trainings: How many trainings were drawn.
    """
    lines = [
        f"| over, of {trainings} trainings | energy inside | error | width | time inside | error |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {joules.done:.0%} | {joules.inside:.1%} | {joules.error:.1%} | {joules.width:.0%} "
        f"| {seconds.inside:.1%} | {seconds.error:.1%} |".replace("%", " %")
        for joules, seconds in zip(energy, time, strict=True)
    ]
    return "\n".join(lines)
