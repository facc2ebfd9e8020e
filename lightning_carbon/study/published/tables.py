"""The tables of the study of 2019, recomputed from nothing but their inputs: power, hours, count and factors.

Table 1 shows CO2e beside everyday things, Table 2 the energy mixes of countries and clouds
(:mod:`~lightning_carbon.study.published.mixes`), Table 3 trainings of models, Table 4 the whole development of a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.equivalents import REFERENCES
from lightning_carbon.study.arithmetic import energy_of, figures_of
from lightning_carbon.study.published.mixes import mixes_sheet
from lightning_carbon.study.published.study import strubell2019
from lightning_carbon.study.rows import EMISSIONS, MODELS, Figures, StudyRow, study_sheet
from lightning_carbon.units import CarbonMass, Power

if TYPE_CHECKING:
    from lightning_carbon.report.sheets import Sheet
    from lightning_carbon.study.published.study import (
        PublishedDevelopment,
        PublishedEmission,
        PublishedModel,
        PublishedStudy,
    )

TABLE_1, TABLE_3, TABLE_4 = 1, 3, 4

_HOURS = (
    "{name} on {hardware}: {printed} hours are printed, but the printed figures follow from {hours} hours{source}, "
    "which are used here."
)
_NO_POWER = "No power was published of TPUs, so their rows have neither energy nor CO2e."
_DEVELOPMENT = (
    "The power of the development was not printed: {watts} W for each GPU is what its printed cost of electricity "
    "implies, and the other printed figures follow from it."
)
_EVERYDAY = "Flight, lives and car are the study's own inputs, converted only."


def rows_of(study: PublishedStudy) -> tuple[StudyRow, ...]:
    """Every row of Tables 1, 3 and 4, with computed and printed figures.

    Args:
        study: The inputs and the printed figures.
    """
    models = {model.id: _model_row(model, study) for model in study.models}
    development = {part.id: _development_row(part, study) for part in study.development}
    figures = {row.id: row.computed for row in (*models.values(), *development.values())}
    emissions = [_emission_row(emission, figures, study) for emission in study.emissions]
    return (*emissions, *models.values(), *development.values())


def published_rows() -> tuple[StudyRow, ...]:
    """Every row of the study's Tables 1, 3 and 4."""
    return rows_of(strubell2019())


def published_sheets(rows: tuple[StudyRow, ...], study: PublishedStudy | None = None) -> tuple[Sheet, ...]:
    """The four tables as text, with their notes.

    Args:
        rows: The rows of Tables 1, 3 and 4.
        study: The inputs behind them; by default those of the study.
    """
    study = study or strubell2019()
    method = study.method
    constants = (
        f"PUE {method.pue.value:g}, {method.intensity.value:.1f} gCO2e/kWh "
        f"({_pounds(study):g} lb), {study.source}. Printed figures stand in brackets; "
        "a row closes where all that is computed (energy, CO2e, costs) rounds to the printed digits."
    )
    days = f"{study.development_days} days, {study.grid_searches} grid searches; hours are GPU-hours."
    titles = {
        TABLE_1: ("CO2e of trainings and of everyday things (the study's Table 1)", EMISSIONS, (constants, _EVERYDAY)),
        TABLE_3: ("Trainings of one model (the study's Table 3)", MODELS, (constants, study.power_remark)),
        TABLE_4: ("The whole development of one model (the study's Table 4)", MODELS, (constants, days)),
    }
    first, *others = (
        study_sheet(title, [row for row in rows if row.table == table], columns, notes=notes)
        for table, (title, columns, notes) in titles.items()
    )
    return first, mixes_sheet(study.mixes, method.intensity.value), *others


def _pounds(study: PublishedStudy) -> float:
    return round(CarbonMass(study.method.intensity.value).pounds, 9)


def _model_row(model: PublishedModel, study: PublishedStudy) -> StudyRow:
    power = model.power_watts
    energy = None if power is None else energy_of(Power(power), model.hours)
    price = study.method.cloud.get(model.accelerator)
    return StudyRow(
        table=TABLE_3,
        id=model.id,
        name=model.name,
        hardware=model.hardware,
        hours=model.hours,
        power_watts=power,
        computed=figures_of(energy, study.method, accelerator_hours=model.hours * model.count, price=price),
        printed=model.printed,
        notes=tuple(_notes(model, study)),
    )


def _notes(model: PublishedModel, study: PublishedStudy) -> list[str]:
    printed = model.printed.hours
    notes = []
    if model.power_watts is None:
        notes.append(_NO_POWER)
    if printed is not None and printed.value != model.hours:
        source = f" ({model.hours_are})" if model.hours_are else ""
        hours, said = f"{model.hours:,.10g}", f"{printed.value:,.10g}"
        notes.append(_HOURS.format(name=model.name, hardware=model.hardware, printed=said, hours=hours, source=source))
    if model.is_search:
        notes.append(study.search_remark)
    return notes


def _development_row(part: PublishedDevelopment, study: PublishedStudy) -> StudyRow:
    energy = energy_of(Power(study.development_watts), part.accelerator_hours)
    price = study.method.cloud.get(study.development_accelerator)
    return StudyRow(
        table=TABLE_4,
        id=part.id,
        name=part.name,
        hardware=f"{study.development_accelerator} x1",
        hours=part.accelerator_hours,
        power_watts=study.development_watts,
        computed=figures_of(energy, study.method, accelerator_hours=part.accelerator_hours, price=price),
        printed=part.printed,
        notes=(_DEVELOPMENT.format(watts=f"{study.development_watts:g}"),),
    )


def _emission_row(emission: PublishedEmission, figures: dict[str, Figures | None], study: PublishedStudy) -> StudyRow:
    if emission.row is not None:
        computed = figures[emission.row]
    else:
        [mass] = [reference.mass for reference in REFERENCES if reference.id == emission.equivalent]
        computed = Figures(co2e_lbs=mass.pounds, co2e_kg=mass.kilograms)
    searches = {model.id for model in study.models if model.is_search}
    return StudyRow(
        table=TABLE_1,
        id=emission.id,
        name=emission.name,
        computed=computed,
        printed=emission.printed,
        notes=(study.search_remark,) if emission.row in searches else (),
    )
