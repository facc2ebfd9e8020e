"""The table of modules in journals and records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.module_passes import REST, Activity, ModulePass, ModuleShare
from lightning_carbon.errors import RecordError
from lightning_carbon.records.fields import Misfit, plain, read
from lightning_carbon.records.module_table import (
    LONGEST_PATH,
    MOST_ROWS,
    ModuleRecord,
    ModulesBeat,
    ModulesRecord,
    ShareBeat,
    modules_beat,
    modules_record,
)
from lightning_carbon.records.module_words import sampled_words
from tests.unit.records.samples import FULL

PATHS = st.text(max_size=8)
ROWS = st.lists(
    st.builds(
        ShareBeat,
        st.sampled_from(ModulePass).map(str),
        PATHS,
        st.floats(0, 1),
        st.floats(0, 1),
        st.floats(0, 1),
        st.floats(0, 9),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: (row.direction, row.path),
).map(tuple)
BEATS = st.builds(ModulesBeat, st.just("Net"), st.integers(1, 99), ROWS)


@given(st.lists(st.tuples(BEATS | st.none(), st.integers(0, 10**15)), min_size=1, max_size=3), st.integers(0, 10**18))
def test_a_table_adds_up_to_the_energy_of_the_steps(told: list[tuple[ModulesBeat | None, int]], whole: int) -> None:
    """To the microjoule, of any ranks, of which some may know nothing; and it can be read again."""
    table = modules_record(told, whole)

    if table is None:
        assert all(beat is None for beat, _ in told)
    else:
        assert whole / 1e6 == pytest.approx(sum(row.joules for row in table.rows), abs=1e-6, rel=1e-12)
        assert table == read(type(table), plain(table))


def test_ranks_count_by_the_energy_of_their_steps() -> None:
    """A rank that uses three times as much decides three quarters of the shares."""
    left, right = (ModulesBeat("Net", 5, (ShareBeat("forward", path, 1.0, 0.9, 1.0, 0.1),)) for path in "ab")
    table = modules_record([(left, 30), (right, 10), (None, 60)], 100)

    assert table is not None
    assert 10 == table.sampled_steps
    assert [("a", 75e-6), ("b", 25e-6)] == [(row.path, row.joules) for row in table.rows]


def test_too_many_modules_are_the_rest_of_the_step() -> None:
    """Ranks whose modules have other names do not make a table that cannot be read."""
    beats = [
        ModulesBeat("Net", 1, tuple(ShareBeat("forward", f"{rank}.{n}", 1 / 200, 0, 1, 0) for n in range(200)))
        for rank in range(2)
    ]
    table = modules_record([(beat, 1) for beat in beats], 400_000)

    assert table is not None
    assert MOST_ROWS == len(table.rows)
    assert (REST.kind, 0.145) == (table.rows[0].direction, table.rows[0].joules)


def test_what_a_rank_tells_is_bounded() -> None:
    """Long names are cut, rounding leaves no share above the whole, and without steps nothing is told."""
    share = ModuleShare(Activity(ModulePass.FORWARD, "x" * 999), 1.0 + 1e-12, 0.5, 1.0 + 1e-12, 0.1)
    beat = modules_beat("y" * 999, 3, [share])

    assert beat is not None
    assert (LONGEST_PATH, LONGEST_PATH) == (len(beat.model), len(beat.rows[0].path))
    assert beat == read(ModulesBeat, plain(beat))
    assert modules_beat("Net", 0, []) is None


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("path", "x" * 201, "has 201 characters, where 200 may be"),
        ("path", 7, "where a text should be"),
        ("direction", "sideways", "where one of forward, backward, optimizer, rest should be"),
        ("share", 1.5, "where a figure from 0 to 1 should be"),
        ("seconds", "fast", "where a number should be"),
    ],
)
def test_a_foreign_table_is_refused_by_its_key(key: str, value: object, reason: str) -> None:
    """The reason names what is wrong."""
    row: dict[str, Any] = {"direction": "rest", "path": "", "share": 0, "low": 0, "high": 0, "seconds": 0}

    with pytest.raises(RecordError, match=reason):
        read(ModulesBeat, {"model": "Net", "sampled_steps": 1, "rows": [row | {key: value}]})


@pytest.mark.parametrize(("rows", "reason"), [([{}] * 257, "has 257 rows, where 256 may be"), ("rows", "where a list")])
def test_a_foreign_table_is_no_longer_than_ours(rows: object, reason: str) -> None:
    """However long it is, none of its rows is read."""
    with pytest.raises(Misfit, match=reason):
        read(ModulesBeat, {"model": "Net", "sampled_steps": 1, "rows": rows})


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (9.1, 10.9, ""),
        (8.9, 10.9, "; 9 of the 9 rows above 5 % may be off by more than 10 %: a longer run tells more"),
        (9.1, 11.1, "; 9 of the 9 rows above 5 % may be off by more than 10 %: a longer run tells more"),
    ],
)
def test_a_table_that_is_wide_says_so(low: float, high: float, said: str) -> None:
    """Large rows that the data hardly decide are counted, with what helps; small ones are not."""
    rows = [ModuleRecord("forward", f"block.{n}", 10.0, low, high, 0.1) for n in range(9)]
    words = sampled_words(ModulesRecord("Net", 7, (*rows, ModuleRecord("rest", "", 1.0, 0.0, 9.0, 0.1))))

    assert words.partition("division alone")[2].startswith(said)
    assert bool(said) == ("module_every" in words)


def test_a_summary_names_the_largest_and_counts_the_rest() -> None:
    """More rows than fit are found by a command."""
    rows = tuple(ModuleRecord("forward", f"block.{n}", 10.0, 8.0, 12.0, 0.1) for n in range(10))
    record = replace(FULL, modules=ModulesRecord("Net", 7, rows), step_joules=100.0)
    text = record.summary()

    assert "  block.7  forward" in text
    assert "block.8" not in text
    assert "2 more rows by `lightning-carbon runs modules`; from 7 sampled steps" in text
    assert "Module" not in replace(record, step_joules=0.0).summary()
