"""The claims of the press about the study of 2019, each beside the figure that follows from the study.

Five reports of June 2019, in Swedish, Dutch, French, Russian and English, carry most of these claims. They are given
here in our words, each figure on its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.equivalents import AMERICAN_YEAR, CAR_LIFETIME, FLIGHT, HUMAN_YEAR, Reference, times
from lightning_carbon.study.published.claims import THE_STUDY, Claim, Sense
from lightning_carbon.study.published.elsewhere import CAR_YEAR, CAR_YEAR_SOURCE, elsewhere
from lightning_carbon.study.published.mixes import MEDIANS, grams_of
from lightning_carbon.study.published.study import strubell2019
from lightning_carbon.study.published.tables import published_rows
from lightning_carbon.units import DAYS_PER_MONTH, GRAMS_PER_KILOGRAM, GRAMS_PER_POUND, CarbonMass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.study.published.study import PublishedStudy
    from lightning_carbon.study.rows import StudyRow

_KILOGRAMS_PER_POUND = f"{GRAMS_PER_POUND / GRAMS_PER_KILOGRAM:.8f}"
_EXPLODED = 10.0
"""The factor from which "exploded" is taken to hold; ours."""


def claims() -> tuple[Claim, ...]:
    """Every claim, computed from the study's inputs with the footprint that prices metered runs."""
    return claims_of(published_rows(), strubell2019())


def claims_of(rows: tuple[StudyRow, ...], study: PublishedStudy) -> tuple[Claim, ...]:
    """Every claim, beside the figures of some rows.

    Args:
        rows: The rows of the study's tables.
        study: The study's figures.
    """
    masses = {
        row.id: CarbonMass.from_kilograms(row.computed.co2e_kg) for row in rows if row.computed and row.computed.co2e_kg
    }
    return (
        *_search(masses["nas"]),
        *_everyday(),
        *_bert(masses["bert_base"]),
        *_development(masses["development_4789"], study),
        *_models(study, masses),
        *_conversions(),
        *elsewhere(),
    )


def _search(mass: CarbonMass) -> Iterator[Claim]:
    tonnes = mass.tonnes
    said = f"{mass.pounds:,.0f} lb × {_KILOGRAMS_PER_POUND} = {tonnes:,.2f} t"
    yield Claim("search_284_t", "the search: 284 t", 284, tonnes, "t", said)
    yield Claim("search_284_02_t", "the search: 284.02 t", 284.02, tonnes, "t", said)
    yield Claim(
        "search_626000_lb",
        "the search: over 626,000 lb",
        626_000,
        mass.pounds,
        "lb",
        f"{mass.pounds:,.0f} lb",
        Sense.OVER,
    )
    yield Claim(
        "search_300000_kg",
        "the search: about 300,000 kg",
        300_000,
        mass.kilograms,
        "kg",
        f"{mass.kilograms:,.0f} kg",
        remark="loose",
    )
    lifetimes = times(mass, CAR_LIFETIME)
    said = f"{tonnes:,.2f} t / {CAR_LIFETIME.mass.tonnes:,.2f} t = {lifetimes:.2f} lifetimes"
    yield Claim(
        "search_five_cars",
        "the search: nearly five cars, over their lifetimes",
        5,
        lifetimes,
        "car lifetimes",
        said,
        Sense.NEARLY,
    )
    years = 5
    driven = CAR_YEAR.tonnes * years
    yield Claim(
        "search_car_five_years",
        "the search: almost five times a typical car over five years",
        5,
        tonnes / driven,
        "cars over five years",
        f"{tonnes:,.2f} t / ({CAR_YEAR.tonnes:.1f} t a year × {years}) = {tonnes / driven:.2f}; the study's car is "
        f"its whole life, {CAR_LIFETIME.mass.tonnes:,.2f} t, fuel and manufacture",
        Sense.NEARLY,
        remark="the study's 126,000 lb are a lifetime",
        source=f"{THE_STUDY}; {CAR_YEAR_SOURCE}",
    )


def _everyday() -> Iterator[Claim]:
    told: tuple[tuple[str, str, float, Reference], ...] = (
        ("car_57_15_t", "a car's lifetime, fuel included: 57.15 t", 57.15, CAR_LIFETIME),
        ("flight_0_90_t", "a flight New York - San Francisco and back: 0.90 t", 0.90, FLIGHT),
        ("human_year_5_t", "a year of a human life: 5.00 t", 5.00, HUMAN_YEAR),
        ("american_year_16_4_t", "a year of an American life: 16.40 t", 16.40, AMERICAN_YEAR),
    )
    for name, text, claimed, reference in told:
        tonnes = reference.mass.tonnes
        yield Claim(
            name,
            text,
            claimed,
            tonnes,
            "t",
            f"{reference.mass.pounds:,.0f} lb × {_KILOGRAMS_PER_POUND} = {tonnes:,.2f} t",
        )


def _bert(mass: CarbonMass) -> Iterator[Claim]:
    said = f"{mass.pounds:,.0f} lb × {_KILOGRAMS_PER_POUND} = {mass.kilograms:,.0f} kg"
    flight = FLIGHT.mass.kilograms
    yield Claim("bert_1400_lb", "BERT: about 1,400 lb", 1_400, mass.pounds, "lb", f"{mass.pounds:,.0f} lb")
    yield Claim("bert_635_kg", "BERT: 635 kg", 635, mass.kilograms, "kg", said)
    yield Claim(
        "bert_flight",
        "BERT: about a flight across America and back",
        flight,
        mass.kilograms,
        "kg",
        f"{mass.kilograms:,.0f} kg / {flight:,.0f} kg = {times(mass, FLIGHT):.2f} flights",
    )
    yield Claim("bert_6350_kg", "BERT: only 6,350 kg", 6_350, mass.kilograms, "kg", said)


def _development(mass: CarbonMass, study: PublishedStudy) -> Iterator[Claim]:
    tonnes, jobs = mass.tonnes, study.development[-1].jobs
    said = f"{mass.pounds:,.0f} lb × {_KILOGRAMS_PER_POUND} = {tonnes:,.2f} t"
    months = study.development_days / DAYS_PER_MONTH
    yield Claim("development_35_t", "the development: over 35 t", 35, tonnes, "t", said, Sense.OVER)
    yield Claim(
        "development_35000_kg",
        "the development: about 35,000 kg",
        35_000,
        mass.kilograms,
        "kg",
        f"{mass.kilograms:,.0f} kg",
    )
    yield Claim("development_4789", "the development: 4,789 models", 4_789, jobs, "models", f"{jobs:,} jobs")
    yield Claim(
        "development_six_months",
        "the development: six months",
        6,
        months,
        "months",
        f"{study.development_days} days / {DAYS_PER_MONTH:.2f} = {months:.2f} months",
    )
    yield Claim(
        "development_35380_kg",
        "the development: 35,380 kg",
        35_380,
        mass.kilograms,
        "kg",
        f"{mass.kilograms:,.0f} kg",
    )
    yield Claim(
        "development_35_thousand_t",
        "the development: more than 35 thousand tons",
        35_000,
        tonnes,
        "t",
        said,
        Sense.OVER,
    )


def _models(study: PublishedStudy, masses: dict[str, CarbonMass]) -> Iterator[Claim]:
    """What reports say of the models beside each other, and of the method."""
    models = {model.id: model for model in study.models}
    base, big, bert = models["transformer_base"], models["transformer_big"], models["bert_base"]
    light, heavy, search = masses[base.id], masses[big.id], masses["nas"]
    if base.parameters and big.parameters:
        yield Claim(
            "proportional_to_size",
            "the cost grows in proportion to the size of a model",
            big.parameters / base.parameters,
            heavy.grams / light.grams,
            "times",
            f"Transformer, base to big: parameters {big.parameters / base.parameters:.1f} times, CO2e "
            f"{heavy.pounds:,.0f} lb / {light.pounds:,.0f} lb = {heavy.grams / light.grams:.2f} times",
            remark="it grows faster: the larger model was trained for seven times as long",
        )
        yield Claim(
            "transformer_213m",
            "the Transformer: 213 million parameters",
            213e6,
            big.parameters,
            "parameters",
            f"Transformer (big): {big.parameters:,}",
        )
    hours, times_more = models["nas"].hours, search.grams / heavy.grams
    yield Claim(
        "tuning_exploded",
        "the cost explodes with tuning and search",
        _EXPLODED,
        times_more,
        "times",
        f"{hours:,.0f} h / {big.hours:,.0f} h of the same power = {times_more:,.0f} times "
        f"({round(search.pounds) / round(heavy.pounds):,.0f} by the printed pounds); taken to hold from {_EXPLODED:g} "
        "times on",
        Sense.AT_LEAST,
    )
    cards = models["elmo"].count
    yield Claim(
        "a_day_on_one_gpu",
        "every model was trained for a day on one GPU",
        1,
        cards,
        "GPUs",
        f"Transformer, BERT and GPT-2 on 1 Titan X; ELMo on {cards:,.0f} GTX 1080 Ti",
        remark="true of all but ELMo; up to a day",
    )
    searches = {model.id for model in study.models if model.is_search}
    powered = {model.id: masses[model.id] for model in study.models if model.id in masses and model.id not in searches}
    most = max(powered.values(), key=lambda mass: mass.grams)
    yield Claim(
        "bert_most",
        "BERT: the most CO2e of all, without the search",
        masses[bert.id].pounds,
        most.pounds,
        "lb",
        f"of {len(powered)} trainings with a published power the most is {most.pounds:,.0f} lb; GPT-2 has none, and "
        "costs more in a cloud",
    )
    mixes = {mix.id: mix for mix in study.mixes}
    told, used = grams_of(mixes["aws"]).value, grams_of(mixes["us"]).value
    yield Claim(
        "mix_of_aws",
        "CO2e was computed with the energy mix of Amazon AWS",
        told,
        used,
        "gCO2e/kWh",
        f"the mix of AWS: {told:,.0f} g; that of the United States, which the study uses: {used:,.0f} g",
        remark="the study uses the average of the United States and calls AWS comparable",
        source=f"{THE_STUDY}, Table 2; {MEDIANS}",
    )


def _conversions() -> Iterator[Claim]:
    """Pounds as kilograms, by themselves."""
    for name, text, pounds, claimed, remark in (
        ("1400_lb_635_kg", "1,400 lb are 635 kg", 1_400, 635, ""),
        ("626000_lb_300000_kg", "626,000 lb are about 300,000 kg", 626_000, 300_000, "loose"),
    ):
        kilograms = CarbonMass.from_pounds(pounds).kilograms
        said = f"{pounds:,} lb × {_KILOGRAMS_PER_POUND} = {kilograms:,.0f} kg"
        yield Claim(name, text, claimed, kilograms, "kg", said, remark=remark, source="the pound of 1959")
