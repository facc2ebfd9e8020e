"""The rest of a machine by its wall meter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.calibration import LOAD_SHARE, WallStretch, calibrated
from lightning_carbon.carbon.spread import NORMAL_90
from lightning_carbon.grid.machines import CLOUD_VM, DESKTOP, MACHINES

CLASS = MACHINES[DESKTOP]


def stretch(chips: float, constant: float, share: float, ratio: float = 0.02) -> WallStretch:
    """A stretch on a machine of which constant and share are known."""
    return WallStretch(chips, chips * (1 - ratio), chips * (1 + ratio), chips * (1 + share) + constant)


@given(st.floats(25.0, 85.0), st.floats(0.09, 0.24))
def test_idle_and_load_find_the_truth(constant: float, share: float) -> None:
    """Whatever machine of a class it is: the truth lies in the interval, and the share errs as much as loads differ."""
    model = calibrated([stretch(20.0, constant, share), stretch(400.0, constant, share)], CLASS, date="2026-11-28")

    assert model.constant_low_watts <= constant <= model.constant_high_watts
    assert model.share_low <= share <= model.share_high
    assert model.constant_high_watts - model.constant_low_watts < 8.0
    assert NORMAL_90 * LOAD_SHARE < model.share_high - model.share < 1.05 * NORMAL_90 * LOAD_SHARE
    assert ("desktop, calibrated 2026-11-28", False) == (model.machine, model.assumed)


def test_one_stretch_tells_the_sum_and_leaves_the_split_to_the_class() -> None:
    """At the power that was seen the rest is right; further from it the class still counts."""
    seen = stretch(300.0, 80.0, 0.20)
    model = calibrated([seen], CLASS, date="2026-11-28")

    assert model.constant_watts + 300.0 * model.share == pytest.approx(seen.rest_watts, rel=0.04)
    assert CLASS.constant_watts < model.constant_watts < 80.0
    assert "a stretch at a wall meter, 2026-11-28" == model.source


def test_more_stretches_narrow_the_interval() -> None:
    """As the mean of repeated readings does."""
    single, ten = (calibrated([stretch(300.0, 50.0, 0.15)] * count, CLASS, date="2026-11-28") for count in (1, 10))

    assert ten.constant_high_watts - ten.constant_low_watts < single.constant_high_watts - single.constant_low_watts
    assert ten.share_high - ten.share_low <= single.share_high - single.share_low + 1e-9
    assert "10 stretches at a wall meter, 2026-11-28" == ten.source


def test_a_class_that_says_nothing_of_a_constant_leaves_it_to_the_wall() -> None:
    """A virtual machine's class has no constant; a reading at the plug decides."""
    model = calibrated([WallStretch(1.0, 0.9, 1.1, 60.0)], MACHINES[CLOUD_VM], date="2026-11-28")

    assert model.constant_low_watts <= 58.65 <= model.constant_high_watts
    assert model.constant_watts == pytest.approx(58.65, rel=0.001)


def test_no_figure_becomes_negative() -> None:
    """Not where the wall shows less than the chips, nor in a class whose range is a point."""
    model = calibrated([WallStretch(300.0, 290.0, 310.0, 250.0)], MACHINES[CLOUD_VM], date="2026-11-28")

    assert 0 <= model.constant_low_watts <= model.constant_watts <= model.constant_high_watts
    assert 0 <= model.share_low <= model.share <= model.share_high


def test_a_coarse_meter_counts_less() -> None:
    """A stretch of two minutes by a meter of whole Wh leaves more to the class."""
    fine, coarse = (
        calibrated([WallStretch(300.0, 300.0, 300.0, 440.0, count)], CLASS, date="2026-11-28") for count in (0.0, 30.0)
    )

    assert CLASS.constant_watts < coarse.constant_watts < fine.constant_watts
    assert fine.constant_high_watts - fine.constant_low_watts < coarse.constant_high_watts - coarse.constant_low_watts


def test_loads_of_a_wide_class_differ_by_what_was_seen() -> None:
    """Once its wall was read, a virtual machine is known better than its class: as far as loads differ."""
    model = calibrated([stretch(20.0, 10.0, 0.3), stretch(400.0, 10.0, 0.3)], MACHINES[CLOUD_VM], date="2026-11-28")

    assert NORMAL_90 * LOAD_SHARE < model.share_high - model.share < 2 * NORMAL_90 * LOAD_SHARE
