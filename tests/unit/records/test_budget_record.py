"""The budget of a run, in its record and its summary."""

from __future__ import annotations

from dataclasses import replace

from lightning_carbon.records.budget_record import BudgetRecord
from lightning_carbon.records.journal import AheadBeat
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from tests.unit.records.parts import domain, part
from tests.unit.records.samples import SMALL

GPU = domain("gpu:0")


def test_the_record_has_the_budget_as_rank_0_saw_it() -> None:
    """What other ranks know of it is less."""
    first, second = (part(rank, {GPU: 5_000_000}) for rank in range(2))
    seen = AheadBeat(budget="1 kWh", budget_used_ratio=1.01, budget_stopped=True, budget_scope="lineage")
    ranks = [
        replace(second, beat=replace(second.beat, ahead=AheadBeat(budget="1 kWh"))),
        replace(first, beat=replace(first.beat, ahead=seen)),
    ]
    record = record_of(ranks)

    assert BudgetRecord("1 kWh", 1.01, stopped=True, scope="lineage") == record.budget
    assert record == from_mapping(to_mapping(record))
    assert record_of([first]).budget is None


def test_the_summary_says_what_became_of_the_budget() -> None:
    """The share that was used, where it is known, and whether the run was stopped for it."""
    used = replace(SMALL, budget=BudgetRecord("2 kWh", 1.004, stopped=True)).summary()
    every = replace(SMALL, budget=BudgetRecord("2 kWh", 0.5, scope="lineage")).summary()
    unknown = replace(SMALL, budget=BudgetRecord("2 kWh")).summary()

    assert "Budget  100.4 % of 2 kWh used, so the run was stopped" in used
    assert "Budget  50.0 % of 2 kWh used by all attempts at this training" in every
    assert "Budget  an unknown share of 2 kWh used" in unknown
    assert "Budget" not in SMALL.summary()
