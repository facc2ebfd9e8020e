"""Figures of carbon intensity: hour of the day by month, and the same energy elsewhere.

They need matplotlib (the extra ``report``), and only its objects, as :mod:`lightning_carbon.report.figure` says.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.report.figure import DOTS_PER_INCH, quietly
from lightning_carbon.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from lightning_carbon.carbon.what_if import Elsewhere

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EVERY: Final = 3
_SIZE_INCHES: Final = (6.4, 3.9)
_BAR_INCHES: Final = 0.26
_HERE, _THERE = "#0072B2", "#999999"
_MOST_BARS: Final = 60


def month_figure(grams: Mapping[tuple[int, int], float], title: str, zone: str) -> Figure:
    """Draw the mean carbon intensity by hour of the day and month.

    Args:
        grams: gCO2e/kWh by month, from 1, and hour, from 0; hours that are missing stay white.
        title: The title.
        zone: The zone of the hours, such as ``"UTC"``.

    Raises:
        ImportError: There is no matplotlib.
    """
    figure, axes = _figure(_SIZE_INCHES)
    hours = range(HOURS_PER_DAY)
    cells = [[grams.get((month, hour), math.nan) for month in range(1, len(MONTHS) + 1)] for hour in hours]
    image = axes.imshow(cells, aspect="auto", origin="lower", cmap="cividis_r")
    axes.set_xticks(range(len(MONTHS)), MONTHS, fontsize=8)
    axes.set_yticks(range(0, HOURS_PER_DAY, _EVERY), [f"{hour:02d}:00" for hour in hours[::_EVERY]], fontsize=8)
    axes.set_ylabel(f"hour of day ({zone})", fontsize=9)
    axes.set_title(title, fontsize=10, parse_math=False)
    figure.colorbar(image, ax=axes).set_label("gCO2e/kWh", fontsize=9)
    return figure


def elsewhere_figure(rows: Sequence[Elsewhere], title: str) -> Figure:
    """Draw the CO2e of the same energy under each alternative, the cleanest at the top, with its range.

    Args:
        rows: The alternatives, the cleanest first; of more than sixty, the first.
        title: The title.

    Raises:
        ImportError: There is no matplotlib.
    """
    shown = list(rows[:_MOST_BARS])
    figure, axes = _figure((_SIZE_INCHES[0], 1.2 + _BAR_INCHES * len(shown)))
    kilograms = [row.footprint.map(lambda mass: mass.kilograms) for row in shown]
    axes.barh(
        range(len(shown)),
        [mass.value for mass in kilograms],
        xerr=[[mass.value - mass.low for mass in kilograms], [mass.high - mass.value for mass in kilograms]],
        color=[_HERE if row.is_here else _THERE for row in shown],
        ecolor="#222222",
        error_kw={"linewidth": 0.8, "capsize": 2},
    )
    axes.set_yticks(range(len(shown)), [row.name for row in shown], fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("kgCO2e, with its range", fontsize=9)
    axes.set_title(title, fontsize=10, parse_math=False)
    return figure


def _figure(size: tuple[float, float]) -> tuple[Figure, Any]:
    with quietly():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()
