"""Claims of press reports about the study of 2019, checked: each claim, the arithmetic, and a verdict by one rule.

Five reports of June 2019, in Swedish, Dutch, French, Russian and English, carry these claims, which are given here in
our words, each figure on its own. A figure holds when it is off by :data:`CLOSE` at most (and, where the report says
"over" or "nearly", on that side), holds roughly within a factor of :data:`ROUGH`, and is wrong beyond that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lightning_carbon.carbon.equivalents import AMERICAN_YEAR, CAR_LIFETIME, FLIGHT, HUMAN_YEAR, Reference, times
from lightning_carbon.report.sheets import Column, Sheet, sheet_of
from lightning_carbon.study.published.study import strubell2019
from lightning_carbon.study.published.tables import published_rows
from lightning_carbon.units import DAYS_PER_MONTH, GRAMS_PER_KILOGRAM, GRAMS_PER_POUND, CarbonMass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.study.published.study import PublishedStudy
    from lightning_carbon.study.rows import StudyRow

CLOSE = 0.02
"""The error, as a share of the computed figure, up to which a claim holds."""
ROUGH = 1.5
"""The factor by which a claim may be off to hold roughly."""

_KILOGRAMS_PER_POUND = f"{GRAMS_PER_POUND / GRAMS_PER_KILOGRAM:.8f}"


class Sense(StrEnum):
    """The sense in which a report gives its figure, such as "over"."""

    ABOUT = "about"
    OVER = "over"
    NEARLY = "nearly"


class ClaimVerdict(StrEnum):
    """The judgement of a claim by the arithmetic."""

    HOLDS = "holds"
    ROUGHLY = "holds roughly"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure in a report, beside the figure that follows from the study.

    Args:
        id: A name for machines.
        text: The claim in words.
        claimed: The figure.
        computed: The correct figure, in the same unit.
        unit: The unit of both.
        arithmetic: How the computed figure comes about.
        sense: The sense of the figure.
        remark: Why the claim is wrong or loose, where that needs an explanation; else empty.
    """

    id: str
    text: str
    claimed: float
    computed: float
    unit: str
    arithmetic: str
    sense: Sense = Sense.ABOUT
    remark: str = ""

    @property
    def factor(self) -> float:
        """The error of the claim, as a factor from 1 up."""
        ratio = self.claimed / self.computed
        return max(ratio, 1 / ratio)

    @property
    def verdict(self) -> ClaimVerdict:
        """The verdict, by the rule of this module."""
        if self.factor > ROUGH:
            return ClaimVerdict.WRONG
        is_close = abs(self.claimed - self.computed) <= CLOSE * self.computed
        is_beyond = {
            Sense.OVER: self.claimed > self.computed,
            Sense.NEARLY: self.claimed < self.computed,
            Sense.ABOUT: False,
        }[self.sense]
        return ClaimVerdict.HOLDS if is_close and not is_beyond else ClaimVerdict.ROUGHLY

    @property
    def verdict_text(self) -> str:
        """The verdict in words, with the factor where the claim is wrong and the remark where it does not just hold."""
        text = self.verdict.value
        if self.verdict is ClaimVerdict.WRONG:
            text += f" by a factor of about {_roughly(self.factor)}"
        return f"{text}: {self.remark}" if self.remark and self.verdict is not ClaimVerdict.HOLDS else text

    def as_mapping(self) -> dict[str, Any]:
        """The claim as plain values (JSON types only)."""
        return {
            "id": self.id,
            "claim": self.text,
            "sense": self.sense.value,
            "claimed": self.claimed,
            "computed": self.computed,
            "unit": self.unit,
            "arithmetic": self.arithmetic,
            "factor": self.factor,
            "verdict": self.verdict.value,
            "remark": self.remark or None,
        }


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
    )


def claims_sheet(all_claims: tuple[Claim, ...]) -> Sheet:
    """The claims as a table of text."""
    rule = (
        f'A figure holds when it is off by {100 * CLOSE:g} % at most, and on the side that "over" or "nearly" says; it '
        f"holds roughly within a factor of {ROUGH:g}; beyond that it is wrong."
    )
    source = "Claims of five press reports of June 2019, each figure on its own, in our words."
    columns = (
        Column[Claim]("Claim", lambda claim: claim.text, "<"),
        Column[Claim]("Arithmetic", lambda claim: claim.arithmetic, "<"),
        Column[Claim]("Verdict", lambda claim: claim.verdict_text, "<"),
    )
    return sheet_of("What the press wrote of the study of 2019", all_claims, columns, notes=(source, rule))


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
    yield Claim(
        "search_car_five_years",
        "the search: a car over five years",
        CAR_LIFETIME.mass.tonnes,
        tonnes,
        "t",
        f"a car: {CAR_LIFETIME.mass.tonnes:,.2f} t in its whole life; the search: {tonnes:,.2f} t",
        remark="the 126,000 lb are a lifetime",
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


def _roughly(factor: float) -> str:
    """A figure with a single significant digit, without an exponent."""
    return f"{float(f'{factor:.1g}'):,.10g}"
