"""The charts of reports, as SVG that stands inside a page: text stays text, and nothing is loaded from elsewhere.

Every chart is dark ink on a light card, in the dark as well, and colours distinguish lines for every kind of colour
vision (Okabe and Ito, "Color Universal Design", 2008).
"""

from __future__ import annotations

import io
import re
import threading
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.records.numbers import CO2E, WATT_HOURS, amount, digits, duration, printable, shorten
from lightning_carbon.report.figure import make_plain, power_figure, quietly, time_unit
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, KILO
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lightning_carbon.records.course import Course, MetricPoint
    from lightning_carbon.records.run import RunRecord

_SIZE_INCHES: Final = (4.9, 3.0)
_INK: Final = "#222222"
_BLUE, _ORANGE, _GREEN, _RED = "#0072B2", "#B35900", "#007A59", "#A8440A"
_IDS: Final = re.compile(r'(\bid="|href="#|url\(#)')
_NAME_WIDTH: Final = 28
_drawing = threading.Lock()
"""Settings of matplotlib are those of the process: a single chart is written at a time."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Args:
        title: The heading.
        description: What it shows, in words, for those who cannot see it.
        svg: The chart.
    """

    title: str
    description: str
    svg: str


def power_chart(record: RunRecord, course: Course) -> Chart | None:
    """The power of a run over time; ``None`` where it is not known."""
    figure = power_figure(record, course.profile)
    if figure is None:
        return None
    stretches = course.profile.stretches
    watts = [sum(stretch.watts.values()) for stretch in stretches]
    phases = ", ".join(dict.fromkeys(band.phase for band in course.profile.bands))
    told = f"Power over {duration(stretches[-1].end_seconds)}, between {digits(min(watts))} and {digits(max(watts))} W"
    return Chart("Power over time", f"{told}, stacked by kind of hardware; phases: {phases}.", svg_of(figure, "power"))


def energy_chart(record: RunRecord, course: Course) -> Chart | None:
    """Energy and CO2e of a run so far, over time; ``None`` where its power over time is not known."""
    stretches = course.profile.stretches
    if not course.profile.strands:
        return None
    unit, size = time_unit(stretches[-1].end_seconds)
    times, joules = [stretches[0].start_seconds / size], [0.0]
    for stretch in stretches:
        lasted = stretch.end_seconds - stretch.start_seconds
        times.append(stretch.end_seconds / size)
        joules.append(joules[-1] + lasted * sum(stretch.watts.values()))
    name, scale = _energy_unit(joules[-1])
    figure, axes = _axes(f"{unit} since the start", f"energy, {name}")
    axes.plot(times, [value / scale for value in joules], color=_BLUE, linewidth=1.6)
    axes.fill_between(times, [value / scale for value in joules], color=_BLUE, alpha=0.12, linewidth=0)
    axes.set_xlim(times[0], times[-1])
    axes.set_ylim(0.0, None)
    total, grams = record.energy.total_joules, record.carbon.grams_co2e
    if total and grams:
        mass_name, mass_size = _mass_unit(grams * joules[-1] / total)
        ratio = scale * grams / total / mass_size
        right = axes.twinx()
        right.set_ylim(0.0, axes.get_ylim()[1] * ratio)
        right.set_ylabel(f"CO2e, {mass_name}", fontsize=9, color=_INK)
        right.tick_params(labelsize=9, colors=_INK, length=3)
        for side, spine in right.spines.items():
            spine.set_visible(side == "right")
            spine.set_color(_INK)
    told = f"Energy so far over time, rising to {amount(joules[-1], WATT_HOURS)}"
    told += f", which stands for {amount(grams, CO2E)}" if grams else ""
    return Chart("Energy and CO2e so far", f"{told}.", svg_of(figure, "energy"))


def metric_chart(course: Course, name: str) -> Chart | None:
    """What a trainer logged against the energy so far; ``None`` where there are too few points to draw."""
    points = course.metrics.get(name, ())
    if len(points) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    unit, scale = _energy_unit(points[-1].joules)
    label = shorten(printable(name), _NAME_WIDTH)
    figure, axes = _axes(f"energy so far, {unit}", label)
    axes.plot([point.joules / scale for point in points], [point.value for point in points], color=_ORANGE, lw=1.6)
    told = f"{label} against energy: {_from_to(points)} over {amount(points[-1].joules, WATT_HOURS)}."
    return Chart(f"{label} against energy", told, svg_of(figure, f"metric-{_slug(name)}"))


def totals_chart(labels: Sequence[str], joules: Sequence[float], failed: Sequence[float]) -> Chart | None:
    """The energy of runs by period; ``None`` where there is no period.

    Args:
        labels: The periods.
        joules: The energy of each, in joules.
        failed: The part of it in runs that did not complete.
    """
    if not labels:
        return None
    unit, scale = _energy_unit(max(joules, default=0.0))
    figure, axes = _axes("", f"energy, {unit}")
    places = range(len(labels))
    good = [(whole - lost) / scale for whole, lost in zip(joules, failed, strict=True)]
    axes.bar(places, good, color=_BLUE, width=0.8, label="completed or running")
    bad = {place: lost / scale for place, lost in enumerate(failed) if lost}
    look: dict[str, Any] = {"color": "#E8B796", "edgecolor": _RED, "hatch": "////", "linewidth": 0.6, "width": 0.8}
    if bad:
        axes.bar(
            [*bad],
            [*bad.values()],
            bottom=[good[place] for place in bad],
            label="failed, interrupted or pruned",
            **look,
        )
    every = max(1, -(-len(labels) // 7))
    axes.set_xticks([*places][::every], [*labels][::every])
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 1.17), ncols=2, fontsize=8, frameon=False, labelcolor=_INK)
    total, lost = sum(joules), sum(failed)
    told = f"Energy by period from {labels[0]} to {labels[-1]}: {amount(total, WATT_HOURS)} in all, of which "
    told += f"{amount(lost, WATT_HOURS)} did not lead to a completed run."
    return Chart("Energy over time", told, svg_of(figure, "totals"))


def quality_chart(name: str, points: Sequence[tuple[float, float]]) -> Chart | None:
    """The last value of a metric of each run against the energy of the run; ``None`` with fewer than two runs.

    Args:
        name: The metric.
        points: Joules and value of each run.
    """
    if len(points) < 2:  # noqa: PLR2004 - one run shows nothing to choose from
        return None
    unit, scale = _energy_unit(max(joules for joules, _ in points))
    label = shorten(printable(name), _NAME_WIDTH)
    figure, axes = _axes(f"energy of the run, {unit}", f"{label} at the end")
    axes.scatter([joules / scale for joules, _ in points], [value for _, value in points], color=_BLUE, s=22)
    axes.set_xlim(0.0, None)
    told = f"{len(points)} runs: {label} at the end against the energy of the run."
    return Chart("Energy against quality", told, svg_of(figure, "quality"))


def svg_of(figure: Figure, name: str) -> str:
    """A figure as an SVG element for a page, without a size of its own, and with ids that no other chart has.

    Args:
        figure: The figure.
        name: The beginning of its ids; letters, digits and hyphens.
    """
    with _drawing, quietly():
        from matplotlib import rc_context

        make_plain(figure)
        written = io.StringIO()
        settings: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": name, "path.simplify": True}
        with rc_context(settings):
            figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for size in ("width", "height"):
        text = re.sub(rf'(<svg[^>]*?) {size}="[^"]*"', r"\1", text, count=1)
    text = text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    return _IDS.sub(rf"\g<1>{name}-", text)


def _axes(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    with quietly():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlabel(x_label, fontsize=9, color=_INK)
    axes.set_ylabel(y_label, fontsize=9, color=_INK)
    axes.tick_params(labelsize=9, colors=_INK, length=3)
    axes.yaxis.grid(visible=True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(_INK)
    return figure, axes


def _energy_unit(joules: float) -> tuple[str, float]:
    for name, size in (("kWh", JOULES_PER_KILOWATT_HOUR), ("Wh", JOULES_PER_KILOWATT_HOUR / KILO)):
        if joules >= size:
            return name, size
    return "J", 1.0


def _mass_unit(grams: float) -> tuple[str, float]:
    for unit in CO2E.units:
        if grams >= unit.size:
            return unit.name.removesuffix("CO2e"), unit.size
    return "g", 1.0


def _from_to(points: Sequence[MetricPoint]) -> str:
    return f"{points[0].value:.4g} at first, {points[-1].value:.4g} at the end"


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name)[:_NAME_WIDTH]
