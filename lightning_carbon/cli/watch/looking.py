"""``lightning-carbon watch``: the loop that reads the journals of a run again and again."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console
from rich.live import Live

from lightning_carbon.cli.runs.choosing import known_runs
from lightning_carbon.cli.watch.sight import Sight, sight_of
from lightning_carbon.cli.watch.view import line_of, view_of
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.filters import RunFilter
from lightning_carbon.measuring.following import FollowedRun
from lightning_carbon.records.run import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.cli.runs.choosing import Runs
    from lightning_carbon.records.run import RunRecord

_SIGNALLED: Final = 128
_SILENT_SECONDS: Final = 5.0
"""The silence after which the ledger is asked whether the run is dead."""


def watch_run(text: str | None, ledger: str | None, project: str | None, *, every: float) -> None:
    """Watch a run under way.

    Args:
        text: The run; the last of those under way by default.
        ledger: The folder of all runs that the user named, if any.
        project: The project, if only its runs count.
        every: How often the journals are read, in seconds.

    Raises:
        ConfigError: There is no such run, or none under way.
    """
    runs = known_runs(ledger, project)
    record = runs.ledger.find(text, runs.project) if text is not None else _under_way(runs)
    try:
        follow(runs, record, every)
    except KeyboardInterrupt:
        raise typer.Exit(_SIGNALLED + signal.SIGINT) from None


def _under_way(runs: Runs) -> RunRecord:
    """The run that started last among those under way.

    Raises:
        ConfigError: There is none.
    """
    wanted = RunFilter(project=runs.project, statuses=(Status.RUNNING.value,))
    for facts in reversed(runs.ledger.select(wanted)):
        record = runs.ledger.record(facts)
        if record is not None and record.status == Status.RUNNING:
            return record
    fix = "no run is under way there; `lightning-carbon runs` lists those that have ended."
    raise ConfigError("run", None, fix)


def follow(
    runs: Runs,
    record: RunRecord,
    every: float,
    *,
    console: Console | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Show a run until it ends.

    Args:
        runs: The ledger.
        record: The run.
        every: How often to look, in seconds.
        console: Where it is shown.
        sleep: Waits for so many seconds.

    Raises:
        ConfigError: The run has no journal that can be read.
    """
    console = console or Console(highlight=False)
    eye = _Eye(runs, record)
    sight = eye.look()
    if sight is None:
        raise ConfigError("run", record.run_id, "it has no journal that can be read, so there is nothing to watch.")
    if console.is_terminal:
        with Live(view_of(sight), console=console, auto_refresh=False, transient=False) as live:
            while not eye.is_over:
                sleep(every)
                live.update(view_of(eye.look() or sight), refresh=True)
        return
    console.print(line_of(sight), soft_wrap=True, markup=False)
    while not eye.is_over:
        sleep(every)
        console.print(line_of(eye.look() or sight), soft_wrap=True, markup=False)


class _Eye:
    """Looks at a run again and again.

    Args:
        runs: The ledger that it is in.
        record: The run.

    Attributes:
        is_over: Whether the run has ended, or was found dead.
    """

    def __init__(self, runs: Runs, record: RunRecord) -> None:
        self._runs = runs
        self._folder = runs.ledger.folder(record)
        self._run = FollowedRun(self._folder)
        self._last = 0.0
        self._since = time.monotonic()
        self.is_over = False

    def look(self) -> Sight | None:
        """What can be seen now; ``None`` where no journal can be read."""
        self._run.read()
        journals = self._run.journals
        if not journals:
            self.is_over = True
            return None
        sight = sight_of(journals)
        self.is_over = sight.record.status != Status.RUNNING
        written = max(journal.beats[-1].at for journal in journals)
        if written != self._last:
            self._last, self._since = written, time.monotonic()
        elif time.monotonic() - self._since > _SILENT_SECONDS:
            self._since = time.monotonic()
            found = self._runs.ledger.read(self._folder)  # which finds out whether its processes are gone
            self.is_over = self.is_over or found is None or found.status != Status.RUNNING
        return sight
