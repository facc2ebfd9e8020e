"""Software Carbon Intensity of a training: ``((E x I) + M) / R`` (ISO/IEC 21031:2024, Green Software Foundation). Pure.

E is the energy at the site, I the location-based intensity, M the share of embodied emissions, R the functional unit.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.records.numbers import digits
from lightning_carbon.report.statements.consumption import listed
from lightning_carbon.report.statements.ranges import in_unit, with_making
from lightning_carbon.report.statements.statement import FormField, Statement

if TYPE_CHECKING:
    from lightning_carbon.report.statements.consumption import Consumption
    from lightning_carbon.report.statements.embodied import EmbodiedShare
    from lightning_carbon.report.statements.work import Arithmetic

FORM: Final = "sci"
TOKENS: Final = 1_000


class FunctionalUnit(StrEnum):
    """The unit that the score is for."""

    TOKENS = "1000-tokens"
    STEP = "step"
    SAMPLE = "sample"
    RUN = "run"
    FLOP = "flop"


_SAID: Final = {FunctionalUnit.TOKENS: "1,000 tokens", FunctionalUnit.FLOP: "a floating-point operation"}


def sci(
    usage: Consumption,
    share: EmbodiedShare,
    *,
    unit: FunctionalUnit | None = None,
    arithmetic: Arithmetic | None = None,
) -> Statement:
    """State the Software Carbon Intensity of a training.

    Args:
        usage: The usage of its runs.
        share: The embodied emissions that it answers for.
        unit: The functional unit; by default 1,000 tokens where they were counted, else a run.
        arithmetic: Its floating-point operations, where they are known.

    Raises:
        ConfigError: The functional unit was not counted.
    """
    chosen = unit or (FunctionalUnit.TOKENS if usage.tokens else FunctionalUnit.RUN)
    counts = {
        FunctionalUnit.TOKENS: (usage.tokens or 0) / TOKENS,
        FunctionalUnit.STEP: float(usage.steps),
        FunctionalUnit.SAMPLE: float(usage.samples or 0),
        FunctionalUnit.RUN: float(usage.runs),
        FunctionalUnit.FLOP: 0.0 if arithmetic is None else arithmetic.flop,
    }
    count = counts[chosen]
    if not count:
        known = ", ".join(name for name, number in counts.items() if number)
        raise ConfigError("unit", str(chosen), f"the runs did not count it; give one of {known}.")
    site, grams = usage.site_kilowatt_hours, usage.grams_co2e
    score = (grams + share.grams).times(1 / count)
    likely = with_making(usage, share.grams)
    low, high = (score.low, score.high) if likely is None else (likely.low / count, likely.high / count)
    level = "" if likely is None else f", {100 * likely.level:g} %"
    entries = (
        FormField("E, energy at the site", in_unit(site, "kWh", usage.likely.site_kilowatt_hours), site.value),
        FormField("I, location-based intensity", listed(usage.intensities)),
        FormField("E x I", in_unit(grams, "gCO2e", usage.likely.grams_co2e), grams.value),
        FormField(
            "M, embodied share",
            in_unit(share.grams, "gCO2e", None),
            share.grams.value,
            share.trace,
        ),
        FormField(f"R, functional unit: {chosen}", f"{count:,.6g}", count),
        FormField(
            "SCI",
            f"{score.value:.3g} gCO2e ({low:.3g} to {high:.3g}{level}) for {_SAID.get(chosen, f'a {chosen}')}",
            score.value,
            (f"({digits(grams.value)} g + {digits(share.grams.value)} g) / {count:,.6g} = {score.value:.3g} g",),
        ),
    )
    missing = [f"M of {name}: no published figure is in the table" for name in share.unknown]
    missing.append("M of the servers around the accelerators")
    notes = [
        "Offsets, certificates and contracts do not lower this score.",
        *(
            ["Embodied figures for the same accelerator differ by their method; the range has them all."]
            if share.trace
            else []
        ),
        *usage.caveats(),
    ]
    return Statement(FORM, f"Software Carbon Intensity: {usage.name}", entries, tuple(missing), tuple(notes))
