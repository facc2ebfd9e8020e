"""What an example prints at its end, of records that are made up."""

from dataclasses import replace
from pathlib import Path

from ending import read_forecasts
from overview import WIDTH, Told, overview
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from tests.unit.records.samples import FULL, NOTHING, SMALL


def told(step: int) -> Told:
    """A forecast at a step of a run of a hundred, each of a second and a hundred joules."""
    return Told(step, 10_000.0 + step, 9_000.0, 11_000.0, 100.0 - step)


def test_a_record_with_everything_is_told_in_eighty_columns() -> None:
    """Energy, forecasts, budget, waste with what to try, and modules; of many forecasts three, from first to last."""
    text = overview(FULL, [told(step) for step in range(10, 100, 10)])
    lines = text.splitlines()

    assert max(map(len, lines)) <= WIDTH
    assert [line.split()[:3] for line in lines if line.startswith("  at step")] == [
        ["at", "step", "10"],
        ["at", "step", "50"],
        ["at", "step", "90"],
    ]
    assert "  in the end" in text
    assert "Budget  85.1 % of 4 g used" in lines
    assert "    try: look at fans, dust, and the air or water" in lines
    assert any(line.split() == ["transformer.decoder", "backward", *line.split()[2:]] for line in lines)


def test_what_a_record_lacks_is_left_out() -> None:
    """No heading stands over nothing, and no energy is told to be zero."""
    short = overview(replace(SMALL, modules=None), [])

    assert not any(word in short for word in ("Forecast", "Budget", "Waste", "Module"))
    assert overview(NOTHING).endswith("Energy: not known, since nothing on this machine could be metered.")


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
