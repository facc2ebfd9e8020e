"""Files of runs from before energy was logged in pairs: what was written then is read and compared as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lightning_carbon.baseline.comparison import Verdict, compare
from lightning_carbon.baseline.costs import baseline_from, cost_of
from lightning_carbon.ledger.journals import read_journal
from lightning_carbon.ports import JournalText
from lightning_carbon.records.mapping import from_mapping
from lightning_carbon.records.merging import record_of

FORMER = Path(__file__).parents[1] / "data" / "former"
JOULES = 388.705903
JOULES_PER_STEP = 55.111146 / 8


def read(name: str) -> object:
    """A kept file."""
    return json.loads((FORMER / name).read_text(encoding="utf-8"))


def test_a_record_is_read() -> None:
    """With its energy and its steps."""
    record = from_mapping(read("record.json"))

    assert (8, "completed") == (record.steps, record.status)
    assert record.energy.total_joules == pytest.approx(JOULES, abs=1e-6)


def test_a_journal_makes_the_record_again() -> None:
    """What a rank wrote down as it went tells the same energy as the record of then."""
    first, *rest = (FORMER / "rank-00000.jsonl").read_text(encoding="utf-8").split("\n")
    text = JournalText(0, "rank-00000.jsonl", 0.0, first, tuple(rest[:-1]))
    journal = read_journal(text, "default", "20261128T114704Z-e760c0db")
    assert journal.part is not None
    record = record_of([journal.part])

    assert record.energy.total_joules == pytest.approx(JOULES, abs=1e-6)
    assert from_mapping(read("record.json")).energy.phases == pytest.approx(record.energy.phases, abs=1e-6)


def test_a_run_is_checked_against_a_baseline() -> None:
    """A step costs what it did, to the joule."""
    cost = cost_of(from_mapping(read("record.json")))
    found = compare(cost, baseline_from(read("baseline.json")), 0.1)

    assert Verdict.WITHIN is found.verdict
    assert cost.joules_per_step == pytest.approx(JOULES_PER_STEP, abs=1e-6)
