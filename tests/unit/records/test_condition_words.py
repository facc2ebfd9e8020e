"""The condition of a device in words."""

from __future__ import annotations

import pytest

from lightning_carbon.energy.condition import Condition, Gauge, Throttle
from lightning_carbon.records.condition_words import REASONS, condition_words, gauge_words, reason_words

FULL = Condition(0.97, 1_755.0, 2_619.0, 71.4, float(40 << 30), 700.0, frozenset({Throttle.HEAT, Throttle.POWER_CAP}))


def test_everything_that_a_device_tells_has_its_unit() -> None:
    """In the order of the gauges, with what slows it down at the end."""
    assert (
        "97.0 % busy, 1,755 MHz, memory 2,619 MHz, 71 °C, 40.0 GiB in use, limit 700 W, "
        "throttled: heat, at its power limit"
    ) == condition_words(FULL)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (Condition(), ""),
        (Condition(throttled=frozenset()), "not throttled"),
        (Condition(temperature_celsius=-1.0), "-1 °C"),
    ],
)
def test_what_it_does_not_tell_is_not_said(condition: Condition, said: str) -> None:
    """A device that tells nothing of throttling is not called free of it."""
    assert said == condition_words(condition)


def test_names_of_a_later_version_are_shown_as_they_are() -> None:
    """Without what would control a terminal."""
    assert "fan_ratio 0.5" == gauge_words("fan_ratio", 0.5)
    assert "moon" == reason_words(["moon"])
    assert "\x1b" not in gauge_words("\x1b[2J", 1.0) + reason_words(["\x1b[2J"])


def test_every_gauge_and_reason_has_words() -> None:
    """None is shown by its key."""
    assert set(Throttle) == set(REASONS)
    assert not [gauge for gauge in Gauge if gauge.value in gauge_words(gauge, 1.0)]
