"""A command that is metered while its machine is held against a wall meter."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.cli.run.handled import held_signals
from lightning_carbon.cli.run.program import CannotStart, find
from lightning_carbon.errors import ConfigError, StudyError
from lightning_carbon.records.run import Status
from lightning_carbon.sources.wall_log import read_wall_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lightning_carbon.meter import Meter
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.sources.wall_log import WallLog

LEAST_SECONDS: Final = 1.0
"""The shortest command: its start and its end are known, and a log has a line a second at most; ours."""
_LATE_SECONDS: Final = 60.0
"""How long to wait for a log that is written with a delay; ours."""
_LOOK_SECONDS: Final = 2.0


class MeteredProgram(NamedTuple):
    """A command that was metered.

    Args:
        record: The record of its run.
        started_at: When it started, in seconds since 1970.
    """

    record: RunRecord
    started_at: float


def meter_program(words: Sequence[str], meter: Callable[[], Meter]) -> MeteredProgram:
    """Run a command to its end under a meter.

    Args:
        words: The program and its arguments.
        meter: Makes the meter.

    Raises:
        ConfigError: There is no such program.
        StudyError: The program failed, or was ended by a signal.
    """
    try:
        path = find(words[0])
        with held_signals() as signals:
            started_at = time.time()
            running = meter().start()
            status = Status.FAILED
            try:
                ending = signals.run(path, list(words))
                status = ending.status
            finally:
                record = running.stop(status)
    except CannotStart as error:
        raise ConfigError("command", words[0], f"{error}.") from None
    if status != Status.COMPLETED:
        message = f"the command ended with {ending.exit_code}, so nothing follows from it; its run is {record.run_id}"
        raise StudyError(message)
    return MeteredProgram(record, started_at)


def log_until(path: Path, until: float, *, pause: Callable[[float], None] = time.sleep) -> WallLog:
    """Read a log once it reaches a moment; after a minute as it is.

    Args:
        path: The log.
        until: The moment, in seconds since 1970.
        pause: Sleeps for so many seconds.

    Raises:
        ConfigError: It cannot be read.
    """
    left = _LATE_SECONDS
    while (log := read_wall_log(path)).spans[-1][1] < until and left > 0:
        pause(_LOOK_SECONDS)
        left -= _LOOK_SECONDS
    return log
