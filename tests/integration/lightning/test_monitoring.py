"""Totals that can be monitored, and what the progress bar shows."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.integration.lightning.support import (
    BUSY,
    PACKAGES,
    WATTS,
    CountedReads,
    loader,
    make_callback,
    make_module,
    make_trainer,
)

ENERGY = "energy/run_kwh"
CARBON = "carbon/run_grams_co2e"


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_training_stops_at_an_amount_of_energy(tmp_path: Path, package: str, first: bool) -> None:  # noqa: FBT001
    """EarlyStopping on the energy so far ends a training, wherever it stands among the callbacks."""
    source = CountedReads()
    callback = make_callback(tmp_path, sources=[source])
    stopping = import_module(f"{package}.callbacks").EarlyStopping(
        ENERGY, patience=10_000, divergence_threshold=WATTS * 0.15 / 3.6e6
    )
    callbacks = [callback, stopping] if first else [stopping, callback]
    trainer = make_trainer(package, tmp_path, callbacks, max_epochs=500)
    trainer.fit(make_module(package, lambda _module: source.wait()), loader(1), loader(1))

    assert callback.record is not None
    assert "completed" == callback.record.status
    assert 1 <= callback.record.steps < 500
    assert callback.record.energy.total_joules is not None
    assert callback.record.energy.total_joules > WATTS * 0.15


@pytest.mark.parametrize("monitor", [ENERGY, CARBON])
def test_a_checkpoint_is_named_and_chosen_by_energy(tmp_path: Path, monitor: str) -> None:
    """ModelCheckpoint monitors the totals, before the first row is due, too."""
    callback = make_callback(tmp_path)
    saving = import_module(PACKAGES[0]).callbacks.ModelCheckpoint(
        tmp_path / "kept", monitor=monitor, every_n_epochs=1, save_top_k=1
    )
    trainer = make_trainer(
        PACKAGES[0], tmp_path, [saving, callback], enable_checkpointing=True, log_every_n_steps=50, max_epochs=3
    )
    trainer.fit(make_module(PACKAGES[0]), loader(2), loader(1))

    assert saving.best_model_score is not None
    assert 0 <= float(saving.best_model_score) <= float(trainer.callback_metrics[monitor])
    assert Path(saving.best_model_path).exists()


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("monitor", [ENERGY, "val/loss"])
def test_totals_are_brought_up_to_date_for_those_who_monitor_them(tmp_path: Path, package: str, monitor: str) -> None:
    """A validation takes a record for that, so where they are not monitored, they are those of the last row."""
    source = CountedReads()
    seen: list[float] = []
    early: Any = import_module(f"{package}.callbacks").EarlyStopping

    class Watching(early):  # type: ignore[misc]
        """Looks at the energy after each validation, whatever it monitors."""

        def on_validation_end(self, trainer: Any, pl_module: object) -> None:  # noqa: ANN401
            """Keep it."""
            if not trainer.sanity_checking:
                seen.append(float(trainer.callback_metrics[ENERGY]))

    callback = make_callback(tmp_path, sources=[source])
    callbacks = [callback, Watching(monitor, patience=100)]
    trainer = make_trainer(package, tmp_path, callbacks, max_epochs=3, log_every_n_steps=50)
    trainer.fit(make_module(package, lambda _module: source.wait()), loader(2), loader(1))

    assert (3 if monitor == ENERGY else 1) == len(set(seen))


def test_the_last_totals_are_those_of_the_record(tmp_path: Path) -> None:
    """After a training the trainer's metrics hold the whole run, in full precision, on the processor."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(PACKAGES[0], tmp_path, callback)
    trainer.fit(make_module(PACKAGES[0]), loader(2), loader(1))
    record = callback.record
    assert record is not None
    assert record.energy.total_joules is not None
    energy, carbon = (trainer.callback_metrics[name] for name in (ENERGY, CARBON))

    assert (torch.float64, "cpu") == (energy.dtype, energy.device.type)
    assert record.energy.total_joules == pytest.approx(float(energy) * 3.6e6, rel=1e-12)
    assert record.carbon.grams_co2e == pytest.approx(float(carbon), rel=1e-6)


def shown_by(package: str, folder: Path, **arguments: Any) -> dict[str, object]:  # noqa: ANN401
    """What the progress bar had to show at the end of each batch, last batch first where there are both."""
    source = CountedReads()
    shown: dict[str, object] = {}
    bar: Any = import_module(f"{package}.callbacks").ProgressBar

    class Watching(bar):  # type: ignore[misc]
        """A progress bar that only looks."""

        def disable(self) -> None:
            """There is nothing to disable."""

        def on_train_batch_end(self, trainer: Any, pl_module: Any, *args: object) -> None:  # noqa: ANN401
            """Keep what a bar would print."""
            shown.update(self.get_metrics(trainer, pl_module))

    callback = make_callback(folder, sources=[source], **arguments)
    trainer = make_trainer(package, folder, [callback, Watching()], enable_progress_bar=True)
    trainer.fit(make_module(package, lambda _module: source.wait()), loader(8), loader(1))
    return shown


@pytest.mark.parametrize("package", PACKAGES)
def test_the_progress_bar_shows_watts_and_grams(tmp_path: Path, package: str) -> None:
    """Beside the loss stand the power and the CO2e so far, short enough to read."""
    shown = shown_by(package, tmp_path)

    [grams] = {"gCO2e", "mgCO2e"} & set(shown)

    assert {"W", "train/loss"} <= set(shown)
    assert shown["W"] == pytest.approx(WATTS, rel=BUSY)
    assert len(str(shown[grams])) <= len("1.23e-05")


def test_the_progress_bar_can_be_left_alone(tmp_path: Path) -> None:
    """Who does not want to see them does not."""
    assert not {"W", "gCO2e", "mgCO2e"} & set(shown_by(PACKAGES[0], tmp_path, progress_bar=False))
