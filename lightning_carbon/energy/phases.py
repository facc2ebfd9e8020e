"""The activities of a training: its phase at a moment, and the part of a step within the phase.

Both have names: the known names below, which come first wherever phases are listed, and any others that a program uses.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MOST_NAMES: Final = 64
"""How many names of its own a run may use: every beat of its journal and every row goes through all of them."""
LONGEST_NAME_BYTES: Final = 64
"""The longest name, in UTF-8: names stand in tables, and in those of metrics."""
_BETWEEN: Final = frozenset(" .-")
"""Beside letters, digits and ``_``, what every logger takes in the name of a metric; MLflow is the strictest
(mlflow/utils/validation.py, 2024)."""


class Phase(StrEnum):
    """The known phases of a run; at every moment it is in exactly one, so their energies add up to the run's."""

    SETUP = "setup"
    """Building the model, the data and the processes, before training."""
    SANITY = "sanity"
    """The trial of the validation loop before training, which Lightning calls its sanity check."""
    TUNE = "tune"
    """The search for a learning rate or a batch size, before training."""
    TRAIN = "train"
    """Training steps, the waiting for their data included."""
    VALIDATE = "validate"
    """Evaluation during training."""
    TEST = "test"
    """Evaluation on the test set."""
    PREDICT = "predict"
    """Inference with the trained model."""
    CHECKPOINT = "checkpoint"
    """Writing the state of the training to disk."""
    OTHER = "other"
    """Everything else in a run."""


class Part(StrEnum):
    """The known parts of a phase; like phases, a run is in exactly one at every moment.

    Time that no hook marks as a part is ``other``, so the parts of a phase always add up to it.
    """

    DATA = "data"
    """Waiting for the next batch."""
    FORWARD = "forward"
    """From the batch to the loss."""
    BACKWARD = "backward"
    """From the loss to the gradients."""
    OPTIMIZER = "optimizer"
    """From the gradients to the new weights."""
    OTHER = "other"
    """Anything else, and whatever no hook marks."""


def is_name(value: object) -> TypeGuard[str]:
    """Whether a value can name a phase or a part: letters, digits, and ``_``, ``-``, ``.`` or blanks between them."""
    if isinstance(value, str) and value.isascii() and value.isidentifier():  # as nearly all names are
        return len(value) <= LONGEST_NAME_BYTES
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_NAME_BYTES
        and _BETWEEN.isdisjoint((value[0], value[-1]))
        and all(letter.isalnum() or letter == "_" or letter in _BETWEEN for letter in value)
        and len(value.encode()) <= LONGEST_NAME_BYTES
    )


def phases_in_order(names: Iterable[str]) -> list[str]:
    """The names of phases in their order, known names first."""
    listed = list(names)
    return [*filter(_PHASES.__contains__, listed), *(name for name in listed if name not in _PHASES)]


def parts_in_order(names: Collection[str]) -> list[str]:
    """The names of parts: known names in the order of a step, then the others in theirs."""
    return [*(part.value for part in Part if part in names), *(name for name in names if name not in _PARTS)]


_PHASES: Final = frozenset(Phase)
_PARTS: Final = frozenset(Part)
