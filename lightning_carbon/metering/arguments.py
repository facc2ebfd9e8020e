"""The arguments of the meter's verbs: phases, parts, statuses and counts; and the status after an exception."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, SupportsInt, TypeVar

from lightning_carbon.energy.phases import Phase
from lightning_carbon.errors import BudgetReached, ConfigError
from lightning_carbon.records.run import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.settings import MeterConfig

Word = TypeVar("Word", bound=StrEnum)

MOST_COUNTED: Final = 10**15
"""More samples or tokens than a step can have; from 2**53 on, a float could not count one more."""

_ROLE: Final = "rollout"
"""The role of a process that joins a run and says nothing else."""
_PRUNED = "TrialPruned"
"""The exception with which Optuna ends a trial (``optuna.TrialPruned``); it need not be installed."""


def word_of(kind: type[Word], argument: str, word: Word | str) -> Word:
    """Check a word that must be one of a few.

    Args:
        kind: The enumeration of the words.
        argument: The name of the argument.
        word: The word.

    Raises:
        ConfigError: It is not one of them.
    """
    try:
        return kind(word)
    except ValueError:
        raise ConfigError(argument, word, f"give one of {', '.join(kind)}.") from None


def count_of(value: object) -> int | None:
    """A count of samples or tokens; ``None`` if it is not whole, negative, or more than a step can have."""
    from numbers import Integral

    # Not anything with an index: reading that of a tensor would wait for its device.
    is_whole = isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
    if not is_whole or not isinstance(value, SupportsInt):
        return None
    count = int(value)
    return count if 0 <= count <= MOST_COUNTED else None


def counted(name: str, value: object, warn: Callable[[str, str], None]) -> int | None:
    """A count that is no plain number in range, if it can be counted all the same.

    Args:
        name: What is counted.
        value: What the user gave.
        warn: Told where it cannot: a key and a message.
    """
    count = count_of(value)
    if count is None:
        warn(f"count {name}", f"step_done({name}={value!r}) is no number of {name}, and is not counted")
    return count


def status_of(error: type[BaseException] | None) -> Status:
    """The status of a run that ended by an exception of this type, or without one."""
    if error is None or issubclass(error, BudgetReached):  # the loop was asked to end, and did
        return Status.COMPLETED
    if any(base.__name__ == _PRUNED for base in error.__mro__):
        return Status.PRUNED
    return Status.FAILED if issubclass(error, Exception) else Status.INTERRUPTED


def role_of(config: MeterConfig) -> str | None:
    """The role of this process in the run that it joins; ``None`` where it joins none."""
    return None if config.join is None else config.role or _ROLE


def first_phase(config: MeterConfig, phase: str) -> str:
    """The phase that a run begins in: of a process that joins another run and names none, that of its role."""
    return (role_of(config) if phase == Phase.OTHER else None) or phase
