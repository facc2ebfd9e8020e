"""Cards, read back by the Hub's own library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from lightning_carbon.errors import ConfigError
from lightning_carbon.report.statements.card import check_training_type, metadata_of, write_card
from lightning_carbon.report.statements.consumption import consumption_of
from tests.unit.records.samples import FULL, GIVEN_GRID

SWEDISH = replace(GIVEN_GRID, region="SWE")
USAGE = consumption_of("lisa", [replace(FULL, carbon=replace(FULL.carbon, intensity=SWEDISH))])
CARD = """---
license: apache-2.0
tags:
- lisa
co2_eq_emissions:
  emissions: 1.0
  on_cloud: false
model-index:
- name: lisa
  results: []
---

# Lisa

Text with --- and `code`.
"""


def test_a_card_is_read_back_by_the_hubs_library(tmp_path: Path) -> None:
    """The fields of others survive, in the metadata and below them, and writing it twice changes nothing."""
    path = tmp_path / "README.md"
    path.write_text(CARD, encoding="utf-8")
    write_card(path, USAGE, "fine-tuning")
    once = path.read_bytes()
    write_card(path, USAGE, "fine-tuning")
    card = ModelCard.load(path)

    assert once == path.read_bytes()
    assert "apache-2.0" == card.data["license"]
    assert {
        "emissions": 3.404,
        "on_cloud": False,
        "source": "lightning-carbon, 1 run, 89% measured, the rest modelled",
        "training_type": "fine-tuning",
        "geographical_location": "SWE",
        "hardware_used": "NVIDIA H100 80GB HBM3",
    } == card.data["co2_eq_emissions"]
    assert "| model | 294,912 of 124,734,720 parameters trained |" in card.text
    assert "# Lisa\n\nText with --- and `code`.\n" in card.text
    assert 1 == card.text.count("## Environmental impact")


def test_later_figures_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    """In the section, too; a card that is not there is made."""
    path = tmp_path / "README.md"
    write_card(path, USAGE)
    write_card(path, consumption_of("lisa", [FULL, FULL]))
    text = path.read_text(encoding="utf-8")

    assert "| training | 2 runs," in text
    assert (1, 2) == (text.count("Environmental impact"), text.count("<!-- lightning-carbon"))
    assert 6.808 == ModelCard.load(path).data["co2_eq_emissions"]["emissions"]


def test_an_assumed_place_is_no_place() -> None:
    """What the user did not say is left out."""
    assert {"emissions", "source", "hardware_used"} == metadata_of(consumption_of("lisa", [FULL])).keys()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"---\n- a list\n---\n", b"---\na: [\n---\n"])
def test_a_card_that_cannot_be_read_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """With the reason; not a byte of it changes."""
    path = tmp_path / "README.md"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match="it cannot be read"):
        write_card(path, USAGE)
    assert content == path.read_bytes()


def test_a_card_in_no_folder_is_refused(tmp_path: Path) -> None:
    """As is a type of training that the Hub does not know."""
    with pytest.raises(ConfigError, match="it cannot be written"):
        write_card(tmp_path / "none" / "README.md", USAGE)
    with pytest.raises(ConfigError, match="give one of pre-training, fine-tuning"):
        check_training_type("tuning")
    assert None is check_training_type(None)
