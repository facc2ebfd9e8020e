"""The whole of what the meter does while a real GPU trains: nothing waits for it, and its energy is there."""

# ruff: noqa: ANN401 - batches and modules are whatever the trainer hands over

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon import Meter

torch = pytest.importorskip("torch", reason="torch is not installed")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU that it can use"),
    # torch says, once, that its mode does not notice every kind of waiting.
    pytest.mark.filterwarnings("ignore:Synchronization debug mode:UserWarning"),
]

STEPS = 60


class Unwaiting:
    """Whatever makes the program wait for the GPU inside is an error."""

    def __enter__(self) -> None:
        """Begin."""
        torch.cuda.set_sync_debug_mode("error")

    def __exit__(self, *_: object) -> None:
        """End."""
        torch.cuda.set_sync_debug_mode("default")


def test_a_loop_is_metered_without_waiting(tmp_path: Path) -> None:
    """Marks, rows and phases of a loop make no call that waits; the GPU that torch uses is the one that is metered."""
    weight = torch.randn(4096, 4096, device="cuda", dtype=torch.bfloat16)
    torch.cuda.synchronize()
    uuid = str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)
    with Meter(ledger=tmp_path, devices=[uuid], per_step=True) as meter:
        meter.enter("train")
        for step in range(STEPS):
            with Unwaiting():
                for _ in range(20):
                    weight @ weight
                meter.step_done(samples=1, tokens=4096)
                if step % 10 == 9:
                    meter.next_row()
                    with meter.phase("validate"):
                        weight @ weight
            if step % 20 == 19:
                torch.cuda.synchronize()
    gpus = [domain for domain in meter.record.energy.domains if domain.kind == "gpu"]

    assert [uuid in gpu.id for gpu in gpus] == [True]
    assert gpus[0].joules > 0
    assert gpus[0].provenance in {"counter", "integrated"}
    assert meter.record.steps == STEPS


def test_lightning_hooks_wait_for_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every hook of the callback that runs at each batch passes where waiting is an error, and raises nothing."""
    lightning = pytest.importorskip("pytorch_lightning", reason="pytorch-lightning is not installed")
    from lightning_carbon import CarbonCallback

    class Watched(CarbonCallback):
        """The callback, in a mode where waiting is an error."""

        def on_train_batch_start(self, *arguments: Any) -> None:
            """As the callback's."""
            with Unwaiting():
                super().on_train_batch_start(*arguments)

        def on_train_batch_end(self, *arguments: Any) -> None:
            """As the callback's."""
            with Unwaiting():
                super().on_train_batch_end(*arguments)

    class Small(lightning.LightningModule):  # type: ignore[misc, name-defined]
        """A layer."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2048, 2048)

        def training_step(self, batch: Any, _index: int) -> Any:
            """A loss."""
            return self.layer(batch).square().mean()

        def configure_optimizers(self) -> Any:
            """Plain descent."""
            return torch.optim.SGD(self.parameters(), lr=1e-3)

    loader = torch.utils.data.DataLoader(torch.randn(32 * STEPS, 2048), batch_size=32)
    callback = Watched(ledger=tmp_path)
    trainer = lightning.Trainer(
        accelerator="gpu",
        devices=1,
        max_epochs=1,
        callbacks=[callback],
        logger=lightning.loggers.CSVLogger(tmp_path),
        log_every_n_steps=5,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        trainer.fit(Small(), loader)
    record = callback.record
    assert record is not None

    assert [entry.message for entry in caplog.records if entry.name == "lightning_carbon"] == []
    assert record.steps == STEPS
    assert any(domain.kind == "gpu" and domain.joules > 0 for domain in record.energy.domains)


def test_hugging_face_hooks_wait_for_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Likewise in the Hugging Face Trainer, at the end of every step, and of every part of one."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate, which Hugging Face's Trainer needs, is not installed")
    from lightning_carbon import CarbonTrainerCallback

    class Watched(CarbonTrainerCallback):
        """The callback, in a mode where waiting is an error."""

        def on_step_begin(self, *arguments: Any, **more: Any) -> Any:
            """As the callback's."""
            with Unwaiting():
                return super().on_step_begin(*arguments, **more)

        def on_step_end(self, *arguments: Any, **more: Any) -> Any:
            """As the callback's."""
            with Unwaiting():
                return super().on_step_end(*arguments, **more)

    class Small(torch.nn.Module):  # type: ignore[misc, name-defined]
        """A layer."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2048, 2048)

        def forward(self, inputs: Any) -> Any:
            """A loss."""
            return {"loss": self.layer(inputs).square().mean()}

    data = [{"inputs": inputs} for inputs in torch.randn(8 * STEPS, 2048)]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"),
        per_device_train_batch_size=8,
        max_steps=STEPS,
        logging_steps=5,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
    )
    callback = Watched(ledger=tmp_path / "ledger", detail="step")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        transformers.Trainer(Small(), arguments, train_dataset=data, callbacks=[callback]).train()
    record = callback.record
    assert record is not None

    assert [entry.message for entry in caplog.records if entry.name == "lightning_carbon"] == []
    assert record.steps == STEPS
    assert any(domain.kind == "gpu" and domain.joules > 0 for domain in record.energy.domains)
