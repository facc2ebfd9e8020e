"""The packaged files are what their script makes, and small."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DATA = ROOT / "lightning_carbon/grid/data"


def test_every_file_is_what_the_script_makes_of_the_kept_inputs() -> None:
    """The same bytes, from the members of the published packages that the repository keeps."""
    spec = importlib.util.spec_from_file_location("build_grid", ROOT / "tools/build_grid.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made = script.tables(script.Kept())

    # accelerators.csv is no table of places: it is kept by hand, and each of its rows names its source.
    there = {file.name: file.read_text(encoding="utf-8") for file in DATA.iterdir() if file.name != "accelerators.csv"}

    assert there == made


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
