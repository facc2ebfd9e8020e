"""The ranges of GPUs by family, made of what was measured."""

from __future__ import annotations

import pytest

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.sources.nvml.accuracy import (
    CONSUMER,
    DATA_CENTRE,
    UNPLACED_SECONDS,
    Card,
    Family,
    cards,
    family_of,
    spread,
    stated,
)

SECOND = 1_000_000_000
JOULE = 1_000_000
FAMILIES = sorted({card.family for card in cards()})


@pytest.mark.parametrize(
    ("model", "capability", "architecture", "family"),
    [
        ("Tesla K80", (3, 7), 2, Family("Kepler", DATA_CENTRE)),
        ("Quadro K620", (5, 0), 3, Family("Maxwell 1", CONSUMER)),
        ("Tesla M40", (5, 2), 3, Family("Maxwell 2", DATA_CENTRE)),
        ("Tesla P100-PCIE-16GB", (6, 0), 4, Family("Pascal", DATA_CENTRE)),
        ("Tesla V100-SXM2-16GB", (7, 0), 5, Family("Volta", DATA_CENTRE)),
        ("NVIDIA TITAN RTX", (7, 5), 6, Family("Turing", CONSUMER)),
        ("NVIDIA A100-SXM4-80GB", (8, 0), 7, Family("GA100", DATA_CENTRE)),
        ("NVIDIA A100-SXM4-80GB", None, 7, Family("GA100", DATA_CENTRE)),
        ("NVIDIA A10", (8, 6), 7, Family("Ampere", DATA_CENTRE)),
        ("NVIDIA GeForce RTX 3090", None, 7, Family("Ampere", CONSUMER)),
        ("NVIDIA L40S", (8, 9), 8, Family("Ada", DATA_CENTRE)),
        ("NVIDIA H200", (9, 0), 9, Family("Hopper", DATA_CENTRE)),
        ("NVIDIA GB200", (10, 0), 10, Family("Blackwell", DATA_CENTRE)),
        ("NVIDIA GeForce RTX 5090", (12, 0), 10, Family("Blackwell", CONSUMER)),
        ("NVIDIA Next", (15, 0), 99, Family("", DATA_CENTRE)),
        ("NVIDIA Older", (2, 0), 1, Family("", DATA_CENTRE)),
        ("NVIDIA GPU", None, None, Family("", DATA_CENTRE)),
    ],
)
def test_a_gpu_is_of_the_family_of_its_chip_and_its_name(
    model: str, capability: tuple[int, int] | None, architecture: int | None, family: Family
) -> None:
    """By the compute capability, else by the architecture and the name."""
    assert family == family_of(model, capability, architecture)


@pytest.mark.parametrize("card", cards(), ids=lambda card: f"{card.model} {card.source.rsplit(' ', 1)[-1]}")
@pytest.mark.parametrize("end", ["error_low", "error_high"])
def test_every_measured_card_is_in_the_range_of_its_family(card: Card, end: str) -> None:
    """What it showed of 1,000 J in an hour, with the lowest and the highest of its errors."""
    accuracy = stated(card.family).accuracy
    low, high = accuracy.ends(round(1000 * JOULE * (1 + getattr(card, end))), 3600 * SECOND)

    assert low <= 1000 * JOULE <= high


@pytest.mark.parametrize("card", cards(), ids=lambda card: f"{card.model} {card.source.rsplit(' ', 1)[-1]}")
def test_the_range_holds_what_an_idle_card_hides_by_its_offset(card: Card) -> None:
    """A true 40 W, through the line of the card, for an hour."""
    for offset_watts in (card.offset_low_watts, card.offset_high_watts):
        shown = max(0.0, card.gain_low * 40.0 + offset_watts)
        low, high = stated(card.family).accuracy.ends(round(shown * 3600 * JOULE), 3600 * SECOND)

        assert low <= 40 * 3600 * JOULE <= high


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_sensor_that_is_right_is_in_every_range(family: Family) -> None:
    """No correction is made: the energy that was shown is never outside."""
    accuracy = stated(family).accuracy

    assert 0 <= accuracy.below_ratio < 1
    assert 0 <= accuracy.above_ratio


def test_cards_of_one_model_differ_by_more_than_a_single_card_can_tell() -> None:
    """So a family of one measured card has a range that is wider than its errors by that much."""
    (a100,) = (card for card in cards() if card.family.generation == "GA100")
    accuracy = stated(a100.family).accuracy

    assert 0.03 < spread() < 0.05
    assert 1 / (1 + a100.error_low - spread()) - 1 == pytest.approx(accuracy.above_ratio, abs=1e-4)


@pytest.mark.parametrize("generation", ["Volta", "Hopper", "Blackwell", ""])
def test_a_family_of_which_nobody_measured_a_card_takes_the_widest_range_and_says_so(generation: str) -> None:
    """Wider than that of any measured family, but for one card of 17 W that is known to be an outlier."""
    accuracy, basis = stated(Family(generation, DATA_CENTRE))

    assert basis.startswith("range assumed: the widest of all measured")
    for family in FAMILIES:
        if family.generation != "Maxwell 1":
            assert accuracy == accuracy.or_wider(stated(family).accuracy)


def test_a_mean_of_the_last_second_adds_what_it_blurs() -> None:
    """Half a second at both ends, where it may not be put in the middle of its second."""
    family = Family("Ampere", CONSUMER)
    at_moments, placed = (stated(family, is_mean=is_mean).accuracy for is_mean in (False, True))
    unplaced = stated(family, is_mean=True, is_placed=False).accuracy

    assert at_moments.blur_seconds < placed.blur_seconds < unplaced.blur_seconds == UNPLACED_SECONDS
    assert isinstance(placed, Accuracy)


def test_every_figure_names_its_source() -> None:
    """Sheet and rows, so that it can be looked up."""
    assert all("Overall_Results.xlsx" in card.source and "rows" in card.source for card in cards())
