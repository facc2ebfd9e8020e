"""Every kept bad file through the reader of its sort: a value, or one error that says why, and never another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.baseline.costs import baseline_from
from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.files import parse_json
from lightning_carbon.ledger.journals import read_journal
from lightning_carbon.ports import JournalText
from lightning_carbon.records.lineage import checkpoint_of
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.study.measured.measurement import from_mapping as measurement_from
from tests import corpus
from tests.fuzz.subjects import SUBJECTS, damaged, reads_well
from tests.unit.metering.worlds import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.linux  # some of the files are links and FIFOs

READERS: dict[str, Callable[[object], object]] = {
    "records": from_mapping,
    "measurements": measurement_from,
    "baselines": baseline_from,
    "checkpoints": checkpoint_of,
}


def kept(*kinds: str) -> list[object]:
    """The kept files of some sorts, as parameters."""
    return [pytest.param(kind, path, id=path.stem) for kind in kinds for path in corpus.files(kind)]


def text_of(path: Path) -> JournalText:
    """A kept journal, as a store has it."""
    first, *rest = path.read_bytes().decode("utf-8", "replace").split("\n")
    return JournalText(0, path.name, 0.0, first, tuple(rest[:-1]))


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("records", to_mapping(corpus.record())),
        ("measurements", corpus.measurement()),
        ("baselines", corpus.baseline()),
        ("checkpoints", corpus.checkpoint()),
    ],
)
def test_what_the_corpus_was_made_of_is_read(kind: str, good: object) -> None:
    """What the bad files differ from is as it should be."""
    assert READERS[kind](parse_json(corpus.compact(good)))


@pytest.mark.parametrize(("kind", "path"), kept(*READERS))
def test_what_is_wrong_is_refused_with_the_reason(kind: str, path: Path) -> None:
    """In one line; what was found by chance may be right, and its use wrong."""
    reads_well(kind, path.read_bytes())
    if "-found-" in path.stem:
        return
    with pytest.raises(RecordError) as caught:
        READERS[kind](parse_json(path.read_bytes()))

    assert str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", SUBJECTS)
@given(data=st.data())
def test_a_file_that_is_changed_at_random_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    """And what is made of one that is read raises nothing, either."""
    reads_well(kind, data.draw(damaged(SUBJECTS[kind][0])))


@pytest.mark.parametrize(("kind", "path"), kept("journals"))
def test_a_journal_is_a_part_or_the_reason_why_not(kind: str, path: Path) -> None:
    """A last line that is garbage costs that line alone."""
    reads_well(kind, path.read_bytes())
    if "-found-" in path.stem:
        return
    found = read_journal(text_of(path), corpus.PROJECT, path.stem)

    assert found.trouble
    assert (found.part == corpus.rank(path.stem)) is path.stem.startswith("journal-last")
    assert found.part is None or "one before it counts" in found.trouble


@pytest.mark.parametrize(("kind", "path"), kept("checkpoints"))
def test_a_checkpoint_that_cannot_be_used_costs_its_totals_alone(kind: str, path: Path) -> None:
    """The run goes on, ends well, and says so once."""
    del kind
    world = World()
    with world.engine as meter:
        meter.load_state_dict(json.loads(path.read_bytes()))
        world.steps(2)

    assert ("completed", None, 20.0) == (meter.record.status, meter.record.origin, meter.record.energy.total_joules)
