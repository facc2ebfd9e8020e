"""What a training step of the Trainer spends its energy on."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.state import AcceleratorState, GradientState
from torch import Tensor, nn
from transformers import Trainer, TrainingArguments

from lightning_carbon import Meter
from lightning_carbon.energy.phases import Part
from lightning_carbon.records.run import RunRecord
from tests.integration.burning import Furnace, HotNumbers, descent, in_backward
from tests.integration.huggingface.support import make_callback, make_trainer


class Hot(nn.Module):
    """One layer that uses power forward and backward, in training as in evaluation."""

    def __init__(self, furnace: Furnace) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.furnace = furnace

    def forward(self, numbers: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """The loss."""
        self.furnace.burn("forward" if self.training else "validate", 300.0)
        loss = self.layer(numbers).mean()
        return {"loss": in_backward(loss, lambda: self.furnace.burn("backward", 400.0)), "logits": loss.detach()}


def trained(folder: Path, furnace: Furnace, **settings: Any) -> RunRecord:  # noqa: ANN401 - of several types
    """Train four batches, each part of a step at a power of its own."""
    model = Hot(furnace)
    callback = make_callback(folder, sources=[furnace], detail="step")
    optimizer = descent(furnace, model.parameters())
    sample = {"numbers": torch.ones(4), "labels": torch.ones(1)}
    quiet: dict[str, Any] = {
        "output_dir": str(folder / "out"),
        "per_device_train_batch_size": 1,
        "per_device_eval_batch_size": 1,
        "num_train_epochs": 1,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": True,
        "dataloader_pin_memory": False,
        "disable_tqdm": True,
        "logging_steps": 2,
    }
    trainer = Trainer(
        model=model,
        args=TrainingArguments(**(quiet | settings)),
        train_dataset=HotNumbers(furnace, 4, sample),
        eval_dataset=[sample],
        callbacks=[callback],
        optimizers=(optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)),
    )
    trainer.train()
    assert callback.record is not None
    return callback.record


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gradient_accumulation_steps": 2},
        {"num_train_epochs": 2, "logging_steps": 1},
        {"eval_strategy": "steps", "eval_steps": 2, "save_strategy": "steps", "save_steps": 2},
        {"max_grad_norm": 0.0},
    ],
    ids=str,
)
def test_each_part_of_a_step_has_its_energy(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Loading, forward, backward and the optimizer, adding up to the phase; evaluating is none of them."""
    furnace = Furnace()
    record = trained(tmp_path, furnace, **settings)
    truth = {name: joules for name, joules in furnace.truth.items() if name != "validate"}

    assert ["data", "forward", "backward", "optimizer"] == list(truth)
    assert furnace.is_met_by(record, {**truth, "other": 0.0})
    assert record.energy.phases["train"] == sum(record.energy.parts["train"].values())
    assert ["train"] == list(record.energy.parts)


def test_a_step_that_fails_ends_its_part(tmp_path: Path) -> None:
    """What follows an exception in a forward pass is no forward pass."""

    def fail(*_: object) -> None:
        message = "no such layer"
        raise RuntimeError(message)

    callback = make_callback(tmp_path, detail="step")
    trainer = make_trainer(tmp_path, [callback])
    assert trainer.model is not None
    trainer.model.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="no such layer"):
        trainer.train()

    assert isinstance(callback.meter, Meter)
    assert Part.OTHER == callback.meter.enter_part(Part.OTHER)
    assert callback.record is not None
    assert "forward" in callback.record.energy.parts["train"]


def test_steps_are_left_alone_unless_asked_for(tmp_path: Path) -> None:
    """Without detail the Trainer's methods within a step are its own, and the record has no parts."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(tmp_path, [callback])
    trainer.train()

    assert not {"training_step", "compute_loss"} & set(vars(type(trainer)))
    assert callback.record is not None
    assert {} == callback.record.energy.parts


def test_a_finer_callback_may_take_the_place_of_another(tmp_path: Path) -> None:
    """The Trainer learns to tell parts when that one is attached."""
    coarse, fine = make_callback(tmp_path), make_callback(tmp_path, detail="step")
    trainer = make_trainer(tmp_path, [coarse])
    trainer.remove_callback(coarse)
    fine.attach(trainer)
    trainer.train()

    assert fine.record is not None
    assert {"data", "forward", "backward", "optimizer", "other"} == set(fine.record.energy.parts["train"])


def test_a_pickled_trainer_tells_parts(tmp_path: Path) -> None:
    """As its original would."""
    # Once anything has trained in a process, accelerate keeps what cannot be pickled; then no Trainer can be.
    AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001 - as accelerate's own tests do
    GradientState._reset_state()  # noqa: SLF001 - likewise
    original = make_trainer(tmp_path, [make_callback(tmp_path, detail="step")])
    trainer = pickle.loads(pickle.dumps(original))  # noqa: S301 - made here

    assert type(original) is type(trainer)
    assert {"training_step", "compute_loss"} <= set(vars(type(trainer)))
