"""What an example prints of its forecasts at its end."""

from pathlib import Path

import pytest
from forecasts import Told, forecast_lines, read_forecasts
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter


def told(step: int) -> Told:
    """A forecast at a step of a run of a hundred, each of a second and a hundred joules."""
    return Told(step, 10_000.0 + step, 9_000.0, 11_000.0, 100.0 - step)


def test_of_many_forecasts_three_stand_above_what_came_of_them() -> None:
    """The first, one in the middle, and the last."""
    lines = forecast_lines([told(step) for step in range(10, 100, 10)], 10_100.0)

    assert [["at", "step", "10"], ["at", "step", "50"], ["at", "step", "90"], ["in", "the", "end"]] == [
        line.split()[:3] for line in lines[1:]
    ]


@pytest.mark.parametrize(("forecasts", "joules"), [([], 10_100.0), ([told(10)], None)])
def test_without_forecasts_or_energy_nothing_is_said(forecasts: list[Told], joules: float | None) -> None:
    """No heading stands over nothing."""
    assert [] == forecast_lines(forecasts, joules)


def test_forecasts_are_read_from_the_logs_of_either_trainer(tmp_path: Path) -> None:
    """In joules, with the ends of their interval and the time to go; of logs without any there are none."""
    for name, prefix in (("lightning", ""), ("hugging_face", "train/"), ("neither", "other/")):
        with SummaryWriter(str(tmp_path / name)) as writer:
            for tag, value in (("run_kwh", 0.5), ("run_kwh_low", 0.25), ("run_kwh_high", 1.0)):
                writer.add_scalar(f"{prefix}energy/forecast_{tag}", value, 5)
            writer.add_scalar(f"{prefix}forecast/remaining_seconds", 60.0, 5)
    read = [
        read_forecasts(EventAccumulator(str(tmp_path / name)).Reload())
        for name in ("lightning", "hugging_face", "neither")
    ]

    assert [[Told(5, 1_800_000.0, 900_000.0, 3_600_000.0, 60.0)]] * 2 + [[]] == read
