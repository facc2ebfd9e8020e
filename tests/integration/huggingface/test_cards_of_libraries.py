"""The cards that sentence-transformers, SetFit and TRL write, by the libraries themselves, offline."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from huggingface_hub.repocard import metadata_load
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from lightning_carbon import CarbonTrainerCallback
from lightning_carbon.integrations.huggingface.cards import training_type_of
from tests.integration.huggingface.support import make_callback

EMISSIONS = "co2_eq_emissions"
SECTION = "## Environmental impact"
WORDS = ["[PAD]", "[UNK]", "a", "cat", "sat", "on", "the", "mat", "dog", "ran"]
QUIET: dict[str, Any] = {
    "report_to": [],
    "use_cpu": True,
    "max_steps": 2,
    "per_device_train_batch_size": 2,
    "disable_tqdm": True,
    "save_strategy": "no",
    "dataloader_pin_memory": False,
}
LIBRARIES = ("sentence_transformers", "setfit", "trl")
# Of what the libraries warn, nothing is looked for here.
pytestmark = pytest.mark.filterwarnings("ignore")


def tokenizer_of_words() -> Tokenizer:
    """A tokenizer that knows a few words."""
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))  # noqa: S106
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


def sentence_model() -> Any:  # noqa: ANN401 - of a library that ships no types
    """A model of sentences with a few weights."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(0)
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer_of_words(), embedding_dim=8)], device="cpu")


def sentence_trainer(folder: Path, model: Any, callback: CarbonTrainerCallback) -> Any:  # noqa: ANN401 - see above
    """A Trainer of sentence-transformers that takes two steps."""
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    pairs = {
        "anchor": ["a cat sat", "the dog ran"] * 2,
        "other": ["the cat sat", "a dog ran"] * 2,
        "label": [1.0, 0.0] * 2,
    }
    return SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(output_dir=str(folder / "out"), **QUIET),
        train_dataset=Dataset.from_dict(pairs),
        callbacks=[callback],
    )


def card_in(folder: Path) -> tuple[str, dict[str, Any]]:
    """The text of a card, and its metadata."""
    path = folder / "README.md"
    return path.read_text(encoding="utf-8"), metadata_load(path) or {}


@pytest.fixture(autouse=True)
def _libraries() -> None:
    for name in LIBRARIES:
        pytest.importorskip(name, reason=f"needs {name}, which the dev extra installs")


def test_sentence_transformers_writes_the_figures_of_every_training_of_a_model(tmp_path: Path) -> None:
    """However the model is saved, its own fields stay, and no other program is named as the source."""
    model = sentence_model()
    untold = type(model)
    callbacks = [make_callback(tmp_path), make_callback(tmp_path)]
    trainers = [sentence_trainer(tmp_path, model, callback) for callback in callbacks]
    model.save_pretrained(str(tmp_path / "before"))
    for trainer in trainers:
        trainer.train()
    grams = sum(callback.record.carbon.grams_co2e or 0.0 for callback in callbacks if callback.record is not None)
    model.save_pretrained(str(tmp_path / "saved"))
    trainers[-1].create_model_card()
    before, unwritten = card_in(tmp_path / "before")
    text, metadata = card_in(tmp_path / "saved")

    assert EMISSIONS not in unwritten
    assert SECTION not in before
    assert pytest.approx(grams, rel=1e-5) == metadata[EMISSIONS]["emissions"]
    assert "lightning-carbon, 2 runs, measured" == metadata[EMISSIONS]["source"]
    assert {**unwritten, EMISSIONS: None} == {**metadata, EMISSIONS: None}
    assert 1 == text.count(SECTION)
    assert "CodeCarbon" not in text
    assert metadata[EMISSIONS] == card_in(tmp_path / "out")[1][EMISSIONS]

    model.save_pretrained(str(tmp_path / "saved"))

    assert metadata == card_in(tmp_path / "saved")[1]
    assert 1 == card_in(tmp_path / "saved")[0].count(SECTION)
    assert isinstance(model, untold)
    assert [untold, untold] == [type(copy.deepcopy(model)), type(pickle.loads(pickle.dumps(model)))]  # noqa: S301 - its own


def test_setfit_writes_the_figures_into_its_model_s_card(tmp_path: Path) -> None:
    """Its Trainer has one of sentence-transformers inside, which trains another model than the card is of."""
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression

    callback = make_callback(tmp_path)
    model = SetFitModel(model_body=sentence_model(), model_head=LogisticRegression(), labels=["no", "yes"])
    args = TrainingArguments(output_dir=str(tmp_path / "out"), report_to="none", batch_size=4, max_steps=2)
    data = Dataset.from_dict({"text": ["a cat sat", "the dog ran"] * 2, "label": [1, 0] * 2})
    Trainer(model=model, args=args, train_dataset=data, callbacks=[callback]).train()
    model.save_pretrained(str(tmp_path / "saved"))
    text, metadata = card_in(tmp_path / "saved")

    assert callback.record is not None
    assert pytest.approx(callback.record.carbon.grams_co2e, rel=1e-5) == metadata[EMISSIONS]["emissions"]
    assert "lightning-carbon, 1 run, measured" == metadata[EMISSIONS]["source"]
    assert "setfit" == metadata["library_name"]
    assert 1 == text.count(SECTION)
    assert "CodeCarbon" not in text


def test_trl_writes_the_figures_into_its_trainer_s_card(tmp_path: Path) -> None:
    """Its tags and its name stay."""
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    callback = make_callback(tmp_path)
    config = GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=16, n_positions=16, bos_token_id=0, eos_token_id=1)
    words = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # as transformers ships it
        tokenizer_object=tokenizer_of_words(),
        pad_token="[PAD]",  # noqa: S106
        unk_token="[UNK]",  # noqa: S106
        eos_token="ran",  # noqa: S106
    )
    trainer = SFTTrainer(
        model=GPT2LMHeadModel(config),
        args=SFTConfig(output_dir=str(tmp_path / "out"), bf16=False, **QUIET),
        train_dataset=Dataset.from_dict({"text": ["a cat sat", "the dog ran"] * 2}),
        processing_class=words,
        callbacks=[callback],
    )
    trainer.train()
    trainer.create_model_card(model_name="lisa")
    text, metadata = card_in(tmp_path / "out")

    assert callback.record is not None
    assert pytest.approx(callback.record.carbon.grams_co2e, rel=1e-5) == metadata[EMISSIONS]["emissions"]
    assert "lisa" == metadata["model_name"]
    assert {"trl", "sft"} <= set(metadata["tags"])
    assert 1 == text.count(SECTION)


def test_a_model_of_sentences_that_was_loaded_is_fine_tuned() -> None:
    """The model inside knows where it came from."""
    model = sentence_model()
    inner = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=16))

    assert training_type_of(model) is None
    inner.config._name_or_path = "somebody/small"  # noqa: SLF001 - as from_pretrained() sets it
    model[0].auto_model = inner

    assert "fine-tuning" == training_type_of(model)
