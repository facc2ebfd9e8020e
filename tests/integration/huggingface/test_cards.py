"""The cards that Trainers make, read back by the Hub's own library, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.repocard import metadata_load

from lightning_carbon import CarbonTrainerCallback
from lightning_carbon.integrations.huggingface.callback import AutomaticCallback
from tests.integration.huggingface.support import (
    CountedReads,
    PatientTrainer,
    make_callback,
    make_trainer,
    metered_trainer,
)

EMISSIONS = "co2_eq_emissions"
GARBLED = b"\xff\xfe\xff"


class GarblingTrainer(PatientTrainer):
    """Makes a card that is no text."""

    def create_model_card(self, *_: object, **__: object) -> None:
        """Write what no decoder takes."""
        Path(str(self.args.output_dir), "README.md").write_bytes(GARBLED)


class Card:
    """The card that a Trainer makes now.

    Args:
        trainer: The Trainer.
    """

    def __init__(self, trainer: PatientTrainer) -> None:
        trainer.create_model_card(tags="lisa")
        path = Path(str(trainer.args.output_dir), "README.md")
        self.text = path.read_text(encoding="utf-8")
        self.data: dict[str, Any] = metadata_load(path) or {}


def grams(*callbacks: CarbonTrainerCallback) -> float:
    """The CO2e of the last runs of callbacks."""
    return sum(callback.record.carbon.grams_co2e or 0.0 for callback in callbacks if callback.record is not None)


def test_a_card_has_the_energy_of_every_training(tmp_path: Path) -> None:
    """An evaluation on its own is none; the fields of the Trainer stay, and made again the card is the same."""
    trainer, callback = metered_trainer(tmp_path)
    before = Card(trainer)
    trainer.train()
    first = grams(callback)
    trainer.evaluate()
    card, again = Card(trainer), Card(trainer)

    assert EMISSIONS not in before.data
    assert card.text == again.text
    assert ["generated_from_trainer", "lisa"] == sorted(card.data["tags"])
    assert pytest.approx(first, rel=1e-5) == card.data[EMISSIONS]["emissions"]
    assert "lightning-carbon, 1 run, measured" == card.data[EMISSIONS]["source"]
    assert "training_type" not in card.data[EMISSIONS]
    assert 1 == card.text.count("## Environmental impact")
    model: Any = trainer.model
    model.config._name_or_path = "somebody/small"  # noqa: SLF001 - as from_pretrained() sets it
    trainer.train()
    tuned = Card(trainer)

    assert pytest.approx(first + grams(callback), rel=1e-5) == tuned.data[EMISSIONS]["emissions"]
    assert "fine-tuning" == tuned.data[EMISSIONS]["training_type"]
    assert "somebody/small" == tuned.data["base_model"]


def test_a_card_has_the_attempts_before_as_well(tmp_path: Path) -> None:
    """A training that was resumed in another process has their records in the ledger."""
    settings: dict[str, Any] = {"num_train_epochs": 2, "save_strategy": "epoch"}
    first, before = metered_trainer(tmp_path, **settings)
    first.train()
    trainer, callback = metered_trainer(tmp_path, **settings)
    trainer.train(resume_from_checkpoint=str(tmp_path / "out/checkpoint-4"))

    assert pytest.approx(grams(before, callback), rel=1e-5) == Card(trainer).data[EMISSIONS]["emissions"]


@pytest.mark.parametrize("kind", [AutomaticCallback, CarbonTrainerCallback])
def test_a_card_nobody_asked_for_stays_the_trainer_s(tmp_path: Path, kind: type[CarbonTrainerCallback]) -> None:
    """With an automatic callback, and where no record may be copied."""
    copies = kind is AutomaticCallback
    callback = kind(sources=[CountedReads()], ledger=tmp_path / "ledger", copy_record=copies)
    trainer = make_trainer(tmp_path, [callback])
    trainer.train()

    assert callback.record is not None
    assert EMISSIONS not in Card(trainer).data


def test_a_card_that_cannot_be_read_is_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The Trainer goes on with the card that it has made."""
    trainer = make_trainer(tmp_path)
    trainer.__class__ = GarblingTrainer
    make_callback(tmp_path).attach(trainer)
    trainer.train()
    trainer.create_model_card()
    trainer.create_model_card()

    assert GARBLED == (tmp_path / "out/README.md").read_bytes()
    assert 1 == sum("the model card stays without its energy" in line for line in caplog.messages)
