"""The figure of a run: its power over time, by kind of hardware, with its phases shaded.

Needs matplotlib (the extra ``report``), and only its objects: a figure and a canvas of its own, without ``pyplot`` and
without the backend and the settings that a program has chosen for its own figures.

Colours distinguish kinds for every kind of colour vision (Okabe and Ito, "Color Universal Design", 2008), phases are
pale and named, and modelled power is hatched, so nothing depends on colour alone.
"""

from __future__ import annotations

import logging
import math
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.readings import kind_word
from lightning_carbon.records.numbers import ENERGY, POWER, amount, duration, printable, shorten
from lightning_carbon.units import KILO, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from lightning_carbon.records.power_profile import PowerProfile
    from lightning_carbon.records.run import RunRecord

SIZE_INCHES: Final = (4.9, 3.7)
DOTS_PER_INCH: Final = 160
"""784 by 592 pixels. TensorBoard scales it down to the width of a card, some 330 pixels, where the nine-point letters
of a figure this small can still be read."""

KIND_COLOURS: Final = {
    "package": "#E69F00",
    "dram": "#009E73",
    "psys": "#CC79A7",
    "host": "#D55E00",
    "module": "#56B4E9",
    "gpu": "#0072B2",
}
"""The colour of each kind of hardware, in the order of stacking."""

PHASES: Final = {
    "setup": "#DDDDDD",
    "sanity": "#FFCCCC",
    "tune": "#DDCCDD",
    "train": "#F4F8FC",
    "validate": "#CCDDAA",
    "test": "#EEEEBB",
    "predict": "#CCEEFF",
    "checkpoint": "#AA88AA",
    "other": "#BBBBBB",
}
"""The colour of each phase: the pale scheme of Tol, "Colour Schemes" (SRON/EPS/TN/09-002, 2021); saving is short and
therefore dark, and training long and therefore almost white."""

OWN_PHASES: Final = ("#BBCCEE", "#FFDDCC", "#CCEECC", "#EECCDD", "#DDDDAA", "#BBDDDD")
"""The colours of phases that have names of the program's own, in turn; as pale, and ours."""
_MOST_NAMED: Final = 15
"""The most phases in the legend, known phases and then the longest; the rest are only drawn."""

_SECONDS_A_UNIT: Final = (
    ("days", SECONDS_PER_DAY, 2.0),
    ("hours", SECONDS_PER_HOUR, 2.0),
    ("minutes", SECONDS_PER_MINUTE, 3.0),
    ("seconds", 1.0, 0.0),
)
_FONT: Final = "DejaVu Sans"
"""A font that comes with matplotlib, so it is always available."""
_BOX: Final = "\N{WHITE SQUARE}"
_HEADROOM: Final = 1.18
_NAME_WIDTH: Final = 30
_PHASE_WIDTH: Final = 14
_AREAS_A_LINE: Final = 3
_BANDS_A_LINE: Final = 5
_LEGEND_BOTTOM: Final = 0.015
_LEGEND_LINE: Final = 0.052
_LABELS: Final = 0.145
"""The height of the time axis's numbers and name; like the two before it, a share of the figure's height."""
_SEEN_FROM: Final = 0.003
"""The share of the run below which a phase, less than two pixels wide, is drawn but not in the legend."""
_INK: Final = "#222222"


def power_figure(record: RunRecord, profile: PowerProfile) -> Figure | None:
    """Draw the power of a run over time.

    Args:
        record: The record of the run, for the title of the figure.
        profile: Its profile.

    Returns:
        A figure with a canvas of its own, not drawn yet; ``None`` where there is nothing to show.

    Raises:
        ImportError: There is no matplotlib.
    """
    if not profile.strands:
        return None
    with quietly():  # it logs folders that it cannot write to, and fonts that it looks for
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, facecolor="white", edgecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.115, 0.3, 0.85, 0.6), facecolor="white")
    unit, size = time_unit(profile.stretches[-1].end_seconds)
    bands = _shade(axes, profile, size)
    areas = _stack(axes, profile, size)
    _scale(axes, profile, unit=unit, size=size)
    _name(axes, record)
    lines = -(-len(areas) // _AREAS_A_LINE), -(-len(bands) // _BANDS_A_LINE)
    bottom = _LEGEND_BOTTOM + _LEGEND_LINE * sum(lines)
    axes.set_position((0.115, bottom + _LABELS, 0.85, 0.91 - bottom - _LABELS))
    _explain(figure, areas, height=bottom, columns=_AREAS_A_LINE)
    _explain(figure, bands, height=bottom - _LEGEND_LINE * lines[0], columns=_BANDS_A_LINE)
    make_plain(figure)
    return figure


def pixels(figure: Figure) -> Any:  # noqa: ANN401 - numpy is matplotlib's, not ours
    """Draw a figure.

    Args:
        figure: A figure of :func:`power_figure`.

    Returns:
        An array of bytes, height by width by red, green and blue.
    """
    import numpy as np

    canvas: Any = figure.canvas
    with quietly():
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


@contextmanager
def quietly() -> Iterator[None]:
    """Keep matplotlib's log messages from users, who did not ask for a figure.

    Its warnings are avoided instead, since Python repeats once-only warnings of a program after any block of
    ``warnings.catch_warnings``.
    """
    said = logging.getLogger("matplotlib")
    level = said.level
    said.setLevel(logging.ERROR)
    try:
        yield
    finally:
        said.setLevel(level)


def _shade(axes: Axes, profile: PowerProfile, size: float) -> list[Any]:
    """Shade the phases, over the whole height."""
    from matplotlib.patches import Patch

    spans: dict[str, list[tuple[float, float]]] = {}
    for band in profile.bands:
        spans.setdefault(band.phase, []).append(
            (band.start_seconds / size, (band.end_seconds - band.start_seconds) / size)
        )
    transform = axes.get_xaxis_transform()
    own = [phase for phase in spans if phase not in PHASES]
    colours = PHASES | dict(zip(own, cycle(OWN_PHASES)))
    for phase, places in spans.items():
        axes.broken_barh(places, (0.0, 1.0), transform=transform, color=colours[phase], linewidth=0, zorder=0)
    lasted = {phase: sum(width for _, width in places) * size for phase, places in spans.items()}
    own.sort(key=lasted.__getitem__, reverse=True)
    seen = [
        phase for phase in [*PHASES, *own] if lasted.get(phase, 0.0) >= _SEEN_FROM * profile.stretches[-1].end_seconds
    ]
    return [
        Patch(facecolor=colours[phase], edgecolor="#999999", linewidth=0.5, label=shorten(phase, _PHASE_WIDTH))
        for phase in seen[:_MOST_NAMED]
    ]


def _stack(axes: Axes, profile: PowerProfile, size: float) -> list[Any]:
    """Stack the power of all kinds; time that no reading covers is left empty."""
    from matplotlib.patches import Patch

    edges = [profile.stretches[0].start_seconds / size, *(stretch.end_seconds / size for stretch in profile.stretches)]
    floor = [0.0] * len(profile.stretches)
    areas = []
    for strand in sorted(profile.strands, key=lambda strand: ([*KIND_COLOURS].index(strand.kind), strand.is_modelled)):
        rises = [stretch.watts.get(strand) for stretch in profile.stretches]
        top = [below + (rise or 0.0) for below, rise in zip(floor, rises, strict=True)]
        colour = KIND_COLOURS[strand.kind]
        # Measured power is opaque; modelled power is striped and lets the phases through.
        look: dict[str, Any] = (
            {"facecolor": colour + "55", "hatch": "////", "edgecolor": colour, "linewidth": 0.0}
            if strand.is_modelled
            else {"facecolor": colour + "CC", "linewidth": 0.0}
        )
        line = [value if rise is not None else math.nan for value, rise in zip(top, rises, strict=True)]
        axes.stairs(line, edges, baseline=floor, fill=True, zorder=2, **look)
        axes.stairs(line, edges, baseline=None, color=colour, linewidth=0.8 if strand.is_modelled else 1.1, zorder=3)
        how = "modelled" if strand.is_modelled else "measured"
        areas.append(Patch(label=f"{kind_word(strand.kind)}, {how}", **{**look, "edgecolor": colour, "linewidth": 0.8}))
        floor = top
    return areas


def _scale(axes: Axes, profile: PowerProfile, *, unit: str, size: float) -> None:
    """Give both axes whole numbers, as text of our own making."""
    from matplotlib.ticker import MaxNLocator

    highest = max(sum(stretch.watts.values()) for stretch in profile.stretches)
    end = profile.stretches[-1].end_seconds / size
    axes.set_xlim(profile.stretches[0].start_seconds / size, end)
    axes.set_ylim(0.0, highest * _HEADROOM or 1.0)
    kilo = highest >= 10_000  # noqa: PLR2004 - five digits do not fit beside the axis
    _tick(axes.xaxis, MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]).tick_values(0.0, end), most=end)
    top = highest * _HEADROOM or 1.0
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(0.0, top)
    _tick(axes.yaxis, ticks, most=top, size=KILO if kilo else 1.0)
    axes.set_xlabel(f"{unit} since the start", fontsize=9, color=_INK)
    axes.set_ylabel(f"power, {'kW' if kilo else 'W'}", fontsize=9, color=_INK)
    axes.tick_params(labelsize=9, colors=_INK, length=3)
    axes.grid(visible=False)
    axes.yaxis.grid(visible=True, color="#FFFFFF", linewidth=0.7, alpha=0.6, zorder=4)
    axes.set_axisbelow(False)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(_INK)


def _tick(axis: Axis, values: Sequence[float], *, most: float, size: float = 1.0) -> None:
    # Not set_ticks(), which catches warnings: see quietly().
    from matplotlib.ticker import FixedFormatter, FixedLocator

    shown = [float(value) for value in values if 0.0 <= value <= most]
    axis.set_major_locator(FixedLocator(shown))
    axis.set_major_formatter(FixedFormatter([f"{value / size:g}" for value in shown]))


def _name(axes: Axes, record: RunRecord) -> None:
    total = record.energy.total_joules
    name = shorten(record.run_name or record.run_id, _NAME_WIDTH)
    facts = [duration(record.duration_seconds)]
    if total is not None:
        facts.append(f"{amount(total, ENERGY)} (chips)")
        if record.duration_seconds:
            facts.append(f"mean {amount(total / record.duration_seconds, POWER)}")
    axes.set_title(f"{name}: {', '.join(facts)}", fontsize=9.5, color=_INK, x=-0.1, loc="left", pad=7)


def _explain(figure: Figure, handles: list[Any], *, height: float, columns: int) -> None:
    """Put a part of the legend under the axes."""
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.02, height),
        ncols=columns,
        fontsize=9,
        frameon=False,
        labelcolor=_INK,
        handlelength=1.4,
        handletextpad=0.5,
        columnspacing=0.9,
        labelspacing=0.35,
        borderaxespad=0.0,
        borderpad=0.0,
    )


def make_plain(figure: Figure) -> None:
    """Keep a program's settings, and special characters in names, from having text typeset by TeX.

    A letter that the font lacks becomes a box, which matplotlib would also draw, but with a warning; a control
    character, such as those that turn the direction of writing, becomes a blank.
    """
    from matplotlib.font_manager import findfont, get_font
    from matplotlib.text import Text

    known = get_font(findfont(_FONT)).get_charmap()
    for text in figure.findobj(Text):
        content = text.get_text()
        shown = "".join(letter if ord(letter) in known else _BOX for letter in printable(content))
        if shown != content:
            text.set_text(shown)
        text.set_usetex(False)
        text.set_parse_math(False)
        text.set_fontfamily(_FONT)


def time_unit(seconds: float) -> tuple[str, float]:
    """The unit of the time axis, and its seconds."""
    return next((name, size) for name, size, least in _SECONDS_A_UNIT if seconds >= least * size)
