"""The electricity of trainings in an inventory by the GHG Protocol: Scope 2 in both ways, and what lies upstream. Pure.

Nothing is netted: the figure by contract stands beside that by place, and never takes from it (GHG Protocol, *Scope 2
Guidance*, 2015, chapter 6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.records.numbers import CO2E, amount
from lightning_carbon.report.statements.consumption import listed
from lightning_carbon.report.statements.ranges import in_unit, scaled
from lightning_carbon.report.statements.scopes import ScopeShare
from lightning_carbon.report.statements.statement import FormField, Statement

if TYPE_CHECKING:
    from lightning_carbon.report.statements.consumption import Consumption

FORM: Final = "ghg"
_REASONS: Final = {
    ScopeShare.TOGETHER: (
        "the life-cycle factor holds both and its source does not split it, so it is no Scope 2 figure"
    ),
    ScopeShare.UNKNOWN: "the factor was given without what it counts, is a contract's, or is marginal",
}
_FIXES: Final = {
    ScopeShare.LOCATION: "no factor of direct emissions alone is known",
    ScopeShare.MARKET: "give market_intensity= (--market-intensity), the factor of the contract or of the residual mix",
    ScopeShare.UPSTREAM: "the source of the factor does not split it",
}
_NOTES: Final = (
    "Scope 2 by place and by contract are two figures for the same electricity, which neither net nor add up.",
    "Scope 2 is that of the organisation that operates the machines; for whoever rents them, it is a part of Scope 3.",
)


def ghg(usage: Consumption) -> Statement:
    """State the CO2e of the electricity of trainings by scope.

    Args:
        usage: The usage of its runs.
    """
    site, whole = usage.site_kilowatt_hours, usage.grams_co2e
    metered = usage.runs - usage.without_energy
    entries = [FormField("Electricity at the site", in_unit(site, "kWh", usage.likely.site_kilowatt_hours), site.value)]
    missing = []
    for share in ScopeShare:
        known = usage.shares.get(share)
        if known is not None:
            count = "" if known.runs == metered else f", of {known.runs:,} of {metered:,} runs"
            entries.append(FormField(share, f"{amount(known.grams_co2e, CO2E)}{count}", known.grams_co2e, known.trace))
        lacking = metered - (0 if known is None else known.runs)
        if lacking and share in _FIXES:
            missing.append(f"{share} of {lacking:,} {'run' if lacking == 1 else 'runs'}: {_FIXES[share]}")
    entries += [
        FormField("All of it by place, with its range", scaled(whole, CO2E, usage.likely.grams_co2e), whole.value),
        FormField("Factors", listed(usage.intensities)),
        FormField("PUE", listed(usage.pues)),
    ]
    if usage.without_energy:
        missing.append(f"the electricity of {usage.without_energy:,} runs that could not be metered")
    missing.append("Scope 3, category 2 (the hardware): statement sci has its embodied share")
    reasons = [f"{share}: {reason}." for share, reason in _REASONS.items() if share in usage.shares]
    return Statement(
        FORM,
        f"GHG Protocol, purchased electricity: {usage.name}",
        tuple(entries),
        tuple(missing),
        (*reasons, *_NOTES, *usage.caveats()),
    )
