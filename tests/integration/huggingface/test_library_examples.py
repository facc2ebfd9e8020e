"""The examples of docs/integrations.md for libraries on top of Hugging Face's Trainer, run as they stand there.

In this process, whose libraries are loaded, and with models of a few thousand weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from datasets import Dataset

from lightning_carbon import CarbonTrainerCallback, RunRecord
from lightning_carbon.records.model_size import ModelSize
from tests.documents import ROOT, Block, blocks
from tests.integration.huggingface.test_cards_of_libraries import sentence_model

TRL: dict[str, Any] = run_path(str(ROOT / "tools" / "try_trl.py"))
STEPS, BATCH = 2, 4
# Of what the libraries warn, nothing is looked for here.
pytestmark = pytest.mark.filterwarnings("ignore")


def usual(folder: Path) -> dict[str, Any]:
    """The settings of every trainer."""
    settings: dict[str, Any] = TRL["usual"](folder, max_steps=STEPS, per_device_train_batch_size=BATCH)
    return settings


def with_adapters(folder: Path) -> dict[str, Any]:
    """A language model of which a few weights are trained, and texts."""
    from trl.trainer.sft_config import SFTConfig

    texts = [TRL["sentence"](number) for number in range(16)]
    return {"args": SFTConfig(**usual(folder)), "dataset": Dataset.from_dict({"text": texts})}


def with_preferences(folder: Path) -> dict[str, Any]:
    """Pairs of answers."""
    from trl.trainer.dpo_config import DPOConfig

    rows = [
        {"prompt": TRL["sentence"](number), "chosen": " sun moon", "rejected": " rain snow sea"} for number in range(16)
    ]
    return {
        "args": DPOConfig(**usual(folder)),
        "dataset": Dataset.from_list(rows),
        "reference": TRL["tiny_model"](),
    }


def with_rewards(folder: Path) -> dict[str, Any]:
    """Prompts, and what rewards the answers that are generated."""
    from trl.trainer.grpo_config import GRPOConfig

    args = GRPOConfig(**usual(folder), num_generations=2, max_completion_length=6, beta=0.0)
    prompts = [TRL["sentence"](number) for number in range(16)]

    def reward(completion_ids: list[list[int]], **_: object) -> list[float]:
        return [float(len(ids)) for ids in completion_ids]

    return {"args": args, "dataset": Dataset.from_dict({"prompt": prompts}), "reward": reward}


def of_sentences(folder: Path) -> dict[str, Any]:
    """A model of sentences, and pairs of them."""
    from sentence_transformers import SentenceTransformerTrainingArguments

    pairs = {"anchor": ["a cat sat"] * 16, "other": ["the dog ran"] * 16, "label": [1.0, 0.0] * 8}
    args = SentenceTransformerTrainingArguments(**{**usual(folder), "bf16": False})
    return {"model": sentence_model(), "args": args, "dataset": Dataset.from_dict(pairs)}


def of_classes(folder: Path) -> dict[str, Any]:
    """A model of sentences with a head, and a few labelled examples."""
    from setfit import SetFitModel, TrainingArguments
    from sklearn.linear_model import LogisticRegression

    model = SetFitModel(model_body=sentence_model(), model_head=LogisticRegression(), labels=["no", "yes"])
    args = TrainingArguments(output_dir=str(folder), report_to="none", batch_size=BATCH, max_steps=STEPS)
    data = Dataset.from_dict({"text": ["a cat sat", "the dog ran"] * 8, "label": [1, 0] * 8})
    return {"model": model, "args": args, "dataset": data}


GIVEN: dict[str, Callable[[Path], dict[str, Any]]] = {
    "LoraConfig": with_adapters,
    "DPOTrainer": with_preferences,
    "GRPOTrainer": with_rewards,
    "SentenceTransformerTrainer": of_sentences,
    "setfit": of_classes,
}
"""What an example takes for granted, by a word in it."""
EXAMPLES = {
    word: block
    for word in GIVEN
    for block in blocks("python")
    if word in block.text and "integrations" in block.document
}


def trained(word: str, block: Block, folder: Path) -> tuple[dict[str, Any], RunRecord]:
    """Run an example.

    Returns:
        Its names, and the record of its run.
    """
    names = {"model": TRL["tiny_model"](), "tokenizer": TRL["tokenizer_of_words"](), **GIVEN[word](folder / "out")}
    exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - it is our own page
    carbon = names["carbon"]
    assert isinstance(carbon, CarbonTrainerCallback)
    assert carbon.record is not None
    return names, carbon.record


@pytest.mark.parametrize("word", GIVEN)
def test_an_example_trains_and_its_steps_are_counted(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands on the page, with each step, and with the samples that the library gives to one."""
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", str(tmp_path / "ledger"))
    monkeypatch.chdir(tmp_path)
    names, record = trained(word, EXAMPLES[word], tmp_path)
    phases = {"train", "rollout"} if word == "GRPOTrainer" else {"train"}

    assert ("completed", STEPS, "lisa") == (record.status, record.steps, record.project)
    assert STEPS * BATCH == record.samples
    assert phases <= record.energy.phases.keys()
    assert record.energy.total_joules
    if word == "LoraConfig":
        model = names["trainer"].model
        learnt, every = model.get_nb_trainable_parameters()

        assert 0 < learnt < every / 2
        assert ModelSize(every, learnt) == record.model
        assert {name for name, weights in model.named_parameters() if weights.requires_grad} == {
            name for name, _ in model.named_parameters() if ".lora_" in name
        }
