"""Names of phases and parts that others have written, and those of many ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.phases import MOST_NAMES, Part, Phase
from lightning_carbon.errors import RecordError
from lightning_carbon.records.journal import (
    PartBeat,
    PhaseBeat,
    RankPart,
    beat_mapping,
    header_mapping,
    part_of,
)
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.names import MOST_READ
from tests.unit.records.parts import domain, part

GPU = domain("gpu:0")


def with_phases(rank: int, uj: Mapping[str, int], parts: Mapping[str, Mapping[str, int]] | None = None) -> RankPart:
    """A rank that has been in these phases, and in these parts of them."""
    known = part(rank, {domain(f"gpu:{rank}"): 0}, world=2)
    beat = replace(
        known.beat,
        ns=sum(uj.values()),
        phases={name: PhaseBeat(used, (used,), (used,)) for name, used in uj.items()},
        parts={
            phase: {name: PartBeat(used, (used,)) for name, used in told.items()}
            for phase, told in (parts or {}).items()
        },
    )
    return RankPart(known.header, beat)


def read_again(told: RankPart) -> RankPart:
    """What is read of what a rank has written."""
    return part_of(header_mapping(told.header), beat_mapping(told.beat))


def test_names_of_a_program_are_read_again() -> None:
    """Of phases and of their parts."""
    told = with_phases(0, {"train": 1, "rollout": 2}, {"rollout": {"generate": 2}})

    assert told == read_again(told)


@pytest.mark.parametrize("name", ["", "a\x1b[2J", ".hidden", "a/b", "x" * 65])
@pytest.mark.parametrize("where", ["phases", "parts", "a part"])
def test_a_foreign_journal_has_no_other_names(name: str, where: str) -> None:
    """The beat is refused, with the place."""
    beats: dict[str, dict[str, Any]] = {
        "phases": {"phases": {name: PhaseBeat(1, (1,), (1,))}},
        "parts": {"parts": {name: {"data": PartBeat(1, (1,))}}},
        "a part": {"parts": {"train": {name: PartBeat(1, (1,))}}},
    }
    known = part(0, {GPU: 1})

    with pytest.raises(
        RecordError, match=r"not a journal of a run: (phases|parts)(\.train)? has a key that is no name"
    ):
        read_again(RankPart(known.header, replace(known.beat, **beats[where])))


def test_a_foreign_journal_has_no_more_names_than_so_many() -> None:
    """Whoever wrote it."""
    told = with_phases(0, {f"p{number}": 1 for number in range(MOST_READ + 1)})

    with pytest.raises(RecordError, match=f"phases has {MOST_READ + 1} names, where {MOST_READ} may be"):
        read_again(told)


def test_ranks_together_have_no_more_names_than_one_may_have() -> None:
    """What is beyond counts to other, in phases, parts and seconds, and all of it is there."""
    first = with_phases(0, {f"a{number}": 1_000 for number in range(MOST_NAMES - 1)} | {"other": 1_000})
    second = with_phases(
        1,
        {"train": 1_000, "b0": 1_000, "b1": 2_000, "b2": 3_000},
        {"b1": {"generate": 500, "forward": 500, "other": 1_000}, "train": {"forward": 1_000}},
    )
    record = record_of([first, second])

    assert MOST_NAMES + 2 == len(record.energy.phases)
    assert ["other", "train", "a0"] == [*record.energy.phases][:3]
    assert 0.006 == pytest.approx(record.energy.phases["other"], abs=1e-9)
    assert record.energy.total_joules == pytest.approx(0.071, abs=1e-9)
    assert {"forward": 0.0005, "other": pytest.approx(0.0055, abs=1e-9)} == record.energy.parts["other"]
    assert {"train": 0.001, "b0": 0.001, "other": 0.005} == record.energy.domains[1].phases


names = st.sampled_from([*Phase, *(f"own {number}" for number in range(2 * MOST_NAMES))]).map(str)
of_parts = st.sampled_from([*Part, *(f"own {number}" for number in range(2 * MOST_NAMES))]).map(str)


@given(
    st.lists(
        st.dictionaries(names, st.dictionaries(of_parts, st.integers(1, 10**9)), max_size=100), min_size=1, max_size=3
    )
)
def test_no_energy_is_lost_to_the_bounds(ranks: list[dict[str, dict[str, int]]]) -> None:
    """However many names ranks use, phases add up to the run, parts to the phase, and no bound is passed."""
    told = [
        with_phases(
            rank,
            {phase: sum(parts.values()) or 1 for phase, parts in phases.items()},
            {phase: parts for phase, parts in phases.items() if parts},
        )
        for rank, phases in enumerate(ranks)
    ]
    energy = record_of(told).energy

    assert sum(beat.beat.uj(0) for beat in told) == round(sum(energy.phases.values()) * 1e6)
    for phase, parts in energy.parts.items():
        assert sum(parts.values()) == energy.phases[phase]
    for kind, known in ((Phase, energy.phases), *((Part, parts) for parts in energy.parts.values())):
        assert MOST_NAMES >= len([name for name in known if name not in frozenset(kind)])
