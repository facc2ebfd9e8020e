"""The packaged files are what their script makes, or say that they are kept by hand, and they are small."""

from __future__ import annotations

import csv
import importlib.util
import re
from pathlib import Path

import pytest

from lightning_carbon.grid.tables import WORLD, countries, newest_of_countries, world

ROOT = Path(__file__).parents[3]
DATA = ROOT / "lightning_carbon/grid/data"
ACCELERATORS = "accelerators.csv"


def test_every_file_is_what_the_script_makes_of_the_kept_inputs() -> None:
    """The same bytes, from the members of published packages that the repository keeps; one file is kept by hand."""
    spec = importlib.util.spec_from_file_location("build_grid", ROOT / "tools/build_grid.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made = script.tables(script.Kept())
    there = {file.name: file.read_text(encoding="utf-8") for file in DATA.iterdir()}
    by_hand = there.pop(ACCELERATORS)

    assert there == made
    assert "Kept by hand: no script can make it" in by_hand


def test_the_table_that_is_kept_by_hand_has_its_form() -> None:
    """Each accelerator has a vendor, a figure, and a source with its year and address; prices have both ends."""
    with (DATA / ACCELERATORS).open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(line for line in file if not line.startswith("#")))
    figures = [column for column in table[0] if column.endswith(("_watts", "_gigabytes", "_tflops"))]
    numbers = [*figures, "dies", "usd_low", "usd_high"]
    formless = {
        row["name"]
        for row in table
        if not all(row[column] for column in ("name", "vendor", "source"))
        or not (row["url"].startswith("https://") and re.fullmatch("20[0-9]{2}", row["year"]))
        or not any(row[column] for column in figures)
        or not all(re.fullmatch(r"\d+(?:\.\d+)?", row[column]) for column in numbers if row[column])
        or len({bool(row[column]) for column in ("usd_low", "usd_high", "price_source", "price_year")}) > 1
        or (row["usd_low"] and float(row["usd_low"]) >= float(row["usd_high"]))
        or any(word != word.strip() for word in (*row.values(), *row["aliases"].split(";")))
    }

    assert set() == formless


@pytest.mark.parametrize("name", ["countries.csv", "zones.csv", "parts.csv", "clouds.csv"])
def test_every_file_names_its_origin_date_and_licence(name: str) -> None:
    """Whoever finds a file alone can tell what it is."""
    head = "".join(
        line for line in (DATA / name).read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("#")
    )

    assert "Retrieved 2026-11-28" in head
    assert any(word in head for word in ("CC BY 4.0", "ODbL", "public domain", "Apache"))
    assert "Made by tools/build_grid.py" in head


def test_the_package_data_stays_small() -> None:
    """All files that are installed weigh less than 1.5 MB."""
    weight = sum(file.stat().st_size for file in (ROOT / "lightning_carbon").rglob("data/*") if file.is_file())

    assert weight < 1_500_000


def test_the_start_of_a_run_reads_the_same_figures_as_the_whole_table() -> None:
    """The world's factors, and the newest of each country, are those of the table that is taken apart."""
    others = [country for country in countries().values() if country.code != WORLD]

    assert countries()[WORLD] == world()
    assert tuple(sorted(country.grams[country.nearest(None)] for country in others)) == newest_of_countries()
