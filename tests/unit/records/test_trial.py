"""What is kept of a trial of a sweep: its place, its outcome and its hyperparameters, in a bounded form."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import RecordError
from lightning_carbon.records.fields import reading
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.trial import (
    MOST_PARAMETERS,
    Direction,
    SweepTrial,
    TrialState,
    outcome_from,
    outcome_mapping,
    outcome_of,
    parameters_of,
    told,
)
from tests.unit.records.samples import SMALL

PARAMETERS = st.dictionaries(st.text(max_size=9), st.none() | st.booleans() | st.integers() | st.floats() | st.text())
OUTCOMES = st.builds(
    outcome_of,
    st.none() | st.floats() | st.text(),
    objective=st.none() | st.text(max_size=300),
    state=st.none() | st.sampled_from(TrialState),
    direction=st.none() | st.sampled_from(Direction),
    parameters=PARAMETERS,
)


class Tensor:
    """Something whose text would wait for a device."""

    def __str__(self) -> str:
        """Nobody may ask for this."""
        raise AssertionError


@given(OUTCOMES)
def test_an_outcome_comes_back_from_its_file(outcome: dict[str, Any]) -> None:
    """Whatever a search tells, what is written can be read, and is the same."""
    assert outcome == outcome_from(outcome_mapping("rates", outcome))


@given(OUTCOMES, OUTCOMES)
def test_what_is_told_later_replaces_only_what_it_knows(first: dict[str, Any], second: dict[str, Any]) -> None:
    """A search that tells the state alone leaves the value."""
    assert told(SweepTrial("rates"), first | second) == told(told(SweepTrial("rates"), first), second)


def test_a_record_keeps_its_trial() -> None:
    """The trial is in the record of each of its runs."""
    record = replace(
        SMALL, trial=SweepTrial("rates", 7, None, "pruned", -0.5, "reward", "maximize", {"lr": 0.1, "n": 3})
    )

    assert record == from_mapping(to_mapping(record))


def test_hyperparameters_are_bounded() -> None:
    """A number is kept, anything else that is no text by its type, and no more than a bounded count."""
    many = {f"p{number}": number for number in range(2 * MOST_PARAMETERS)}

    assert MOST_PARAMETERS == len(parameters_of(many))
    assert {"a": "Tensor", "b": "float", "c": "x" * 200, "d": True, "e": None} == parameters_of(
        {"a": Tensor(), "b": float("inf"), "c": "x" * 999, "d": True, "e": None}
    )
    assert {} == parameters_of([("lr", 0.1)])


def test_a_value_that_is_no_number_is_left_out() -> None:
    """A diverged trial has no value, and neither has a flag."""
    assert {} == outcome_of(float("nan")) | outcome_of(True) | outcome_of("low")  # noqa: FBT003 - what a user might give


@pytest.mark.parametrize("values", [[], {}, {"sweep": "a", "state": "late"}, {"sweep": "a", "parameters": [1]}])
def test_what_is_no_outcome_is_refused(values: object) -> None:
    """Files beside a record are foreign."""
    with pytest.raises(RecordError), reading("an outcome"):
        outcome_from(values)


def test_a_trial_is_known_by_its_number_or_its_name() -> None:
    """Without either, only its run distinguishes it."""
    assert ("7", "abc", "") == (SweepTrial("s", 7, "abc").key, SweepTrial("s", name="abc").key, SweepTrial("s").key)
