"""What Trainers of TRL generate and learn from, by stand-ins; ``tools/try_trl.py`` tries the real ones."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_carbon.integrations.huggingface.trl import corrected, generates
from lightning_carbon.integrations.shared.batch import Count
from tests.integration.huggingface.support import (
    BATCH_SIZE,
    PatientTrainer,
    Sentences,
    make_callback,
    make_trainer,
    scalars,
)

GENERATED = 24
"""Tokens that are generated for every second step."""
SECONDS = 0.05
"""How long a generation takes."""


class OnlineTrainer(PatientTrainer):
    """Generates completions for two steps at a time, as ``GRPOTrainer`` does."""

    __module__ = "trl.stand_in"

    def _prepare_inputs(self, inputs: Any) -> Any:  # noqa: ANN401 - as the Trainer has it
        if self._learns() and self.state.global_step % 2 and self._buffered is not None:
            return self._buffered
        self._buffered = self._generate_and_score_completions(inputs)
        return self._buffered

    _buffered: Any = None

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Tensor]:  # noqa: ANN401 - see above
        ids = self._generate(inputs["input_ids"])
        if self._learns():
            self.state.num_input_tokens_seen += GENERATED
        return {"completion_ids": ids, "input_ids": ids, "labels": ids}

    def _learns(self) -> bool:
        return self.model is not None and self.model.training

    def _generate(self, prompts: Tensor) -> Tensor:
        time.sleep(SECONDS)
        return prompts[:1].repeat(3, 1)

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - see above
        """Learn from the completions."""
        kept = {name: inputs[name] for name in ("input_ids", "labels")}
        return super().compute_loss(model, kept, *args, **kwargs)


def test_generation_is_the_phase_rollout_and_what_is_learnt_from_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Completions are the samples, the Trainer counts the tokens, and a step has its rollout; an evaluation, too."""
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "events"))
    callback = make_callback(tmp_path, detail="step")
    trainer = make_trainer(tmp_path, [callback], eval_strategy="steps", eval_steps=4, report_to=["tensorboard"])
    trainer.__class__ = type("OnlineTrainer", (OnlineTrainer,), {"__module__": "trl.stand_in"})
    callback.attach(trainer)
    trainer.train()
    record = callback.record

    assert record is not None
    assert (4, 4 * 3, 2 * GENERATED) == (record.steps, record.samples, record.tokens)
    assert ["setup", "train", "validate", "rollout"] == [*record.energy.phases]
    assert record.phase_seconds["rollout"] >= 2 * SECONDS
    assert record.part_seconds["rollout"]["generate"] >= 2 * SECONDS
    assert record.phase_seconds["validate"] >= 2 * SECONDS
    assert record.step_joules is not None
    assert record.step_joules > record.energy.phases["rollout"]
    [(step, shown)] = scalars(tmp_path)["train/train_energy_rollout_joules"]
    assert 4 == step
    assert record.energy.phases["rollout"] == pytest.approx(shown, rel=1e-6)


def test_the_user_s_count_goes_before_what_is_known_of_trl(tmp_path: Path) -> None:
    """It gets what the loader gave."""
    callback = make_callback(tmp_path, count_batch=lambda batch: (len(batch["input_ids"]), 7))
    trainer = make_trainer(tmp_path, [callback])
    trainer.__class__ = type("OnlineTrainer", (OnlineTrainer,), {"__module__": "trl.stand_in"})
    callback.attach(trainer)
    trainer.train()

    assert callback.record is not None
    assert 4 * BATCH_SIZE == callback.record.samples


class DataCollatorForPreference:
    """Lays the rejected answers below the chosen ones, as TRL's of this name does."""

    def __call__(self, samples: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Collate."""
        ids = torch.stack([sample["input_ids"] for sample in samples] * 2)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}


def test_a_pair_of_answers_is_a_sample(tmp_path: Path) -> None:
    """With the tokens of both."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(tmp_path, [callback])
    trainer.data_collator = DataCollatorForPreference()
    trainer.train_dataset = Sentences(6)
    trainer.train()

    assert callback.record is not None
    assert (3, 6, 2 * 6 * 8) == (callback.record.steps, callback.record.samples, callback.record.tokens)


@pytest.mark.parametrize(
    ("trainer", "batch", "told"),
    [
        (None, {"input_ids": None}, Count(4, 9)),
        (OnlineTrainer, {"completion_ids": torch.zeros(5, 3)}, Count(5)),
        (OnlineTrainer, {"prompt": ["a", "b"]}, Count(2)),
        (OnlineTrainer, ["a", "b"], Count(4)),
        (PatientTrainer, {"prompt": ["a", "b"]}, Count(4, 9)),
    ],
)
def test_what_is_not_known_of_completions_is_absent(trainer: type | None, batch: Any, told: Count) -> None:  # noqa: ANN401
    """Rather than the prompts' figures; other Trainers' batches tell."""
    made = None if trainer is None else object.__new__(trainer)

    assert told == corrected(made, batch, Count(4, 9))


def test_a_class_of_another_package_generates_for_itself() -> None:
    """A method of the same name is no rollout elsewhere."""
    assert generates(OnlineTrainer)
    assert not generates(type("Other", (), {"_generate": None}))
