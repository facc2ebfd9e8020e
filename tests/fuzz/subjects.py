"""What is read of each sort of file, and all that is made of it once it is read."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from lightning_carbon.baseline.comparison import compare
from lightning_carbon.baseline.costs import baseline_from, cost_of
from lightning_carbon.cli.check.checking import comparison_markdown, comparison_text
from lightning_carbon.errors import ConfigError, RecordError
from lightning_carbon.ledger.files import parse_json, to_json
from lightning_carbon.ledger.journals import read_journal
from lightning_carbon.ports import JournalText
from lightning_carbon.records.course import course_mapping, course_of
from lightning_carbon.records.lineage import checkpoint_mapping, checkpoint_of, resumed_at
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.totals import Totals
from lightning_carbon.study.development.jobs import job_of
from lightning_carbon.study.measured.measurement import from_mapping as measurement_from
from lightning_carbon.study.measured.measurement import to_mapping as measurement_mapping
from lightning_carbon.study.measured.table import component_sheet
from tests import corpus
from tests.unit.records.test_course import COURSE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.records.run import RunRecord


def use_record(data: bytes) -> None:
    """Show a record, hold it against itself, and add it to a development."""
    _use(from_mapping(parse_json(data)))


def use_journal(data: bytes) -> None:
    """Make a record of a rank, alone and beside a good one."""
    first, *rest = data.decode("utf-8", "replace").split("\n")
    text = JournalText(0, "rank", 0.0, first, tuple(rest[:-1]))
    part = read_journal(text, corpus.PROJECT, corpus.GOOD).part
    if part is not None:
        _use(record_of([part]))
        _use(record_of([part, corpus.rank(number=1)]))


def use_measurement(data: bytes) -> None:
    """Show a measurement."""
    measurement = measurement_from(parse_json(data))
    to_json(measurement_mapping(measurement))
    component_sheet(measurement)


def use_baseline(data: bytes) -> None:
    """Hold a good run against a baseline."""
    baseline = baseline_from(parse_json(data))
    try:
        found = compare(cost_of(corpus.record()), baseline, 0.1)
    except ConfigError:
        return  # it is of other work
    to_json(found.as_mapping())
    assert comparison_text(found)
    assert comparison_markdown(found)


def use_checkpoint(data: bytes) -> None:
    """Go on from a checkpoint."""
    try:
        state = json.loads(data)  # NaN and all: what torch loads is no text
    except ValueError:
        return
    checkpoint = checkpoint_of(state)
    resumed_at(checkpoint, corpus.GOOD, Totals(1, 1.0, 1))
    to_json(checkpoint_mapping(checkpoint))


def use_course(data: bytes) -> None:
    """Go on with a course, and keep it again."""
    course = course_of(parse_json(data))
    again = course_mapping(course.followed_by(course.profile))
    to_json(again)
    assert len(course.profile.bands) >= bool(course.profile.bands)


def _use(record: RunRecord) -> None:
    to_json(to_mapping(record))
    assert record.summary()
    with suppress(ConfigError):
        cost_of(record)
    job_of(record)


SUBJECTS: Final[dict[str, tuple[bytes, Callable[[bytes], None]]]] = {
    "records": (corpus.compact(to_mapping(corpus.record())).encode(), use_record),
    "journals": (("\n".join(corpus.journal()) + "\n").encode(), use_journal),
    "measurements": (corpus.compact(corpus.measurement()).encode(), use_measurement),
    "baselines": (corpus.compact(corpus.baseline()).encode(), use_baseline),
    "courses": (corpus.compact(course_mapping(COURSE)).encode(), use_course),
    "checkpoints": (corpus.compact(corpus.checkpoint()).encode(), use_checkpoint),
}
"""Of each sort a good file, and what is done with one."""

ODD: Final[list[Any]] = [
    None, True, False, 0, -1, 1, 1.5, -0.5, 2**31, 2**63, 10**30, 1e-300, 1e18, 1e300, float("inf"), float("nan"),
    "", "1", "3e9", "nan", "..", "../x", "a/b", "\x00", "\x1b[2J", "[/x]", "\ud800", "2026-01-01", "running", "gpu",
    [], [[]], {}, {"a": 1},
]  # fmt: skip
"""Values that readers have stumbled on."""

values = st.sampled_from(ODD).map(deepcopy) | st.integers() | st.floats() | st.text(max_size=20)


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file with some of its values changed, or some of its bytes."""
    lines = good.decode().splitlines()
    documents = [json.loads(line) for line in lines]
    for _ in range(draw(st.integers(0, 3))):
        _change(draw, draw(st.sampled_from(documents)))
    data = "\n".join(corpus.compact(document) for document in documents).encode() + b"\n" * (len(lines) > 1)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 20))
        data = data[:at] + draw(st.binary(max_size=8)) + data[at + cut :]
    return data


def _change(draw: st.DrawFn, document: Any) -> None:  # noqa: ANN401 - whatever JSON has
    """Change or remove a value somewhere in a document."""
    while isinstance(document, dict | list) and document:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = draw(st.sampled_from(keys))
        inner = document[key]
        if isinstance(inner, dict | list) and inner and draw(st.integers(0, 4)):
            document = inner
            continue
        if draw(st.integers(0, 4)):
            document[key] = draw(values)
        else:
            del document[key]
        return


def reads_well(kind: str, data: bytes) -> None:
    """Read a file and use it; what cannot be read is refused with the reason.

    Raises:
        Exception: Anything else, which is a fault of a reader or of what trusts it.
    """
    with suppress(RecordError):
        SUBJECTS[kind][1](data)
