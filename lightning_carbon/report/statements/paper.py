"""Two sentences and a table for a paper, in the form of table 3 of Strubell et al. (2019). Pure.

The items are those that checklists ask for: NeurIPS for the type of compute, its memory, the time of experiments and in
total, failed runs included; ACL (C1) for parameters, total computational budget and infrastructure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.records.numbers import CO2E, ENERGY, POWER, amount, digits, duration
from lightning_carbon.report.statements.consumption import listed
from lightning_carbon.report.statements.ranges import in_joules, scaled
from lightning_carbon.report.statements.statement import FormField, Statement
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR

if TYPE_CHECKING:
    from lightning_carbon.report.statements.consumption import Consumption
    from lightning_carbon.report.statements.work import Arithmetic

FORM: Final = "paper"


def paper(usage: Consumption, arithmetic: Arithmetic | None) -> Statement:
    """State the use of compute and its emissions, for a paper.

    Args:
        usage: The usage of its runs.
        arithmetic: Its floating-point operations, where they are known.
    """
    kwh, grams, likely = usage.machine_kilowatt_hours, usage.grams_co2e, usage.likely
    watts = kwh.value * JOULES_PER_KILOWATT_HOUR / usage.seconds if usage.seconds else 0.0
    joules = kwh.times(JOULES_PER_KILOWATT_HOUR)
    chips = usage.kilowatt_hours.times(JOULES_PER_KILOWATT_HOUR)
    entries = [
        FormField("hardware", usage.hardware_text()),
        FormField("runs", usage.runs_text(), float(usage.runs)),
        FormField(
            "power",
            amount(watts, POWER),
            watts,
            (f"{digits(joules.value)} J / {usage.seconds:,.1f} s = {digits(watts)} W",),
        ),
        FormField(
            "hours", digits(usage.hours), usage.hours, (f"{usage.seconds:,.1f} s / 3600 = {digits(usage.hours)} h",)
        ),
        FormField("accelerator hours", digits(usage.accelerator_hours), usage.accelerator_hours),
        FormField(
            "kWh x PUE",
            digits(usage.site_kilowatt_hours.value),
            usage.site_kilowatt_hours.value,
            (f"{digits(kwh.value)} kWh x PUE {listed(usage.pues)} = {digits(usage.site_kilowatt_hours.value)} kWh",),
        ),
        FormField(
            "CO2e",
            scaled(grams, CO2E, likely.grams_co2e),
            grams.value,
            (f"kWh x PUE x {listed(usage.intensities)} = {digits(grams.value)} g",),
        ),
        FormField(
            f"energy of the {listed(usage.boundaries)}",
            scaled(joules, ENERGY, in_joules(likely.machine_kilowatt_hours)),
            joules.value,
        ),
        FormField(
            "energy of the chips",
            f"{scaled(chips, ENERGY, in_joules(likely.kilowatt_hours))}, {usage.came_about()}",
            chips.value,
        ),
        FormField("carbon intensity", listed(usage.intensities)),
        FormField("PUE", listed(usage.pues)),
    ]
    missing = []
    if arithmetic is None:
        missing.append("floating-point operations: give --flop, or --params where the runs count their tokens")
    else:
        entries.append(FormField("compute", f"{arithmetic.flop:.2g} FLOP", arithmetic.flop, (arithmetic.method,)))
    if usage.absent:
        missing.append(f"energy of what no sensor saw: {listed(usage.absent)}")
    if usage.models:
        entries.append(FormField("model", listed(usage.models)))
    asked = "" if usage.models else " and the parameters of the model"
    missing.append(
        f"memory of the accelerators{asked}, which checklists ask for: add {'it' if usage.models else 'them'}"
    )
    return Statement(
        FORM,
        f"Energy and carbon: {usage.name}",
        tuple(entries),
        tuple(missing),
        tuple(usage.caveats()),
        sentences(usage),
    )


def sentences(usage: Consumption) -> str:
    """Two sentences: what was used, and what that emits."""
    joules = usage.machine_kilowatt_hours.times(JOULES_PER_KILOWATT_HOUR)
    energy = scaled(joules, ENERGY, in_joules(usage.likely.machine_kilowatt_hours))
    runs = usage.runs_text()
    return (
        f"Training ({runs}) on {usage.hardware_text()} took {duration(usage.seconds)} and {energy}, "
        f"energy of the {listed(usage.boundaries)}, of which chips were {usage.came_about()} "
        f"(lightning-carbon). With a PUE of {listed(usage.pues)} and an intensity of "
        f"{listed(usage.intensities)}, that emits {scaled(usage.grams_co2e, CO2E, usage.likely.grams_co2e)}."
    )
