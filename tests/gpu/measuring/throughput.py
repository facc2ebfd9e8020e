"""The same training with and without the callback, a few steps of the one and a few of the other in turn.

Each trains in a process of its own; whichever does not have its turn is stopped (SIGSTOP) once its GPU has nothing left
to do, sampling thread and all. What changes on the machine meanwhile falls on both; the median of ratios is told.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[3]
ARMS = ("plain", "metered")
WARM_PAIRS = 3
"""Turns at the beginning that do not count: kernels are chosen, clocks rise, the counter's jumps are learnt."""
LEAST_PAIRS = 10


@dataclass(frozen=True, slots=True)
class Ratio:
    """What the callback costs.

    Args:
        ratio: Steps a second with it over those without it, the median of all pairs.
        standard_error: Of that median, from the spread of the middle half.
        pairs: How many there were.
        step_seconds: How long a step takes without it.
        steps_per_turn: How many a turn has; each ends with a row.
        parameters: How many the model has.
    """

    ratio: float
    standard_error: float
    pairs: int
    step_seconds: float
    steps_per_turn: int
    parameters: int


class Training:
    """A training in a process of its own, that goes on by turns.

    Args:
        config: The configuration.
        changes: What is different from it.
        arm: ``metered`` or ``plain``.
        steps: How many steps a turn has.
        folder: For its files.
        environ: Its environment.
    """

    def __init__(
        self,
        config: Path,
        changes: Mapping[str, object],
        arm: str,
        steps: int,
        folder: Path,
        environ: Mapping[str, str],
    ) -> None:
        self._answer = folder / f"{arm}.json"
        self._log = folder / f"{arm}.log"
        (folder / arm).mkdir()
        words = [str(self._answer), str(config), json.dumps(dict(changes)), arm, str(steps)]
        paths = [str(ROOT), environ.get("PYTHONPATH", "")]
        environment = {**environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        environment["LIGHTNING_CARBON_LEDGER"] = str(folder / "ledger")
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.gpu.measuring.throughput_child", *words],
                cwd=folder / arm,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def go_on(self) -> None:
        """Let it have a turn, and wait for the end of it."""
        self._process.send_signal(signal.SIGCONT)
        self._say("go")
        self.wait()

    def wait(self) -> None:
        """Wait for the end of a turn, then stop it."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "done\n":
            self._process.wait()
            raise RuntimeError(f"the training failed:\n{self._log.read_text(encoding='utf-8')[-4000:]}")
        self._process.send_signal(signal.SIGSTOP)

    def finish(self) -> dict[str, Any]:
        """Let it end.

        Returns:
            What it found.
        """
        self._process.send_signal(signal.SIGCONT)
        self._say("end")
        if self._process.wait():
            raise RuntimeError(f"the training failed:\n{self._log.read_text(encoding='utf-8')[-4000:]}")
        found: dict[str, Any] = json.loads(self._answer.read_text(encoding="utf-8"))
        return found

    def __enter__(self) -> Self:
        """It runs since it was made."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no stopped process behind."""
        self._process.kill()
        self._process.communicate()

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()


def compare_arms(
    config: Path,
    changes: Mapping[str, object],
    folder: Path,
    *,
    environ: Mapping[str, str],
    steps: int = 20,
    seconds: float = 30.0,
    most_pairs: int = 60,
    warm_pairs: int = WARM_PAIRS,
) -> Ratio:
    """Train with and without the callback in turns.

    Args:
        config: A configuration of ``configs/``.
        changes: What is different from it, by the names of its command line.
        folder: For files; empty.
        environ: The environment of the trainings.
        steps: How many steps a turn has.
        seconds: After so long no pair is begun, if there are ten.
        most_pairs: So many pairs are enough.
        warm_pairs: So many at the beginning do not count.

    Raises:
        RuntimeError: A training failed, or the record does not have its steps.
    """
    with ExitStack() as stack:
        arms = [stack.enter_context(Training(config, changes, arm, steps, folder, environ)) for arm in ARMS]
        for training in arms:  # both set themselves up at the same time; then one turn of each has been
            training.wait()
        until = time.monotonic() + seconds
        pairs = 1
        while pairs < most_pairs + warm_pairs and (time.monotonic() < until or pairs < LEAST_PAIRS + warm_pairs):
            for training in arms[:: 1 if pairs % 2 else -1]:
                training.go_on()
            pairs += 1
        plain, metered = (training.finish() for training in arms)
    if metered["steps"] != pairs * steps or plain["steps"] is not None:
        raise RuntimeError(f"the record does not have {pairs * steps} steps: {metered['steps']}, {plain['steps']}")
    return ratio_of(plain["turns"][warm_pairs:], metered["turns"][warm_pairs:], steps, metered["parameters"])


def ratio_of(plain: Sequence[float], metered: Sequence[float], steps: int, parameters: int) -> Ratio:
    """The ratio of speeds from the seconds of turns.

    Args:
        plain: Of those without the callback.
        metered: Of those with it, each beside the one of its pair.
        steps: How many steps each has.
        parameters: How many the model has.
    """
    ratios = [bare / loaded for bare, loaded in zip(plain, metered, strict=True)]
    low, _, high = quantiles(ratios, n=4)
    return Ratio(
        ratio=median(ratios),
        standard_error=1.2533 * (high - low) / 1.349 / sqrt(len(ratios)),
        pairs=len(ratios),
        step_seconds=median(plain) / steps,
        steps_per_turn=steps,
        parameters=parameters,
    )
