"""The forms of files with carbon intensities, recognised by the names of their columns.

Known are the files of Electricity Maps' data portal, WattTime's historical MOER, ENTSO-E's generation by type (wide and
long), NESO's historic generation mix and the Carbon Intensity API's download; any other file needs a column of moments
and a column of intensities, whose names may say zone and unit.

References:
    Electricity Maps, data portal: flow-traced consumption, life-cycle factors first; ODbL
    (https://electricitymaps.com/data-portal).
    WattTime, API v3: ``co2_moer`` in lb/MWh, marginal (https://docs.watttime.org).
    ENTSO-E Transparency Platform, Actual Generation per Production Type (16.1.B&C).
    NESO, Historic GB Generation Mix (https://www.neso.energy/data-portal), and the Carbon Intensity API
    (https://carbon-intensity.github.io/api-definitions): times in UTC; direct emissions of generation, with imports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from lightning_carbon.carbon.intensity import AVERAGE, MARGINAL
from lightning_carbon.grid.by_source import SOURCES
from lightning_carbon.grid.stamps import ZoneMeaning
from lightning_carbon.units import GRAMS_PER_KILOGRAM, GRAMS_PER_POUND, GRAMS_PER_TONNE, KILO, MILLIGRAMS_PER_GRAM
from lightning_carbon.values import dataclass, field

_FUELS: Final[Mapping[str, str]] = {
    "biomass": "biomass",
    "fossil brown coal/lignite": "coal",
    "fossil hard coal": "coal",
    "fossil gas": "gas",
    "geothermal": "geothermal",
    "hydro run-of-river and poundage": "hydro",
    "hydro water reservoir": "hydro",
    "nuclear": "nuclear",
    "solar": "solar",
    "wind offshore": "offshore wind",
    "wind onshore": "wind",
}
FUELS: Final[Mapping[str, float]] = {fuel: SOURCES[source].median for fuel, source in _FUELS.items()}
"""The life-cycle medians of the types of ENTSO-E that have one, in gCO2e/kWh. Oil, waste, peat, coal gas and others
have none; storage was counted when it was charged."""
STORAGE: Final = "hydro pumped storage"

_GENERATED: Final = re.compile(r"(?P<fuel>.+?)\s*- actual aggregated \[mw\]")
_UNIT: Final = re.compile(
    r"(?<![a-z])(?P<mass>pounds?|lbs?|kg|mg|grams?|g|tonnes?|t)\s?(?:co2\w*|of co2\w*)?\s?(?:/|per)\s?(?P<size>[km])wh"
)
_GRAMS: Final[Mapping[str, float]] = {
    "mg": 1 / MILLIGRAMS_PER_GRAM,
    "g": 1.0,
    "gram": 1.0,
    "grams": 1.0,
    "kg": GRAMS_PER_KILOGRAM,
    "t": GRAMS_PER_TONNE,
    "tonne": GRAMS_PER_TONNE,
    "tonnes": GRAMS_PER_TONNE,
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), GRAMS_PER_POUND),
}
_TIMES: Final = re.compile(
    r"(?:timestamp|datetime|date time|date|time|point time|start|start time|from|period start|utc|unix)"
    r"(?: ?\(?(?P<zone>utc|gmt|unix|s)\)?)?"
)
_VALUES: Final = re.compile(
    r"(?:.*carbon ?intensity.*|(?:average |actual |mean |grid )?(?:intensity|co2e?|emissions?|moer|value)(?: actual)?)"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The meaning of the columns of a file.

    Args:
        name: The publisher, for people; empty where the form is nobody's in particular.
        moment: The place of the moments.
        zone: The meaning of a moment without a zone.
        value: The place of the intensities; ``None`` where they follow from generation by fuel.
        factor: The size of a unit of the intensities, in gCO2e/kWh.
        has_unit: Whether the file, or its publisher, says the unit.
        area: The place of the zone of the grid; ``None`` where there is no such column.
        mix: The places of the generation of each fuel, with the fuel's name.
        fuel: The place of the fuel's name, where a row has a single fuel.
        generated: The place of the generation, where a row has a single fuel.
        basis: The emissions counted.
        signal: ``"average"`` or ``"marginal"``.
        licence: The licence of the data.
        notes: What is to be known of the form, in sentences.
    """

    name: str
    moment: int
    zone: ZoneMeaning
    value: int | None = None
    factor: float = 1.0
    has_unit: bool = True
    area: int | None = None
    mix: Mapping[int, str] = field(default_factory=dict)
    fuel: int | None = None
    generated: int | None = None
    basis: str = "as given"
    signal: str = AVERAGE
    licence: str = ""
    notes: tuple[str, ...] = ()


def layout_of(head: Sequence[str]) -> Layout | str:
    """Recognise a file by the names of its columns.

    Args:
        head: The names of the columns.

    Returns:
        Its layout, or why there is none, as a sentence with the fix.
    """
    names = [_plain(name) for name in head]
    known = _entsoe(names) or _electricity_maps(names) or _watttime(names) or _great_britain(names)
    return known or _any_form(head, names)


def fuel_of(name: str) -> str:
    """The name of a fuel as :data:`FUELS` has it."""
    return " ".join(name.lower().split())


def _plain(name: str) -> str:
    """A column's name in plain letters: no case, underscores, subscripts or doubled spaces."""
    lower = name.lower().replace("\N{SUBSCRIPT TWO}", "2").replace("_", " ")
    return " ".join("".join(letter for letter in lower if letter.isascii()).split()).replace("gcoeq", "gco2eq")


def _at(names: Sequence[str], *wanted: str) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _electricity_maps(names: Sequence[str]) -> Layout | None:
    moment = _at(names, "datetime (utc)")
    life_cycle = _at(
        names,
        "carbon intensity gco2eq/kwh (life cycle)",
        "carbon intensity gco2eq/kwh (lca)",
        "carbon intensity gco2eq/kwh (life cycle assessment)",
    )
    direct = _at(names, "carbon intensity gco2eq/kwh (direct)")
    value = direct if life_cycle is None else life_cycle
    if moment is None or value is None:
        return None
    basis = "direct, consumption" if life_cycle is None else "life-cycle, consumption"
    area = _at(names, "zone id")
    return Layout("Electricity Maps", moment, ZoneMeaning.UTC, value, area=area, basis=basis, licence="ODbL-1.0")


def _watttime(names: Sequence[str]) -> Layout | None:
    moment, value = _at(names, "timestamp", "point time"), _at(names, "moer")
    if value is None and "point time" in names:
        value = _at(names, "value")
    if moment is None or value is None:
        return None
    pounds = GRAMS_PER_POUND / KILO
    note = "read as lb/MWh, the unit of WattTime's MOER"
    return Layout(
        *("WattTime", moment, ZoneMeaning.UTC, value),
        factor=pounds,
        area=_at(names, "region", "ba"),
        basis="direct, marginal",
        signal=MARGINAL,
        notes=(note,),
    )


def _great_britain(names: Sequence[str]) -> Layout | None:
    mix, actual = _at(names, "carbon intensity"), _at(names, "actual carbon intensity (gco2/kwh)", "actual")
    moment = _at(names, "datetime", "datetime (utc)", "from")
    basis = "direct, consumption"
    if moment is None:
        return None
    if mix is not None and "generation" in names:
        return Layout("NESO", moment, ZoneMeaning.UTC, mix, basis=basis)
    if actual is not None and "index" in names:
        return Layout("Carbon Intensity API, NESO", moment, ZoneMeaning.UTC, actual, basis=basis)
    return None


def _entsoe(names: Sequence[str]) -> Layout | None:
    moment = next((place for place, name in enumerate(names) if name.startswith("mtu")), None)
    if moment is None:
        return None
    zone = ZoneMeaning.UTC if "utc" in names[moment] else ZoneMeaning.CENTRAL_EUROPE
    mix = {
        place: fuel_of(found["fuel"])
        for place, name in enumerate(names)
        if (found := _GENERATED.fullmatch(name)) is not None
    }
    fuel, generated = _at(names, "production type"), _at(names, "generation (mw)", "actual generation (mw)")
    if not mix and (fuel is None or generated is None):
        return None
    return Layout(
        *("ENTSO-E", moment, zone),
        area=_at(names, "area"),
        mix=mix,
        fuel=fuel,
        generated=generated,
        basis="life-cycle, generation",
        licence="ENTSO-E's terms of re-use",
        notes=("intensities are the mean of the IPCC's life-cycle medians (AR5, 2014) over the generation",),
    )


def _any_form(head: Sequence[str], names: Sequence[str]) -> Layout | str:
    shown = ", ".join(repr(name) for name in head[:_MOST_SHOWN])
    moments = [place for place, name in enumerate(names) if _TIMES.fullmatch(name)]
    if not moments:
        return f"no column of moments among {shown}; name one 'timestamp', with moments such as 2025-01-31T13:00+01:00."
    moment = moments[0]
    stamp = _TIMES.fullmatch(names[moment])
    zone = ZoneMeaning.UTC if stamp is not None and stamp["zone"] in {"utc", "gmt"} else ZoneMeaning.NONE
    values = [place for place, name in enumerate(names) if place != moment and _UNIT.search(name)]
    values = values or [place for place, name in enumerate(names) if place != moment and _VALUES.fullmatch(name)]
    if len(values) > 1:
        many = " and ".join(repr(head[place]) for place in values)
        return f"{many} may both be meant; leave a single column of intensities, such as 'gCO2e/kWh'."
    if not values:
        return f"no column of intensities among {shown}; name one 'gCO2e/kWh'."
    unit = _UNIT.search(names[values[0]])
    factor = 1.0 if unit is None else _GRAMS[unit["mass"]] / (KILO if unit["size"] == "m" else 1)
    area = _at(names, "zone", "zone id", "region", "area")
    return Layout("", moment, zone, values[0], factor=factor, has_unit=unit is not None, area=area)


_MOST_SHOWN: Final = 6
