"""What the records of trainings give to an evaluation by AFNOR Spec 2314, the French framework for frugal AI. Pure.

The Spec evaluates a service over the life of its equipment and in several categories of impact. Its publisher reserves
its text, so this is no form of it: the fields are what is said publicly that it counts, as far as a meter of trainings
knows it, and the rest is listed as missing.

References:
    AFNOR, A framework for measuring and reducing the environmental impact of AI (2024),
    https://www.afnor.org/en/news/artificial-intelligence/reference-framework-reduce-environmental-impact-ai/: what a
    frugal service has to show, and that claims have to be accurate and verifiable.
    Veille Magazine, L'AFNOR lance un guide pour évaluer et diminuer l'empreinte écologique de
    l'intelligence artificielle (2024): the method counts the equipment and its own footprint, the local mix of
    electricity, the energy efficiency of the data centre and the use of the equipment.
    Ministère de la Transition écologique, Publication du référentiel général pour l'IA frugale (28 June 2024):
    several categories of impact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.records.numbers import CO2E, digits, duration
from lightning_carbon.report.statements.consumption import listed
from lightning_carbon.report.statements.ranges import in_unit, scaled, with_making
from lightning_carbon.report.statements.statement import FormField, Statement

if TYPE_CHECKING:
    from lightning_carbon.report.statements.consumption import Consumption
    from lightning_carbon.report.statements.embodied import EmbodiedShare

FORM: Final = "afnor"
_MISSING: Final = (
    "the equipment around the accelerators: servers, network, buildings",
    "categories of impact other than the climate",
    "inference, and the other phases in the life of the service",
    "the indirect impacts of its use",
    "that an AI system is needed, and which good practices were followed",
)
_NOTES: Final = (
    "This is no form of AFNOR Spec 2314 (June 2024), but what the records give to an evaluation by it.",
    "The fields follow what AFNOR and the press said in 2024 that it counts; the Spec itself decides.",
)


def afnor(usage: Consumption, share: EmbodiedShare) -> Statement:
    """State the electricity, the equipment and the impact on the climate of trainings.

    Args:
        usage: The usage of its runs.
        share: The embodied emissions that they answer for.
    """
    site, electric, made = usage.site_kilowatt_hours, usage.grams_co2e, share.grams
    whole = electric + made
    sums = f"{digits(electric.value)} g of electricity + {digits(made.value)} g of equipment = {digits(whole.value)} g"
    used = f"{duration(usage.seconds)} of runs, {digits(usage.accelerator_hours)} hours of accelerators"
    entries = (
        FormField("Phase of the life", f"training: {usage.runs_text()}"),
        FormField("Equipment", usage.hardware_text()),
        FormField("Use of the equipment", used, usage.accelerator_hours),
        FormField("Electricity at the site", in_unit(site, "kWh", usage.likely.site_kilowatt_hours), site.value),
        FormField("How the energy of the chips is known", usage.came_about()),
        FormField("Local mix of electricity", listed(usage.intensities)),
        FormField("Energy efficiency of the data centre (PUE)", listed(usage.pues)),
        FormField("Climate: electricity", scaled(electric, CO2E, usage.likely.grams_co2e), electric.value),
        *(
            (
                FormField("Climate: making of the accelerators", scaled(made, CO2E, None), made.value, share.trace),
                FormField("Climate: both", scaled(whole, CO2E, with_making(usage, made)), whole.value, (sums,)),
            )
            if share.trace
            else (FormField("Climate: making of the accelerators", "not known"),)
        ),
    )
    missing = [f"the making of {name}: no published figure is in the table" for name in share.unknown]
    if usage.without_energy:
        missing.append(f"the electricity of {usage.without_energy:,} runs that could not be metered")
    return Statement(
        FORM,
        f"Towards AFNOR Spec 2314, frugal AI: {usage.name}",
        entries,
        (*missing, *_MISSING),
        (*_NOTES, *usage.caveats()),
    )
