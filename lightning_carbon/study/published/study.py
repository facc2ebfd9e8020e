"""The figures of the study of 2019 and the inputs behind them: the packaged file :file:`data/strubell2019.json`.

Two of its inputs differ from the printed values, since the printed results follow from other values: BERT's 79.2 hours
(79 were printed) and the search's 32,633 hours on a TPU (32,623 were printed). The mean power of the development was
not printed at all: 216.96 W for each GPU is what its printed cost of electricity implies.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.estimate.prices import CloudPrice, ElectricityPrice
from lightning_carbon.study.method import STRUBELL_2019, Method
from lightning_carbon.study.printed import Printed
from lightning_carbon.study.rows import PrintedFigures
from lightning_carbon.units import CarbonMass
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = Path(__file__).with_name("data") / "strubell2019.json"


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A training of the study.

    Args:
        id: A name for machines.
        name: The model that was trained.
        parameters: The number of parameters; ``None`` where it was not published.
        accelerator: The accelerator.
        count: The number of accelerators.
        power_watts: Mean power of all of it, without PUE; ``None`` where it was not published.
        hours: How long the whole training took.
        printed: The figures that were printed.
        hours_are: The source of hours that differ from the printed hours; empty where it is not known.
        is_search: Whether it is a search over architectures.
    """

    id: str
    name: str
    parameters: int | None
    accelerator: str
    count: int
    power_watts: float | None
    hours: float
    printed: PrintedFigures
    hours_are: str = ""
    is_search: bool = False

    @property
    def hardware(self) -> str:
        """Accelerator and count, such as ``"P100 x8"``."""
        return f"{self.accelerator} x{self.count}"


@dataclass(frozen=True, slots=True)
class PublishedDevelopment:
    """A part of the development of a model.

    Args:
        id: A name for machines.
        name: For people.
        jobs: The number of its trainings.
        accelerator_hours: Their hours times accelerators.
        printed: The figures that were printed.
    """

    id: str
    name: str
    jobs: int
    accelerator_hours: float
    printed: PrintedFigures


@dataclass(frozen=True, slots=True)
class PublishedEmission:
    """A row of Table 1.

    Args:
        id: A name for machines.
        name: For people.
        printed: The pounds of CO2e that were printed.
        row: The model or the part of the development that it is the CO2e of; ``None`` for everyday things.
        equivalent: The everyday thing, by the name that :mod:`lightning_carbon.carbon.equivalents` has for it.
    """

    id: str
    name: str
    printed: PrintedFigures
    row: str | None
    equivalent: str | None


@dataclass(frozen=True, slots=True)
class PublishedMix:
    """A row of Table 2: where the electricity of a country or a cloud comes from.

    Args:
        id: A name for machines.
        name: For people.
        preset: The name of the mix in :mod:`lightning_carbon.grid.by_source`, which has the printed shares.
    """

    id: str
    name: str
    preset: str


@dataclass(frozen=True, slots=True)
class PublishedStudy:
    """The study's figures.

    Args:
        source: The short citation.
        url: Its address.
        method: Its method of pricing energy.
        search_remark: The note on its estimate of the search, shown with it everywhere.
        power_remark: The note on the hardware that its power was measured on.
        models: Its trainings.
        development_accelerator: The accelerator of the development.
        development_watts: The mean power of an accelerator during the development, without PUE.
        development_days: The days that it took.
        grid_searches: The number of searches in it.
        development: Its parts, from one training to all.
        emissions: The rows of Table 1.
        mixes: The rows of Table 2.
    """

    source: str
    url: str
    method: Method
    search_remark: str
    power_remark: str
    models: tuple[PublishedModel, ...]
    development_accelerator: str
    development_watts: float
    development_days: int
    grid_searches: int
    development: tuple[PublishedDevelopment, ...]
    emissions: tuple[PublishedEmission, ...]
    mixes: tuple[PublishedMix, ...]


@cache
def strubell2019() -> PublishedStudy:
    """Read the packaged file."""
    import json

    return study_from_mapping(json.loads(_FILE.read_text(encoding="utf-8")))


def study_from_mapping(values: Mapping[str, Any]) -> PublishedStudy:
    """Read the study from the plain values of its file.

    Args:
        values: The contents of the file.

    Raises:
        KeyError: A key is missing.
        ValueError: A printed figure cannot be read.
    """
    development = values["development"]
    return PublishedStudy(
        source=values["source"],
        url=values["url"],
        method=_method(values["method"]),
        search_remark=values["search_remark"],
        power_remark=values["power_remark"],
        models=tuple(PublishedModel(**{**model, "printed": _printed(model["printed"])}) for model in values["models"]),
        development_accelerator=development["accelerator"],
        development_watts=development["average_watts_per_accelerator"],
        development_days=development["days"],
        grid_searches=development["grid_searches"],
        development=tuple(
            PublishedDevelopment(**{**part, "printed": _printed(part["printed"])}) for part in development["rows"]
        ),
        emissions=tuple(
            PublishedEmission(
                emission["id"],
                emission["name"],
                _printed({"co2e_lbs": emission["printed"]}),
                emission.get("row"),
                emission.get("equivalent"),
            )
            for emission in values["emissions"]
        ),
        mixes=tuple(PublishedMix(**mix) for mix in values["mixes"]),
    )


def _method(values: Mapping[str, Any]) -> Method:
    pue, grid, electricity = values["pue"], values["pounds_co2e_per_kwh"], values["usd_per_kwh"]
    cloud = values["usd_per_accelerator_hour"]
    intensity = CarbonMass.from_pounds(grid["value"]).grams
    return Method(
        name=STRUBELL_2019,
        pue=PowerUsage(pue["value"], pue["value"], pue["value"], pue["source"], assumed=False),
        intensity=Intensity(
            intensity,
            intensity,
            intensity,
            grid["source"],
            grid["year"],
            grid["basis"],
            grid["region"],
            assumed=False,
        ),
        electricity=ElectricityPrice(electricity["value"], electricity["source"], electricity["year"]),
        cloud=MappingProxyType(
            {
                name: CloudPrice(low, high, cloud["source"], cloud["year"])
                for name, (low, high) in cloud["low_high"].items()
            }
        ),
    )


def _printed(values: Mapping[str, Any]) -> PrintedFigures:
    cloud = values.get("cloud_usd")
    return PrintedFigures(
        hours=_figure(values.get("hours")),
        kwh_pue=_figure(values.get("kwh_pue")),
        co2e_lbs=_figure(values.get("co2e_lbs")),
        cloud_usd=None if cloud is None else (Printed(cloud[0]), Printed(cloud[1])),
        electricity_usd=_figure(values.get("electricity_usd")),
    )


def _figure(text: str | None) -> Printed | None:
    return None if text is None else Printed(text)
