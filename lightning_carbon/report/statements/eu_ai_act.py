"""The energy and compute part of the Model Documentation Form of the EU AI Act. Pure.

Regulation (EU) 2024/1689, Annex XI, section 1, point 2(d): computational resources and training time; 2(e): known or
estimated energy consumption. The form is in the General-Purpose AI Code of Practice, chapter on transparency (2025).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.records.numbers import digits, duration
from lightning_carbon.report.statements.consumption import listed
from lightning_carbon.report.statements.ranges import in_unit
from lightning_carbon.report.statements.statement import FormField, Statement
from lightning_carbon.units import HOURS_PER_DAY, KILO

if TYPE_CHECKING:
    from lightning_carbon.report.statements.consumption import Consumption
    from lightning_carbon.report.statements.work import Arithmetic

FORM: Final = "eu-ai-act"
_OWN_WORDS: Final = (
    "This fills the fields on training time, compute and energy alone. The provider answers for the form, and decides "
    "which runs belong to the model: count those of its development, too, where the form asks for all training."
)


def eu_ai_act(usage: Consumption, arithmetic: Arithmetic | None) -> Statement:
    """State the training time, the compute and the energy of a model.

    Args:
        usage: The usage of its runs.
        arithmetic: Its floating-point operations, where they are known.
    """
    site = usage.site_kilowatt_hours.times(1 / KILO)
    chips, machine = (kwh.times(1 / KILO) for kwh in (usage.kilowatt_hours, usage.machine_kilowatt_hours))
    likely = usage.likely.site_kilowatt_hours
    days = usage.accelerator_hours / HOURS_PER_DAY
    entries = [
        FormField(
            "2(d) training time, wall clock",
            duration(usage.seconds),
            usage.seconds,
            (f"sum of duration_seconds of {usage.runs:,} runs = {usage.seconds:,.1f} s",),
        ),
        FormField(
            "2(d) training time, hardware",
            f"{digits(days)} accelerator days" if days else "no accelerator was used",
            days,
            (
                *(f"{name}: {seconds:,.1f} s" for name, seconds in usage.accelerators.items()),
                f"sum / 3600 / 24 = {digits(days)} days",
            ),
        ),
        FormField("2(d) hardware", usage.hardware_text()),
    ]
    missing = []
    if arithmetic is None:
        missing.append("2(d) floating-point operations: give --flop, or --params where the runs count their tokens")
    else:
        entries.append(FormField("2(d) compute", f"{arithmetic.flop:.2g} FLOP", arithmetic.flop, (arithmetic.method,)))
        entries.append(FormField("2(d) method of the compute", arithmetic.method))
    entries += [
        FormField(
            "2(e) energy of training",
            in_unit(site, "MWh", None if likely is None else likely.times(1 / KILO)),
            site.value,
            (
                f"energy of the chips = {digits(chips.value)} MWh",
                f"energy of the {listed(usage.boundaries)} = {digits(machine.value)} MWh",
                f"times the PUE of each run ({listed(usage.pues)}) = {digits(site.value)} MWh",
            ),
        ),
        FormField("2(e) measured or estimated", usage.came_about()),
        FormField(
            "2(e) method", f"by lightning-carbon: {listed(usage.methods)}; readings cover {usage.coverage_ratio:.0%}"
        ),
        FormField("2(e) boundary", f"{listed(usage.boundaries)}, times the site's PUE"),
    ]
    if usage.absent:
        missing.append(f"2(e) energy of what no sensor saw: {listed(usage.absent)}")
    if usage.without_energy:
        missing.append(f"2(e) energy of {usage.without_energy:,} runs that could not be metered")
    missing.append("energy of inference: a meter of training does not know it")
    return Statement(
        FORM,
        f"Model Documentation Form, energy and compute: {usage.name}",
        tuple(entries),
        tuple(missing),
        (*usage.caveats(), _OWN_WORDS),
    )
