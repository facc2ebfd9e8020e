"""``intensity`` as the file of a series, and what goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_carbon.carbon.series import IntensitySeries
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.settings import configure
from lightning_carbon.settings.pricing import intensity_in_force


@pytest.fixture
def series(tmp_path: Path) -> str:
    """A file with a series of an hour."""
    (tmp_path / "grid.csv").write_text("time,gCO2e/kWh\n2025-01-31T00:00Z,41.4\n")
    return str(tmp_path / "grid.csv")


def test_a_file_is_a_series_and_the_region_is_for_the_rest(series: str) -> None:
    """Both may be given, by argument or variable; without a region the rest is the world's, assumed."""
    with_region = configure({}, region="SE", intensity=series)
    by_variable = configure({"LIGHTNING_CARBON_REGION": "SE"}, intensity=series)
    both = configure({"LIGHTNING_CARBON_REGION": "SE", "LIGHTNING_CARBON_INTENSITY": series})
    alone = configure({}, intensity=series)

    for config in (with_region, by_variable, both):
        assert intensity_of("SE").value == config.intensity.value
        assert isinstance(config.series, IntensitySeries)
        assert (41.4,) == config.series.grams
    assert alone.intensity.assumed
    assert configure({}, intensity=41.4).series is None


def test_a_file_that_cannot_be_used_is_refused_at_construction(tmp_path: Path) -> None:
    """The error names the argument, or the variable, with the path and the fix."""
    path = str(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match=r"intensity='.*none.csv' cannot be used: No such file"):
        configure({}, intensity=path)
    with pytest.raises(ConfigError, match=r"LIGHTNING_CARBON_INTENSITY='.*none.csv' cannot be used"):
        configure({"LIGHTNING_CARBON_INTENSITY": path})


def test_a_path_object_is_a_path(series: str) -> None:
    """What pathlib makes is taken as its text."""
    assert configure({}, intensity=Path(series)).series is not None  # type: ignore[arg-type]


def test_where_nothing_has_a_time_a_series_is_refused(series: str) -> None:
    """An estimate has no hours of the day, and the message says where to ask."""
    with pytest.raises(ConfigError, match="grid what-if"):
        intensity_in_force(None, series, {})
    with pytest.raises(ConfigError, match="grid what-if"):
        intensity_in_force(None, None, {"LIGHTNING_CARBON_INTENSITY": series})
