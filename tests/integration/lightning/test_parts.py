"""What a training step spends its energy on."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_carbon.errors import ConfigError
from lightning_carbon.records.run import RunRecord
from tests.integration.burning import Furnace, HotNumbers, descent, in_backward
from tests.integration.lightning.support import PACKAGES, WATTS, loader, make_callback, make_module, make_trainer


class Hungry(torch.optim.SGD):
    """Computes the loss and the gradients three times a step, as LBFGS does, and uses power between."""

    def __init__(self, furnace: Furnace, parameters: Any) -> None:  # noqa: ANN401 - parameters
        super().__init__(parameters, lr=0.01)
        self._furnace = furnace

    def step(self, closure: Any = None) -> Any:  # noqa: ANN401 - as torch has it
        """Call the closure, and change weights, three times."""
        loss = None
        for _ in range(3):
            loss = closure()
            self._furnace.burn("optimizer", 200.0)
            super().step()
        return loss


def hot_module(package: str, furnace: Furnace, *, by_hand: bool = False, hungry: bool = False) -> Any:  # noqa: ANN401 - of either package
    """A module that uses power in each part of a step."""
    base: Any = import_module(package).LightningModule

    class Hot(base):  # type: ignore[misc]
        """One layer."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 1)
            self.automatic_optimization = not by_hand

        def training_step(self, batch: Tensor, _: int) -> Tensor:
            """Forward, and by hand the rest of it."""
            furnace.burn("forward", 300.0)
            loss = in_backward(self.layer(batch).mean(), lambda: furnace.burn("backward", 400.0))
            if by_hand:
                optimizer = self.optimizers()
                optimizer.zero_grad()
                self.manual_backward(loss)
                optimizer.step()
            return loss

        def validation_step(self, batch: Tensor, _: int) -> None:
            """Use power, too."""
            furnace.burn("validate", 100.0)

        def configure_optimizers(self) -> object:
            """One that uses power."""
            return (Hungry if hungry else descent)(furnace, self.parameters())

    return Hot()


def trained(
    folder: Path,
    furnace: Furnace,
    package: str = PACKAGES[0],
    *,
    by_hand: bool = False,
    hungry: bool = False,
    **settings: Any,  # noqa: ANN401 - Lightning's
) -> RunRecord:
    """Train four batches, each part of a step at a power of its own."""
    callback = make_callback(folder, sources=[furnace], detail="step")
    trainer = make_trainer(package, folder, callback, num_sanity_val_steps=0, **settings)
    batches = DataLoader(HotNumbers(furnace, 4, torch.ones(4)), batch_size=1)
    trainer.fit(hot_module(package, furnace, by_hand=by_hand, hungry=hungry), batches, loader(1))
    assert callback.record is not None
    return callback.record


@pytest.mark.parametrize("package", PACKAGES)
def test_each_part_of_a_step_has_its_energy(tmp_path: Path, package: str) -> None:
    """Loading, forward, backward and the optimizer, told apart by what hooks there are, and adding up to the phase."""
    furnace = Furnace()
    record = trained(tmp_path, furnace, package)
    truth = {name: joules for name, joules in furnace.truth.items() if name != "validate"}

    assert ["data", "forward", "backward", "optimizer"] == list(truth)
    assert furnace.is_met_by(record, {**truth, "other": 0.0})
    assert record.energy.phases["train"] == sum(record.energy.parts["train"].values())
    assert ["train"] == list(record.energy.parts)
    assert record.energy.phases["validate"] == pytest.approx(furnace.truth["validate"], abs=record.duration_seconds)


@pytest.mark.parametrize(
    "settings",
    [
        {"accumulate_grad_batches": 2},
        {"max_epochs": 2},
        {"val_check_interval": 2, "enable_checkpointing": True},
        {"gradient_clip_val": 1.0, "logger": True},
        {"limit_train_batches": 3},
    ],
    ids=str,
)
def test_however_training_goes_its_parts_are_told(tmp_path: Path, settings: dict[str, Any]) -> None:
    """With accumulated batches, several epochs, validation and checkpoints in between, and clipped gradients."""
    furnace = Furnace()
    record = trained(tmp_path, furnace, **settings)
    truth = {name: joules for name, joules in furnace.truth.items() if name != "validate"}

    assert furnace.is_met_by(record, {**truth, "other": 0.0})
    assert record.energy.phases["train"] == sum(record.energy.parts["train"].values())


def test_by_hand_only_loading_and_backward_are_told(tmp_path: Path) -> None:
    """What a module does in an order of its own is other, and not guessed."""
    furnace = Furnace()
    record = trained(tmp_path, furnace, by_hand=True)
    truth = furnace.truth
    known = {"data": truth["data"], "backward": truth["backward"], "other": truth["forward"] + truth["optimizer"]}

    assert furnace.is_met_by(record, known)
    assert set(known) == set(record.energy.parts["train"])


@pytest.mark.parametrize("package", PACKAGES)
def test_closures_of_an_optimizer_are_forward_and_backward(tmp_path: Path, package: str) -> None:
    """An optimizer that computes the loss several times a step has only what it does itself."""
    furnace = Furnace()
    record = trained(tmp_path, furnace, package, hungry=True)
    truth = {name: joules for name, joules in furnace.truth.items() if name != "validate"}

    assert furnace.is_met_by(record, {**truth, "other": 0.0})


def test_a_slow_loader_shows_as_waiting_for_data(tmp_path: Path) -> None:
    """Its time and its energy are in the summary, where one sees what to act on."""
    callback = make_callback(tmp_path, detail="step")
    trainer = make_trainer(PACKAGES[0], tmp_path, callback)
    trainer.fit(make_module(PACKAGES[0]), loader(4, seconds=0.02), loader(1))
    record = callback.record

    assert record is not None
    assert record.part_seconds["train"]["data"] >= 4 * 4 * 0.02
    assert record.energy.parts["train"]["data"] >= 0.9 * WATTS * 4 * 4 * 0.02
    assert "waiting for data" in record.summary()


def test_nothing_is_told_apart_unless_asked_for(tmp_path: Path) -> None:
    """The record is as before, and the summary says how to learn more."""
    callback = make_callback(tmp_path)
    make_trainer(PACKAGES[0], tmp_path, callback).fit(make_module(PACKAGES[0]), loader(4), loader(1))

    assert callback.record is not None
    assert {} == callback.record.energy.parts
    assert 'detail="step" shows it separately' in callback.record.summary()


def test_a_detail_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """At once, with the two that there are."""
    with pytest.raises(ConfigError, match=r"detail.*'layer'.*'phase', 'step'"):
        make_callback(tmp_path, detail="layer")
