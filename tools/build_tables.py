"""Rebuild the packaged table of processors from the packages that publish its figures.

    pip download --no-deps -d wheels codecarbon==3.3.2 eco2ai==0.3.12
    python tools/build_tables.py wheels

It writes ``lightning_carbon/sources/host/data/cpu_power.csv``, the same byte for byte from the same wheels and the
files in ``tools/data``, one of which ``tools/build_threads.py`` makes. Neither package is needed to run
lightning-carbon.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
import zipfile
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from lightning_carbon.sources.host.cpu_table import plain_name  # noqa: E402 (found through the line above)

CPUS = ROOT / "lightning_carbon/sources/host/data/cpu_power.csv"
FACTS = ROOT / "tools/data/cpu_facts.csv"
THREADS = ROOT / "tools/data/cpu_threads.csv"
COLLECTED = ROOT / "tools/data/cpu_threads_collected.csv"
RETRIEVED = "2026-11-22"

CPUS_HEADER = f"""\
# Rated power of one socket, in watts, and its hardware threads, by CPU model. An empty cell: no source says.
# base_watts: base (thermal design) power. max_watts: maximum turbo power, where the vendor states it beside the base.
# threads: hardware threads of a socket, where a redistributable source has them.
# source: a letter for each source, the power's first. [c] codecarbon 3.3.2, data/hardware/cpu_power.csv, MIT License,
#   Copyright (c) 2019 Mila, BCG Gamma, CometML, Haverford College, Copyright (c) 2023 Code Carbon NGO; [e] eco2ai
#   0.3.12, Apache License 2.0, data/cpu_names.csv, Copyright Vladimir Lazarev, Nikita Zakharenko, Semyon Budyonny,
#   Leonid Zhukov. Retrieved {RETRIEVED}. [f] one by one: tools/data/cpu_facts.csv has the source of each. [l] the
#   power of a listed model of the same generation and about as many cores, for a part made for one cloud. Of threads:
#   [s] SPECpower, [g] Green Algorithms, [m] machines rented whole, all in tools/data/cpu_threads.csv; [e] cores of
#   parts with one thread a core; else every collection that has the model: [h] machines of linux-hardware.org, CC BY
#   4.0, [q] Quattor's templates, Apache License 2.0, [a] AMD's list, all in tools/data/cpu_threads_collected.csv.
# Changes: names reduced to vendor, family and model; names without a model number, without a vendor or with a clock
#   in the place of a model are left out, as is a model for which one source has two powers.
# Made by tools/build_tables.py.
"""

_VENDORS = ("AMD ", "Apple ", "Intel ")
_AMD_FAMILIES = re.compile(r"(?:EPYC|Ryzen|Athlon|Opteron|Phenom|Sempron|Turion|FX|A\d{1,2})\b")
# Atoms of servers, and the second generation of Core Ultra, save its U models.
_ONE_THREAD_A_CORE = re.compile(r"Intel (?:Atom [CP]|Core Ultra \d 2\d\d(?!U))")
_CLOCK = re.compile(r"\b\d\.\d")
_POWER = re.compile(r"\d+(?:\.\d+)?")


def read(wheels: Path, package: str, member: str) -> str:
    """Read one file of one downloaded wheel."""
    (wheel,) = wheels.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(member).decode("utf-8-sig")


@dataclass(frozen=True)
class Cpu:
    """What is known of a processor.

    Args:
        name: Its plain name.
        base: Its base power in watts, as text; empty where no source says.
        most: Its maximum turbo power.
        threads: Its hardware threads.
        source: The letters of its sources.
    """

    name: str
    base: str = ""
    most: str = ""
    threads: str = ""
    source: str = ""


def cpu_power(wheels: Path) -> str:
    """Make the table of processors."""
    theirs = _eco2ai(csv.DictReader(io.StringIO(read(wheels, "eco2ai", "eco2ai/data/cpu_names.csv"))))
    ours = _powers(
        (row["Name"], row["TDP"])
        for row in csv.DictReader(io.StringIO(read(wheels, "codecarbon", "codecarbon/data/hardware/cpu_power.csv")))
    )
    cpus = dict(theirs)
    for key, (name, watts) in ours.items():
        known = theirs.get(key)
        # Where a source distinguishes base power and turbo power, a single figure cannot do better.
        if known is None or not known.most:
            threads = "" if known is None else known.threads
            cpus[key] = Cpu(name, f"{watts:g}", threads=threads, source="ce" if threads else "c")
    return with_facts(cpus)


def with_facts(cpus: dict[str, Cpu]) -> str:
    """Put the facts that were collected one by one over what packages know.

    Args:
        cpus: What packages know, by name with its case folded.
    """
    cpus = dict(cpus)
    for row in lines_of(THREADS):
        key = row["name"].casefold()
        if key not in cpus:
            raise SystemExit(f"threads are stated for {row['name']}, whose power is not known")
        cpus[key] = replace(cpus[key], threads=row["threads"], source=cpus[key].source[:1] + row["source"])
    for row in lines_of(COLLECTED):
        known = cpus.get(row["name"])
        if known is not None and not known.threads:
            cpus[row["name"]] = replace(known, threads=row["threads"], source=known.source[:1] + row["source"])
    for row in lines_of(FACTS):
        key = row["name"].casefold()
        known = cpus.get(key, Cpu(row["name"]))
        like = cpus[row["like"].casefold()] if row["like"] else None
        cpus[key] = Cpu(
            row["name"],
            row["base_watts"] or (like.base if like else known.base),
            row["max_watts"] or (like.most if like else known.most),
            row["threads"] or known.threads,
            "lf" if like else "f",
        )
    rows = [(cpu.name, cpu.base, cpu.most, cpu.threads, cpu.source) for _, cpu in sorted(cpus.items())]
    return CPUS_HEADER + _csv([("name", "base_watts", "max_watts", "threads", "source"), *rows])


def lines_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of one of our own tables, without its comments."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


def _eco2ai(rows: Iterable[dict[str, str]]) -> dict[str, Cpu]:
    """What eco2ai knows: one power or two, and cores, which are threads where a core has a single one."""
    table = list(rows)
    powers = _powers((row["Model"], row["TDP (Base)"] or row["TDP"]) for row in table)
    cpus = {key: Cpu(name, f"{watts:g}", source="e") for key, (name, watts) in powers.items()}
    for row in table:
        name = usable_name(row["Model"])
        if name is None or name.casefold() not in cpus:
            continue
        cpu = cpus[name.casefold()]
        if row["TDP (Base)"] and float(row["TDP"]) > float(row["TDP (Base)"]):
            cpu = replace(cpu, most=f"{float(row['TDP']):g}")
        if row["Cores"] and _ONE_THREAD_A_CORE.match(name):
            cpu = replace(cpu, threads=f"{float(row['Cores']):g}", source="ee")
        cpus[name.casefold()] = cpu
    return cpus


def _powers(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, float]]:
    found: defaultdict[str, dict[float, str]] = defaultdict(dict)
    for raw, watts in pairs:
        name = usable_name(raw)
        if name is not None and _POWER.fullmatch(watts) and float(watts) > 0:
            found[name.casefold()].setdefault(float(watts), name)
    # Two powers for one name: nobody knows which of them is meant.
    return {key: (next(iter(powers.values())), next(iter(powers))) for key, powers in found.items() if len(powers) == 1}


def usable_name(raw: str) -> str | None:
    """The plain name of a processor; ``None`` where it names no vendor or no model.

    Args:
        raw: The name as a source has it.
    """
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
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path, help="the folder that the wheels were downloaded to")
    wheels = parser.parse_args().wheels
    CPUS.write_text(cpu_power(wheels), encoding="utf-8")


if __name__ == "__main__":
    main()
