"""The figure of a run's power: what is in it, and that it leaves a program's own figures alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pytest
from matplotlib.text import Text

from lightning_carbon.energy.phases import Phase
from lightning_carbon.energy.readings import Kind
from lightning_carbon.records.power_profile import START, Height, PowerProfile, Strand, power_profile_of
from lightning_carbon.report.figure import (
    DOTS_PER_INCH,
    KIND_COLOURS,
    OWN_PHASES,
    PHASES,
    SIZE_INCHES,
    pixels,
    power_figure,
)
from tests.unit.records.samples import FULL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SECOND = 1_000_000_000
GPU, CPU = Strand("gpu", is_modelled=False), Strand("package", is_modelled=True)


def profile(seconds: int = 60, *, every: int = 1, lost_at: int = 10**9) -> PowerProfile:
    """A GPU of 300 W, lost at a moment, and a modelled processor of 50 W; the last tenth validates."""
    heights = [START]
    for second in range(every, seconds + 1, every):
        seen = min(second, lost_at)
        ns, train = second * SECOND, min(second, seconds * 9 // 10) * SECOND
        heights.append(
            Height(
                ns,
                {GPU: seen * 300_000_000, CPU: second * 50_000_000},
                {GPU: seen * SECOND, CPU: ns},
                {"train": train, "validate": ns - train},
            )
        )
    return power_profile_of(heights)


def drawn(**settings: Any) -> Figure:  # noqa: ANN401 - of :func:`profile`
    """The figure of such a run."""
    figure = power_figure(FULL, profile(**settings))
    assert figure is not None
    return figure


def words(figure: Figure) -> set[str]:
    """What is written in a figure."""
    texts: Any = figure.findobj(Text)
    return {text.get_text() for text in texts} - {""}


def test_the_figure_says_what_it_shows() -> None:
    """Each kind, measured or modelled, each phase, the run, the units."""
    found = words(drawn())

    assert {"GPU, measured", "CPU, modelled", "train", "validate", "seconds since the start", "power, W"} <= found
    assert "baseline: 1 min 28 s, 13.5 kJ (chips), mean 154 W" in found
    assert found.isdisjoint({"memory, modelled", "setup"})


@pytest.mark.parametrize(("seconds", "unit"), [(90, "seconds"), (1_000, "minutes"), (20_000, "hours"), (10**6, "days")])
def test_time_is_in_a_unit_of_fitting_size(seconds: int, unit: str) -> None:
    """Between two and a few dozen of it."""
    assert f"{unit} since the start" in words(drawn(seconds=seconds, every=max(1, seconds // 200)))


def test_pixels_have_the_size_of_a_card() -> None:
    """Of red, green and blue, with something on them."""
    image = pixels(drawn())

    assert (round(SIZE_INCHES[1] * DOTS_PER_INCH), round(SIZE_INCHES[0] * DOTS_PER_INCH), 3) == image.shape
    assert "uint8" == str(image.dtype)
    assert len({tuple(pixel) for pixel in image.reshape(-1, 3)[::97].tolist()}) > 10


def test_time_without_readings_stays_empty() -> None:
    """Where a GPU was lost, its colour ends; the processor's stripes go on."""
    whole, part = pixels(drawn()), pixels(drawn(lost_at=30))
    blue = (whole[..., 2].astype(int) - whole[..., 0] > 80, part[..., 2].astype(int) - part[..., 0] > 80)
    middle = whole.shape[1] // 2 + 50  # the axis of time begins right of the numbers of the other

    assert blue[0][:450, middle:].sum() > 10_000
    assert 0 == blue[1][:400, middle:].sum()


def test_where_nothing_is_known_there_is_no_figure() -> None:
    """Neither power nor time."""
    assert power_figure(FULL, PowerProfile(())) is None
    assert power_figure(FULL, power_profile_of([START, Height(SECOND, {}, {}, {"train": SECOND})])) is None


def test_phases_of_other_names_are_named_after_the_known_ones_the_longest_first() -> None:
    """As many as there is room for, in turn of their colours; all of them are drawn."""
    spans = {"rollout": 3, "validate": 10, **{f"own {number}": 1 for number in range(60)}, "score": 5}
    times = {phase: seconds * SECOND for phase, seconds in spans.items()}
    figure = power_figure(FULL, power_profile_of([START, Height(sum(times.values()), {GPU: 1}, {GPU: 1}, times)]))
    assert figure is not None
    named = [text.get_text() for legend in figure.legends for text in legend.get_texts()]

    assert ["GPU, measured", "validate", "score", "rollout", "own 0"] == named[:5]
    assert 16 == len(named)


def test_every_kind_and_every_phase_has_its_colour() -> None:
    """And no two the same; a whole machine is no kind of chip, and is not drawn."""
    assert {kind.value for kind in Kind} - {Kind.MACHINE.value} == set(KIND_COLOURS)
    assert {phase.value for phase in Phase} == set(PHASES)
    colours = [*KIND_COLOURS.values(), *PHASES.values(), *OWN_PHASES]

    assert len(colours) == len(set(colours))


@pytest.mark.parametrize("name", ["$x_1$ \\frac", "日本語", "%s {0} _^"])
def test_a_name_is_text(name: str) -> None:
    """Marks of TeX, letters that the font lacks: no failure and no warning."""
    figure = power_figure(replace(FULL, run_name=name), profile())

    assert figure is not None
    assert pixels(figure).any()


def test_a_program_s_own_figures_are_left_alone() -> None:
    """Its settings stay, and ours do not follow them: with TeX asked for, a program would be started for it."""
    with mpl.rc_context({"text.usetex": True, "font.family": "nobody's", "axes.facecolor": "black"}):
        before = dict(mpl.rcParams)
        figure = drawn()
        plain = pixels(figure)

        assert before == dict(mpl.rcParams)
    assert (plain == pixels(drawn())).all()
