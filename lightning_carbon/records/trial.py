"""A run as a trial of a sweep: which trial it is, how it went, and what came of it. Pure."""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.records.fields import MOST, SIGNED, Misfit, mapping, one_of, plain, read, read_by, text
from lightning_carbon.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

Parameter = str | float | bool | None
"""A hyperparameter, as JSON has it."""

MOST_PARAMETERS: Final = 64
"""The most hyperparameters of a trial that are kept, in their order."""
_LONGEST: Final = 200
"""The most characters of a name or a value that are kept."""


class TrialState(StrEnum):
    """The state of a trial, as the search tells it."""

    COMPLETE = "complete"
    """The trial ended, with a value."""
    PRUNED = "pruned"
    """The search ended the trial, as others promised more."""
    FAILED = "failed"
    """An error ended the trial, or it gave no value."""


class Direction(StrEnum):
    """The direction in which a value is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


def parameters_of(values: object) -> dict[str, Parameter]:
    """The hyperparameters in any mapping, in a bounded number: texts and finite numbers, else the name of a type.

    Args:
        values: What the search suggested; anything but a mapping has none.
    """
    try:
        named = [*mapping(values).items()][:MOST_PARAMETERS]
    except Misfit:
        return {}
    return {_short(str(name)): _plain_parameter(value) for name, value in named}


def _plain_parameter(value: object) -> Parameter:
    # Nothing else is asked for its text, which may be long, or wait for a device.
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and isfinite(value) and abs(value) <= MOST:
        return int(value) if isinstance(value, int) else float(value)
    return _short(value) if isinstance(value, str) else type(value).__name__


def _short(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:_LONGEST]


def _read_parameters(value: object) -> dict[str, Parameter]:
    return parameters_of({text(name): found for name, found in mapping(value).items()})


@dataclass(frozen=True, slots=True)
class SweepTrial:
    """A trial of a sweep, which may take several runs, such as a training and its evaluation.

    Args:
        sweep: The name of the sweep.
        number: The number of the trial in the sweep; ``None`` where the search gives none.
        name: The name of the trial in the search, where it has one.
        state: The state, as the search tells it: complete, pruned or failed; ``None`` where it has told nothing.
        value: The value of the objective; ``None`` where none is known.
        objective: The name of the objective, where it is known.
        direction: The direction in which a value is better, ``minimize`` or ``maximize``, where it is known.
        parameters: The hyperparameters, where they are known.
    """

    sweep: str
    number: int | None = None
    name: str | None = None
    state: str | None = field(default=None, metadata=one_of(TrialState))
    value: float | None = field(default=None, metadata=SIGNED)
    objective: str | None = None
    direction: str | None = field(default=None, metadata=one_of(Direction))
    parameters: dict[str, Parameter] = field(default_factory=dict, metadata=read_by(_read_parameters))

    @property
    def key(self) -> str:
        """The trial among those of its sweep; empty where its run is all that distinguishes it."""
        return str(self.number) if self.number is not None else self.name or ""


def told(trial: SweepTrial, outcome: Mapping[str, Any]) -> SweepTrial:
    """The trial with what became of it; what is not known of that stays.

    Args:
        trial: The trial.
        outcome: Fields of a trial, by name.
    """
    return replace(trial, **{name: value for name, value in outcome.items() if value is not None})


def outcome_of(
    value: object = None,
    *,
    objective: str | None = None,
    state: str | None = None,
    direction: str | None = None,
    parameters: object = None,
) -> dict[str, Any]:
    """What became of a trial, as the fields that are known and can be written down.

    Args:
        value: The value of the objective; anything but a finite number is left out.
        objective: Its name.
        state: The state of the trial.
        direction: The direction in which a value is better.
        parameters: The hyperparameters.
    """
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    is_fine = number is not None and isfinite(number) and abs(number) <= MOST
    found = {
        "value": float(number) if number is not None and is_fine else None,
        "objective": None if objective is None else _short(objective),
        "state": None if state is None else TrialState(state).value,
        "direction": None if direction is None else Direction(direction).value,
        "parameters": parameters_of(parameters) or None,
    }
    return {name: known for name, known in found.items() if known is not None}


def outcome_mapping(sweep: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a trial as plain values, for the file beside the record."""
    values: dict[str, Any] = plain(told(SweepTrial(sweep), outcome))
    return values


def outcome_from(values: object) -> dict[str, Any]:
    """Read what became of a trial.

    Raises:
        Misfit: It is something else.
    """
    found = read(SweepTrial, values)
    return outcome_of(
        found.value,
        objective=found.objective,
        state=found.state,
        direction=found.direction,
        parameters=found.parameters,
    )
