"""A claim about the study of 2019, judged: the claim, the arithmetic, its source, and a verdict by a single rule.

A figure holds when it is off by :data:`CLOSE` at most (and, where the report says "over" or "nearly", on that side),
holds roughly within a factor of :data:`ROUGH`, and is wrong beyond that. Where a report says "at least", every larger
figure bears it out. The claims themselves are in ``press`` and ``elsewhere``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from lightning_carbon.report.sheets import Column, Sheet, sheet_of
from lightning_carbon.values import dataclass

CLOSE = 0.02
"""The error, as a share of the computed figure, up to which a claim holds."""
ROUGH = 1.5
"""The factor by which a claim may be off to hold roughly."""
THE_STUDY = "Strubell et al. 2019"
"""The source of what follows from the study's own figures."""


class Sense(StrEnum):
    """The sense in which a report gives its figure, such as "over"."""

    ABOUT = "about"
    OVER = "over"
    NEARLY = "nearly"
    AT_LEAST = "at least"


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
        source: The source of the computed figure.
        is_outside: Whether the study says nothing of it.
    """

    id: str
    text: str
    claimed: float
    computed: float
    unit: str
    arithmetic: str
    sense: Sense = Sense.ABOUT
    remark: str = ""
    source: str = THE_STUDY
    is_outside: bool = False

    @property
    def factor(self) -> float:
        """The error of the claim, as a factor from 1 up."""
        ratio = self.claimed / self.computed
        return max(ratio, 1 / ratio)

    @property
    def verdict(self) -> ClaimVerdict:
        """The verdict, by the rule of this module."""
        if self.sense is Sense.AT_LEAST and self.computed >= self.claimed:
            return ClaimVerdict.HOLDS
        if self.factor > ROUGH:
            return ClaimVerdict.WRONG
        is_close = abs(self.claimed - self.computed) <= CLOSE * self.computed
        is_beyond = {
            Sense.OVER: self.claimed > self.computed,
            Sense.NEARLY: self.claimed < self.computed,
            Sense.AT_LEAST: self.claimed > self.computed,
            Sense.ABOUT: False,
        }[self.sense]
        return ClaimVerdict.HOLDS if is_close and not is_beyond else ClaimVerdict.ROUGHLY

    @property
    def verdict_text(self) -> str:
        """The verdict in words, with the factor where the claim is wrong and the remark where it does not just hold."""
        text = self.verdict.value
        if self.verdict is ClaimVerdict.WRONG:
            text += f" by a factor of about {_roughly(self.factor)}"
        if self.is_outside:
            text += " (outside the study)"
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
            "source": self.source,
            "outside_study": self.is_outside,
        }


def claims_sheet(all_claims: tuple[Claim, ...]) -> Sheet:
    """The claims as a table of text."""
    rule = (
        f'A figure holds when it is off by {100 * CLOSE:g} % at most, and on the side of "over" or "nearly"; it '
        f"holds roughly within a factor of {ROUGH:g}; beyond that it is wrong. Where a claim is at least so much, "
        "every larger figure bears it out."
    )
    source = "Claims of press reports of June 2019 and after, each figure on its own, in our words."
    columns = (
        Column[Claim]("Claim", lambda claim: claim.text, "<"),
        Column[Claim]("Arithmetic", lambda claim: claim.arithmetic, "<"),
        Column[Claim]("Source", lambda claim: claim.source, "<"),
        Column[Claim]("Verdict", lambda claim: claim.verdict_text, "<"),
    )
    return sheet_of("What the press wrote of the study of 2019", all_claims, columns, notes=(source, rule))


def _roughly(factor: float) -> str:
    """A figure with a single significant digit, without an exponent."""
    return f"{float(f'{factor:.1g}'):,.10g}"
