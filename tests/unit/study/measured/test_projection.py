"""From measured power to the row of a whole training: the study's own rows come out, and laws hold."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError
from lightning_carbon.measuring.pricing import method_of, published_model_of, row_of
from lightning_carbon.study.measured.measurement import Speed
from lightning_carbon.study.measured.projection import project
from lightning_carbon.study.measured.training_length import TrainingLength
from lightning_carbon.study.published.study import strubell2019
from lightning_carbon.study.published.tables import published_rows
from tests.unit.study.measured.measurements import measured, method, power

watts = st.lists(st.floats(0.1, 1_000.0), min_size=1, max_size=8)
hours = st.floats(1.0, 1e5)


@pytest.mark.parametrize("model", [model for model in strubell2019().models if model.power_watts is not None])
def test_the_study_s_own_power_gives_the_study_s_own_row(model: object) -> None:
    """Measuring what the study measured, on as many accelerators, closes to the printed digits."""
    known = next(other for other in strubell2019().models if other == model)
    assert known.power_watts is not None
    watts = known.power_watts / known.count
    gpus = [replace(power(f"gpu:{place}", watts), name=f"NVIDIA {known.accelerator}") for place in range(known.count)]
    row = row_of(measured(*gpus, published=known.id), method_of("strubell2019"))
    [printed] = [row for row in published_rows() if row.id == known.id and row.table == 3]

    assert printed.printed is not None
    assert printed.printed.closes(row.computed)
    assert (known.hours, f"{known.accelerator} x{known.count}") == (row.hours, row.hardware)
    assert row.power_watts == pytest.approx(known.power_watts)


@given(watts, hours, st.floats(1.0, 10.0))
def test_energy_and_co2e_are_linear_in_hours(levels: list[float], length: float, times: float) -> None:
    """Twice as long is twice as much, and so is each end of the range."""
    measurement = measured(*(power(f"gpu:{place}", level) for place, level in enumerate(levels)))
    short, long = (
        project(measurement, method(spread=0.2), TrainingLength(hours=hours)) for hours in (length, length * times)
    )

    assert short.computed is not None
    assert long.computed is not None
    assert short.range is not None
    assert long.range is not None
    assert short.computed.co2e_kg is not None
    assert pytest.approx(short.computed.co2e_kg * times, rel=1e-6) == long.computed.co2e_kg
    assert short.range.co2e_kg is not None
    assert tuple(times * end for end in short.range.co2e_kg) == pytest.approx(long.range.co2e_kg, rel=1e-6)


@given(watts, hours, st.integers(0, 1_000))
def test_the_order_of_domains_changes_nothing(levels: list[float], length: float, seed: int) -> None:
    """A sum has no order."""
    domains = [power(f"gpu:{place}", level) for place, level in enumerate(levels)]
    shuffled = random.Random(seed).sample(domains, len(domains))
    first, second = (
        project(measured(*domains_given), method(), TrainingLength(hours=length))
        for domains_given in (domains, shuffled)
    )

    assert first.computed == second.computed
    assert first.range == second.range


@given(watts, st.integers(1, 64), hours)
def test_more_accelerators_draw_more_and_the_host_is_counted_once(
    levels: list[float], count: int, length: float
) -> None:
    """The study's formula: host plus accelerators times the power of one."""
    gpus = [power(f"gpu:{place}", level) for place, level in enumerate(levels)]
    row = project(measured(*gpus, power("package:0", 80.0)), method(), TrainingLength(hours=length, count=count))

    assert pytest.approx(80.0 + count * sum(levels) / len(levels)) == row.power_watts
    assert row.hardware == f"P100-SXM2-16GB x{count}"


@given(st.floats(0.1, 1e4), st.floats(0.0, 900.0), st.floats(1.0, 3.0))
def test_a_row_lies_within_its_range(level: float, grams: float, ratio: float) -> None:
    """However wide the ranges of its inputs are."""
    row = project(measured(power("gpu:0", level)), method(grams, ratio, 0.3), TrainingLength(hours=10.0))

    assert row.computed is not None
    assert row.range is not None
    assert row.range.co2e_kg is not None
    assert row.range.co2e_kg[0] <= (row.computed.co2e_kg or 0.0) <= row.range.co2e_kg[1]


def test_by_hand() -> None:
    """300 W and 100 W for 10 h at a PUE of 1.5 and 200 g/kWh are 6 kWh and 1.2 kg."""
    measurement = measured(power("gpu:0", 300.0), power("package:0", 100.0), power("dram:0", 5.0, counted=False))
    row = project(measurement, method(200.0, 1.5), TrainingLength(hours=10.0))

    assert row.computed is not None
    assert (6.0, 1.2, 400.0) == pytest.approx((row.computed.kwh_pue, row.computed.co2e_kg, row.power_watts))
    assert ("counter + modelled", "P100-SXM2-16GB x1") == (row.provenance, row.hardware)


@pytest.mark.parametrize(
    ("extent", "length", "said"),
    [
        (TrainingLength(steps=360_000.0), 10.0, "360,000 steps at the measured 10 steps a second"),
        (TrainingLength(epochs=360.0), 10.0, "360 epochs of 1,000 steps at the measured 10 steps/s"),
        (TrainingLength(epochs=360.0, count=4), 5.0, "each accelerator with an equal share of them"),
        (TrainingLength(steps=360_000.0, count=4), 10.0, "from 2 to 4 accelerators"),
        (TrainingLength(), 84.0, "for the 84 hours that the study's Transformer \\(big\\) took on P100 x8"),
    ],
)
def test_work_becomes_hours_at_the_measured_speed(extent: TrainingLength, length: float, said: str) -> None:
    """And what was assumed is said."""
    measurement = measured(power("gpu:0", 300.0), power("gpu:1", 300.0), published="transformer_big")
    row = project(measurement, method(), extent, published=published_model_of(measurement))

    assert pytest.approx(length) == row.hours
    assert any(re.search(said, note) for note in row.notes)


def test_what_answers_no_row_is_not_projected_unasked() -> None:
    """It is for as long as it was measured, and says so."""
    row = project(measured(power("package:0", 20.0)), method())

    assert pytest.approx(1 / 6) == row.hours
    assert row.hardware == "CPU"
    assert row.notes == ("Toy: for the 600 s that it trained; nothing is projected.",)


def test_what_was_measured_longer_than_the_study_trained_is_not_projected() -> None:
    """Its row is of what was measured."""
    measurement = measured(power("gpu:0", 300.0), seconds=15 * 3600.0, published="transformer_base")

    assert 15.0 == project(measurement, method(), published=published_model_of(measurement)).hours


def test_without_power_there_are_no_figures() -> None:
    """Absent, not zero."""
    row = project(measured(power("gpu:0", None)), method(), TrainingLength(hours=10.0))

    assert (None, None, None) == (row.power_watts, row.range, row.provenance)
    assert row.computed is not None
    assert row.computed.co2e_kg is None


@pytest.mark.parametrize(
    ("extent", "said"),
    [
        (
            TrainingLength(hours=0.1),
            "hours=0.1 cannot be used: that is 0.1 h, less than the 0.167 h that Toy was measured",
        ),
        (TrainingLength(steps=10), "steps=10 cannot be used: that is 0.000278 h, less"),
        (TrainingLength(epochs=1), "epochs=1 cannot be used: that is 0.0278 h, less"),
    ],
)
def test_less_than_was_measured_is_refused(extent: TrainingLength, said: str) -> None:
    """A projection goes on, not back."""
    with pytest.raises(ConfigError, match=said):
        project(measured(power("gpu:0", 300.0)), method(), extent)


def test_what_is_not_known_cannot_be_projected_from() -> None:
    """Neither a speed, nor an epoch, nor accelerators."""
    blind = measured(power("package:0", 20.0), speed=Speed(0))
    steps = measured(power("package:0", 20.0), speed=Speed(100, 10.0))

    with pytest.raises(ConfigError, match="no step was counted"):
        project(blind, method(), TrainingLength(steps=1e6))
    with pytest.raises(ConfigError, match="how many steps an epoch has is not known"):
        project(steps, method(), TrainingLength(epochs=3))
    with pytest.raises(ConfigError, match="no accelerator was measured"):
        project(steps, method(), TrainingLength(hours=10, count=8))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"hours": 1, "steps": 2}, "hours=1 cannot be used: steps is given too"),
        ({"hours": 1, "steps": 2, "epochs": 3}, "steps and epochs is given too"),
        ({"hours": 0}, "hours=0 cannot be used: give a number above 0"),
        ({"steps": float("inf")}, "steps=inf cannot be used"),
        ({"epochs": float("nan")}, "epochs=nan cannot be used"),
        ({"count": -1}, "count=-1 cannot be used"),
    ],
)
def test_an_extent_without_meaning_is_refused(values: dict[str, float], said: str) -> None:
    """It names what was given."""
    with pytest.raises(ConfigError, match=said):
        TrainingLength(**values)  # type: ignore[arg-type]
