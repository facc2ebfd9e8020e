"""Finding runs in a ledger."""

from __future__ import annotations

import json
from dataclasses import replace
from math import hypot, sqrt
from pathlib import Path

import pytest

from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.filters import RunFilter
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.run import RunRecord
from tests.integration.ledger.support import Reader
from tests.unit.records.samples import FULL, NOTHING, SMALL

RUNS = (
    replace(FULL, run_id="20261121T101112Z-3fa20000", project="lisa", run_name="baseline"),
    replace(FULL, run_id="20261121T101112Z-3fa3ffff", project="bert", run_name="wide"),
    replace(NOTHING, run_id="20261120T080000Z-00000000", project="lisa", run_name="wide"),
    replace(FULL, run_id="20261123T000000Z-11111111", project="lisa", run_name=None),
)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """A ledger with some runs, and with things that are none."""
    store = DirectoryRunStore(tmp_path)
    for record in RUNS:
        store.save(to_mapping(record))
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "lisa" / "notes.txt").write_text("mine")
    (tmp_path / "lisa" / "empty").mkdir()
    (tmp_path / ".hidden" / "run").mkdir(parents=True)
    return Reader(tmp_path)


def ids(records: object) -> list[str]:
    """The last letters of their ids."""
    return [record.run_id[-4:] for record in records if isinstance(record, RunRecord)]  # type: ignore[attr-defined]


def test_runs_are_listed_by_age_across_projects(reader: Reader, tmp_path: Path) -> None:
    """The newest last; what is no run is passed over in silence."""
    assert ["0000", "0000", "ffff", "1111"] == ids(reader.ledger.runs())
    assert ["0000", "0000", "1111"] == ids(reader.ledger.runs("lisa"))
    assert ["ffff", "1111"] == ids(reader.ledger.runs(limit=2))
    assert [] == ids(reader.ledger.runs("none")) == ids(Reader(tmp_path / "none").ledger.runs())
    assert [] == reader.said


def test_a_record_comes_back_as_it_was_written(reader: Reader, tmp_path: Path) -> None:
    """With the place where it lies."""
    first = RUNS[2]
    path = tmp_path / "lisa" / first.run_id / "record.json"

    assert replace(first, location=str(path)) == next(reader.ledger.runs())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20261121T101112Z-3fa20000", "3fa20000"),
        ("20261121T101112Z-3fa2", "3fa20000"),
        ("20261123", "11111111"),
        ("baseline", "3fa20000"),
    ],
)
def test_a_run_is_found_by_what_tells_it_from_others(reader: Reader, text: str, found: str) -> None:
    """Its id, the beginning of it, or its name."""
    assert found == reader.ledger.find(text).run_id[-8:]


def test_a_project_tells_apart_what_is_called_the_same(reader: Reader) -> None:
    """Names and beginnings need to be unique in the project only."""
    assert "ffff" == reader.ledger.find("wide", "bert").run_id[-4:]
    assert "ffff" == reader.ledger.find("20261121", "bert").run_id[-4:]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026112", "4 runs begin so: .*11111111 .lisa.; give more of the id"),
        ("wide", "2 runs have that name: 20261120T080000Z-00000000 .lisa., .*3fa3ffff .bert."),
        ("nobody", "no run in .* has that id or name"),
        ("", "no run in .* has that id or name"),
        ("../lisa", "no run in .* has that id or name"),
        ("empty", "has no record that can be read"),
    ],
)
def test_what_does_not_tell_one_run_is_an_error_that_says_which(reader: Reader, text: str, said: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ConfigError, match=said):
        reader.ledger.find(text)


def test_of_many_runs_that_begin_so_the_newest_are_named(tmp_path: Path) -> None:
    """A line stays a line."""
    for number in range(50):
        DirectoryRunStore(tmp_path).save(to_mapping(replace(FULL, run_id=f"2026-{number:02}")))

    with pytest.raises(ConfigError, match=r"50 runs begin so: 2026-45 .*2026-49 \(lisa\) and 45 more; "):
        Reader(tmp_path).ledger.find("2026")


def test_a_folder_in_the_place_of_a_record_is_told(reader: Reader, tmp_path: Path) -> None:
    """Everything else is listed."""
    (tmp_path / "lisa" / "odd" / "record.json").mkdir(parents=True)

    assert 4 == len(ids(reader.ledger.runs()))
    assert ["it cannot be read"] == [line.split(": ")[1] for line in reader.said]


def test_a_record_with_values_of_the_wrong_kind_is_told(reader: Reader, tmp_path: Path) -> None:
    """It has all keys, and is no record all the same."""
    folder = tmp_path / "lisa" / "odd"
    folder.mkdir()
    (folder / "record.json").write_text(json.dumps(to_mapping(FULL) | {"status": ["completed"]}))

    assert 4 == len(ids(reader.ledger.runs()))
    assert 1 == len(reader.said)


def test_a_sum_has_an_interval_where_all_of_its_runs_have_one(tmp_path: Path) -> None:
    """What errs together adds up, the rest in squares, divided or not; a run that goes on leaves the bounds."""
    store, reader = DirectoryRunStore(tmp_path), Reader(tmp_path)
    for number in range(2):
        store.save(to_mapping(replace(FULL, run_id=f"2026112{number}T000000Z-a")))
    store.save(to_mapping(replace(NOTHING, run_id="20261123T000000Z-c", project=FULL.project)))
    twice = reader.ledger.sums(RunFilter())
    by_gpu = {part.name: part for part in reader.ledger.sums(RunFilter(), "gpu").parts}
    store.save(to_mapping(replace(SMALL, run_id="20261124T000000Z-d", project=FULL.project)))
    going_on = reader.ledger.sums(RunFilter())
    assert twice.whole is not None
    assert twice.whole.interval is not None
    assert twice.whole.mass_interval is not None
    assert going_on.whole is not None
    share = FULL.energy.domains[0].joules / (FULL.energy.total_joules or 1.0)
    gpu = by_gpu[next(name for name in by_gpu if "H100" in name)]

    assert 2 * 16_815.2 - hypot(2 * 1_000, sqrt(2) * 1_393.5) == pytest.approx(twice.whole.interval.low)
    assert 2 * 16_815.2 + hypot(2 * 1_000, sqrt(2) * 1_355.9) == pytest.approx(twice.whole.interval.high)
    assert [2 * (3.404 - 3.194), 2 * (3.404 + 4.716)] == pytest.approx(
        [twice.whole.mass_interval.low, twice.whole.mass_interval.high]
    )
    assert gpu.interval is not None
    assert share * (twice.whole.interval.high - twice.whole.interval.low) == pytest.approx(
        gpu.interval.high - gpu.interval.low
    )
    assert (None, None) == (going_on.whole.interval, going_on.whole.mass_interval)
