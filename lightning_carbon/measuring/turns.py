"""Two programs run in turn, A B B A A B B A and so on, so that whatever drifts falls on both alike.

Each is first run once without counting, which warms caches up and shows whether it meters itself. Programs that both do
are compared by their own records, which know steps and tokens; else a meter goes around each, which knows whole runs.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from lightning_carbon.baseline.contest import Trial, trial_of
from lightning_carbon.errors import ConfigError, StudyError
from lightning_carbon.ledger.query import record_in
from lightning_carbon.measuring import AUTOMATIC_VARIABLE
from lightning_carbon.measuring.child import Child
from lightning_carbon.measuring.following import Follower
from lightning_carbon.meter import Meter
from lightning_carbon.records.run import Status
from lightning_carbon.settings import LEDGER, PROJECT, configure, writable_ledger
from lightning_carbon.values import dataclass, replace

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.records.run import RunRecord

_LOOK_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Turn:
    """A run of one of the programs, as it ends.

    Args:
        side: 0 for the first program, 1 for the second.
        number: The number of its trial, from 1; 0 for the run that does not count.
        trial: The trial; ``None`` for the run that does not count.
    """

    side: int
    number: int
    trial: Trial | None


def commands_of(texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split two commands into words, as a shell does; no shell runs them.

    Raises:
        ConfigError: There are not two, or one cannot be split.
    """
    if len(texts) != 2:  # noqa: PLR2004 - two are compared
        raise ConfigError("commands", " ".join(texts), 'give two after --, each in quotes: -- "CMD A" "CMD B".')
    split = []
    for text in texts:
        try:
            words = tuple(shlex.split(text))
        except ValueError as error:
            raise ConfigError("commands", text, f"it cannot be split into words: {error}.") from None
        if not words:
            raise ConfigError("commands", text, "give a program and its arguments.")
        split.append(words)
    return (split[0], split[1])


def in_turn(sides: int, trials: int) -> Iterator[tuple[int, int]]:
    """The order of trials, there and back again, so that whatever drifts falls on all alike: A B C C B A A B C.

    Args:
        sides: How many take turns.
        trials: How often each has its turn.

    Returns:
        The side, from 0, and the number of its trial, from 1.
    """
    for number in range(trials):
        for side in range(sides) if number % 2 == 0 else reversed(range(sides)):
            yield side, number + 1


class Trials:
    """Runs of programs, each metered: by itself, or by a meter around it.

    Args:
        ledger: The folder of all runs.
        project: The project of the runs.
        environ: The environment of the programs.

    Raises:
        ConfigError: An argument cannot be used.
    """

    def __init__(
        self,
        ledger: os.PathLike[str] | str | None = None,
        project: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._folder = writable_ledger(ledger, environ)
        self._config = configure(environ, ledger=self._folder, project=project)
        self._world = {AUTOMATIC_VARIABLE: "1", **environ, LEDGER.variable: str(self._folder)}
        if project is not None and PROJECT.variable is not None:
            self._world[PROJECT.variable] = self._config.project

    def warm_up(self, words: Sequence[str]) -> bool:
        """Run a program without counting, and tell whether it meters itself.

        Raises:
            StudyError: It failed.
        """
        return self._run(words, self._world) is not None

    def run(self, words: Sequence[str], *, meters_itself: bool) -> Trial:
        """Run a program as a trial.

        Args:
            words: The words of the command.
            meters_itself: Whether its own record counts; else a meter goes around it.

        Raises:
            StudyError: It failed.
            ConfigError: Its run cannot be compared.
        """
        return trial_of(self._own_record(words) if meters_itself else self._metered(words))

    def _own_record(self, words: Sequence[str]) -> RunRecord:
        folder = self._run(words, self._world)
        if folder is None:
            message = f"{shlex.join(words)} metered itself before, and has not done so this time"
            raise StudyError(message)
        return record_in(folder)

    def _metered(self, words: Sequence[str]) -> RunRecord:
        """Run a program under a meter, and without a meter of its own: two would count the same energy."""
        status = Status.FAILED
        meter = Meter.of(replace(self._config, on_budget="warn")).start()
        try:
            self._run(words, {**self._world, AUTOMATIC_VARIABLE: "0"})
            status = Status.COMPLETED
        finally:
            record = meter.stop(status)
        return record

    def _run(self, words: Sequence[str], world: Mapping[str, str]) -> Path | None:
        """Run a program to its end.

        Returns:
            The folder of the run that it metered itself; ``None`` where it metered none.
        """
        with Child(words, world) as child:
            follower = Follower(self._folder, child.owns)
            while child.exit_code is None:
                child.wait(_LOOK_SECONDS)
                follower.read()
            follower.read()
            failure = child.failure(shlex.join(words))
        if failure is not None:
            raise StudyError(failure)
        return None if follower.longest is None else follower.longest.folder


def take_turns(
    commands: tuple[Sequence[str], Sequence[str]],
    trials: int,
    *,
    ledger: os.PathLike[str] | str | None = None,
    project: str | None = None,
    on_turn: Callable[[Turn], None] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[list[Trial], list[Trial]]:
    """Run two programs in turn, and meter each run.

    Args:
        commands: The words of both commands.
        trials: How often each is run and counted.
        ledger: The folder of all runs.
        project: The project of the runs.
        on_turn: Called as a run ends.
        environ: The environment of the programs.

    Returns:
        The trials of both, in the order of their runs; those at the same place belong together.

    Raises:
        ConfigError: An argument cannot be used, or a run cannot be compared.
        StudyError: A program failed.
        LedgerError: The ledger cannot be written.
    """
    runs = Trials(ledger, project, environ)
    tell = on_turn or _say_nothing
    meters_itself = []
    for side, words in enumerate(commands):
        meters_itself.append(runs.warm_up(words))
        tell(Turn(side, 0, None))
    found: tuple[list[Trial], list[Trial]] = ([], [])
    for side, number in in_turn(2, trials):
        found[side].append(runs.run(commands[side], meters_itself=all(meters_itself)))
        tell(Turn(side, number, found[side][-1]))
    return found


def _say_nothing(turn: Turn) -> None:
    del turn
