"""Samples and tokens of steps, as collators lay them and as Trainers count them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import DataCollatorWithFlattening

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.journals import parts_of
from tests.integration.huggingface.support import (
    BATCH_SIZE,
    TOKENS,
    CountedReads,
    PatientTrainer,
    make_callback,
    make_trainer,
    values_of,
)

LENGTHS = [3, 8, 5, 2, 8, 8, 4, 6]
JOULES = "energy/row_joules"


def sentences() -> list[dict[str, Any]]:
    """Sentences of several lengths."""
    return [{"input_ids": [5] * length, "labels": [5] * length} for length in LENGTHS]


def padded(samples: list[dict[str, Any]]) -> dict[str, Tensor]:
    """Rows of the longest sentence's length, and their mask."""
    width = max(len(sample["input_ids"]) for sample in samples)
    rows = [sample["input_ids"] + [0] * (width - len(sample["input_ids"])) for sample in samples]
    ids = torch.tensor(rows)
    mask = (ids != 0).long()
    return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}


FLATTENING: Callable[..., Any] = DataCollatorWithFlattening


@pytest.mark.parametrize(
    ("collate", "rule"),
    [
        (padded, "no"),
        (padded, "all"),
        (padded, "non_padding"),
        (FLATTENING(), "all"),
        (FLATTENING(return_seq_idx=True), "no"),
    ],
)
def test_sentences_are_samples_and_padding_is_no_token(
    tmp_path: Path,
    collate: Any,  # noqa: ANN401 - any collator
    rule: str,
) -> None:
    """Padded to the longest, or laid end to end in a single row, and whatever the Trainer counts beside it."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(tmp_path, [callback], include_num_input_tokens_seen=rule)
    trainer.train_dataset, trainer.data_collator = sentences(), collate
    trainer.train()
    record = callback.record

    assert record is not None
    assert (4, len(LENGTHS), sum(LENGTHS)) == (record.steps, record.samples, record.tokens)
    assert record.tokens_with_padding is False
    assert "padding" not in record.summary()
    names = (record.project, record.run_id)
    [part] = parts_of(DirectoryRunStore(tmp_path / "ledger").read_journals(*names), *names)
    assert (part.beat.padding > 0) == (collate is padded)


class UnmaskedTrainer(PatientTrainer):
    """Learns from batches that have tokens alone."""

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the Trainer
        """Learn the tokens."""
        return super().compute_loss(model, {**inputs, "labels": inputs["input_ids"]}, *args, **kwargs)


class Padder:
    """What a Trainer reads of a tokenizer."""

    pad_token_id = 0


@pytest.mark.parametrize(
    ("rule", "padder", "tokens", "with_padding"),
    [
        ("no", None, 8 * TOKENS, True),
        ("all", None, 8 * TOKENS, True),
        ("non_padding", None, 8 * TOKENS, True),
        ("non_padding", Padder(), 8 * (TOKENS - 1), False),
    ],
)
def test_the_trainer_s_count_is_the_second_best_and_padding_is_told(
    tmp_path: Path, rule: str, padder: Padder | None, tokens: int, *, with_padding: bool
) -> None:
    """Where no mask lies on the host, the Trainer may know the token that pads; else the record has a word on it."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(tmp_path, [callback], include_num_input_tokens_seen=rule)
    trainer.__class__ = type("UnmaskedTrainer", (UnmaskedTrainer,), {})
    callback.attach(trainer)
    trainer.processing_class = padder  # type: ignore[assignment]  # as much of a tokenizer as is read
    trainer.train_dataset = [{"input_ids": torch.arange(TOKENS)} for _ in range(8)]
    trainer.train()
    record = callback.record

    assert record is not None
    assert (tokens, with_padding) == (record.tokens, record.tokens_with_padding)
    assert with_padding == ("padding, if there is any, counts as tokens" in record.summary())


class CountingTrainer(PatientTrainer):
    """Counts tokens as TRL's ``SFTTrainer`` does, for its metric ``num_tokens``."""

    _total_train_tokens = 0

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:  # noqa: ANN401 - as the Trainer has it
        """Count, and train."""
        self._total_train_tokens += 100
        return super().training_step(*args, **kwargs)


class GeneratingTrainer(PatientTrainer):
    """Counts tokens as TRL's ``GRPOTrainer`` does: in its state, whenever it has generated some."""

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:  # noqa: ANN401 - as the Trainer has it
        """Generate for every second step, and train."""
        self.state.num_input_tokens_seen += 100 * (self.state.global_step % 2)
        return super().training_step(*args, **kwargs)


@pytest.mark.parametrize(("kind", "tokens"), [(CountingTrainer, 400), (GeneratingTrainer, 200 + 2 * BATCH_SIZE * 8)])
def test_a_trainer_that_counts_tokens_is_believed(tmp_path: Path, kind: type[PatientTrainer], tokens: int) -> None:
    """It knows what it generates and packs; in steps for which it has counted nothing, the batch tells."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(tmp_path, [callback])
    trainer.__class__ = type(kind.__name__, (kind,), {})
    callback.attach(trainer)
    trainer.train()

    assert callback.record is not None
    assert tokens == callback.record.tokens


class RenamingTrainer(PatientTrainer):
    """Logs its loss under a name of its own."""

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the Trainer has it
        """Rename, and log."""
        super().log({"objective" if name == "loss" else name: value for name, value in logs.items()}, *args, **kwargs)


def test_a_loss_under_another_name_has_its_rows(tmp_path: Path) -> None:
    """A row belongs to the log that the Trainer writes of its steps, whatever is in it."""
    source = CountedReads()
    callback = make_callback(tmp_path, sources=[source])
    trainer = make_trainer(tmp_path, [callback], source.wait)
    trainer.__class__ = type("RenamingTrainer", (RenamingTrainer,), {})
    callback.attach(trainer)
    trainer.train()
    rows = [log for log in trainer.state.log_history if "objective" in log]

    assert [2, 4] == [log["step"] for log in rows]
    assert 2 == len(values_of(rows, JOULES))


def test_what_counts_is_the_user_s_choice(tmp_path: Path) -> None:
    """A function of the user's goes before what the batch shows and what the Trainer counts, as in Lightning."""
    callback = make_callback(tmp_path, count_batch=lambda batch: (len(batch["input_ids"]) + 1, None))
    make_trainer(tmp_path, [callback], include_num_input_tokens_seen=True).train()

    assert callback.record is not None
    assert (4, 4 * (BATCH_SIZE + 1), None) == (callback.record.steps, callback.record.samples, callback.record.tokens)
