"""How a program's end is told."""

from __future__ import annotations

import signal

import pytest

from lightning_carbon.cli.run.program import ProgramEnding
from lightning_carbon.records.run import Status


@pytest.mark.parametrize(
    ("code", "received", "exit_code", "status"),
    [
        (0, [], 0, Status.COMPLETED),
        (3, [], 3, Status.FAILED),
        (255, [signal.SIGTERM], 255, Status.FAILED),
        (0, [signal.SIGTERM], 0, Status.COMPLETED),
        (-signal.SIGTERM, [signal.SIGTERM], 143, Status.INTERRUPTED),
        (-9, [], 137, Status.INTERRUPTED),
        (-11, [], 139, Status.INTERRUPTED),
        (143, [signal.SIGTERM], 143, Status.INTERRUPTED),
        (143, [], 143, Status.FAILED),
        (130, [signal.SIGTERM], 130, Status.FAILED),
    ],
)
def test_an_end_is_told_as_shells_do(code: int, received: list[int], exit_code: int, status: Status) -> None:
    """Its own code, or 128 and the signal; one that catches the signal and says so was interrupted, too."""
    ending = ProgramEnding.of(code, frozenset(received))

    assert (exit_code, status) == (ending.exit_code, ending.status)
