"""What the press wrote, and the one rule that judges it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.study.published.claims import CLOSE, ROUGH, Claim, ClaimVerdict, Sense
from lightning_carbon.study.published.press import claims, claims_of
from lightning_carbon.study.published.study import strubell2019
from lightning_carbon.study.published.tables import rows_of

HOLDS, ROUGHLY, WRONG = ClaimVerdict.HOLDS, ClaimVerdict.ROUGHLY, ClaimVerdict.WRONG

VERDICTS = {
    "search_284_t": HOLDS,
    "search_284_02_t": HOLDS,
    "search_626000_lb": HOLDS,
    "search_300000_kg": ROUGHLY,
    "search_five_cars": HOLDS,
    "search_car_five_years": WRONG,
    "car_57_15_t": HOLDS,
    "flight_0_90_t": HOLDS,
    "human_year_5_t": HOLDS,
    "american_year_16_4_t": HOLDS,
    "bert_1400_lb": ROUGHLY,
    "bert_635_kg": ROUGHLY,
    "bert_flight": ROUGHLY,
    "bert_6350_kg": WRONG,
    "development_35_t": HOLDS,
    "development_35000_kg": HOLDS,
    "development_4789": HOLDS,
    "development_six_months": ROUGHLY,
    "development_35380_kg": HOLDS,
    "development_35_thousand_t": WRONG,
    "proportional_to_size": WRONG,
    "transformer_213m": HOLDS,
    "tuning_exploded": HOLDS,
    "a_day_on_one_gpu": WRONG,
    "bert_most": HOLDS,
    "mix_of_aws": ROUGHLY,
    "1400_lb_635_kg": HOLDS,
    "626000_lb_300000_kg": ROUGHLY,
    "bitcoin_above_sweden": HOLDS,
    "bitcoin_15_percent_of_france": HOLDS,
    "aviation_2_percent": ROUGHLY,
}


def claim(claimed: float, computed: float, sense: Sense = Sense.ABOUT) -> Claim:
    """A claim of some figure."""
    return Claim("x", "so much", claimed, computed, "t", "", sense)


def test_the_verdicts_are_those_of_the_arithmetic() -> None:
    """Every claim of the press."""
    assert VERDICTS == {claim.id: claim.verdict for claim in claims()}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("search_car_five_years", "wrong by a factor of about 2: the study's 126,000 lb are a lifetime"),
        ("bert_6350_kg", "wrong by a factor of about 10"),
        ("development_35_thousand_t", "wrong by a factor of about 1,000"),
        ("search_300000_kg", "holds roughly: loose"),
        ("search_284_t", "holds"),
        ("bitcoin_above_sweden", "holds (outside the study)"),
        ("a_day_on_one_gpu", "wrong by a factor of about 3: true of all but ELMo; up to a day"),
    ],
)
def test_a_wrong_claim_is_told_by_how_much(name: str, words: str) -> None:
    """As a factor, in one digit."""
    [found] = [claim for claim in claims() if claim.id == name]

    assert words == found.verdict_text


def test_another_study_would_have_other_verdicts() -> None:
    """Had the search drawn half the power, the claims about it were wrong, and those about BERT as before."""
    study = strubell2019()
    models = tuple(
        replace(model, power_watts=model.power_watts / 2) if model.id == "nas" and model.power_watts else model
        for model in study.models
    )
    changed = replace(study, models=models)
    verdicts = {claim.id: claim.verdict for claim in claims_of(rows_of(changed), changed)}

    assert WRONG == verdicts["search_284_t"] == verdicts["search_five_cars"]
    assert VERDICTS["bert_635_kg"] == verdicts["bert_635_kg"]


def test_the_arithmetic_shows_the_computed_figure() -> None:
    """Whoever reads it finds the figure that the verdict rests on, to the digits that it is shown with."""
    for claim in claims():
        shown = {f"{claim.computed:,.{digits}f}" for digits in (0, 2)}
        if claim.id not in {"bert_flight", "a_day_on_one_gpu"}:
            assert any(figure in claim.arithmetic for figure in shown)


@given(st.floats(1e-3, 1e9), st.floats(1e-3, 1e9), st.sampled_from(Sense))
def test_a_verdict_follows_from_how_far_off_a_claim_is(claimed: float, computed: float, sense: Sense) -> None:
    """Whatever the figures: close and on the right side, within the factor, or wrong."""
    judged = claim(claimed, computed, sense)
    off = max(claimed / computed, computed / claimed)

    assert judged.factor == pytest.approx(off)
    if sense is Sense.AT_LEAST and computed >= claimed:
        assert HOLDS is judged.verdict
        return
    assert (judged.verdict is WRONG) == (judged.factor > ROUGH)
    if judged.verdict is HOLDS:
        assert abs(claimed - computed) <= CLOSE * computed


@given(st.floats(1e-3, 1e9), st.floats(0.001, 0.019))
def test_over_and_nearly_have_a_side(computed: float, share: float) -> None:
    """What is said to be over and is below, and what is said to be nearly and is above, holds but roughly."""
    above, below = computed * (1 + share), computed * (1 - share)

    assert (HOLDS, ROUGHLY) == (claim(below, computed, Sense.OVER).verdict, claim(above, computed, Sense.OVER).verdict)
    assert (HOLDS, ROUGHLY) == (
        claim(above, computed, Sense.NEARLY).verdict,
        claim(below, computed, Sense.NEARLY).verdict,
    )
    assert HOLDS == claim(above, computed).verdict == claim(below, computed).verdict


def test_every_claim_names_its_source() -> None:
    """The study, unless it says nothing of the matter; no claim is listed twice."""
    found = claims()

    assert len(found) == len({claim.id for claim in found})
    assert all(claim.source for claim in found)
    assert {"bitcoin_above_sweden", "bitcoin_15_percent_of_france", "aviation_2_percent"} == {
        claim.id for claim in found if claim.is_outside
    }
    assert all("Strubell" not in claim.source for claim in found if claim.is_outside)


def test_a_study_without_sizes_says_nothing_of_them() -> None:
    """Claims on parameters need parameters."""
    study = strubell2019()
    unsized = replace(study, models=tuple(replace(model, parameters=None) for model in study.models))
    ids = {claim.id for claim in claims_of(rows_of(unsized), unsized)}

    assert not {"proportional_to_size", "transformer_213m"} & ids
    assert "tuning_exploded" in ids
