"""The words for where energy goes within a step: a module and its direction, and its share. Pure.

They stand apart from how shares are found, as every run knows the words, and few runs find shares.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple


class ModulePass(StrEnum):
    """The activities within a step whose energy is told."""

    FORWARD = "forward"
    """From the inputs of a module to its outputs."""
    BACKWARD = "backward"
    """From the gradients of its outputs to those of its inputs, what is computed again for that included."""
    OPTIMIZER = "optimizer"
    """From the gradients to the new weights."""
    REST = "rest"
    """The rest of the step: waiting for data, logging, and whatever belongs to no module."""


class Origin(IntEnum):
    """What tells that an activity begins."""

    MODULE = 0
    """A module that is watched."""
    PART = 1
    """The training, where a part of a step begins."""
    STEP = 2
    """The training, where a step begins."""


class Activity(NamedTuple):
    """A module and its direction, or one of the parts of a step that belong to no module.

    Args:
        kind: The activity.
        path: The module, as ``named_modules`` has it; empty for the whole model, and where there is no module.
    """

    kind: ModulePass
    path: str = ""


REST: Final = Activity(ModulePass.REST)


class ModuleShare(NamedTuple):
    """The share of an activity in the energy of the steps.

    Args:
        activity: The activity.
        share: Its share, 0 to 1; the shares of all activities add up to 1.
        low: The lower end of the 90 % interval of the share.
        high: The upper end.
        seconds: How long it lasted in a step, on average.
    """

    activity: Activity
    share: float
    low: float
    high: float
    seconds: float
