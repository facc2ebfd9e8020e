"""Ends processes in many ways, with the meter and without: ``python -m tests.integration.endings FRAMEWORK FOLDER``.

An import of a framework takes seconds, so one process imports it and forks a child for every ending. A child then ends
as any script does: it leaves this module's :func:`main` and the interpreter shuts down, unless it dies before.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning_carbon import Meter
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.journals import parts_of
from lightning_carbon.records.journal import RankPart
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.simulated import SimulatedCounter
from tests.threads import lasting_samplers, samplers

WATTS = 360.0
STEPS = 8
END_AT = 4
STEP_SECONDS = 0.005
PATIENCE_SECONDS = 300.0
BUSY = 0.25
"""A busy machine may stop a thread between reading a sensor and stamping the reading, in runs of some 50 ms."""


class Defect(Exception):
    """What a training fails with."""


def _raise() -> None:
    raise Defect("in a step")


def _requeue() -> None:
    """As Slurm does it: a warning first, then the end."""
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGTERM)


ENDINGS: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "exception": _raise,
    "sys.exit": lambda: sys.exit(3),
    "os._exit": lambda: os._exit(4),
    "SIGINT": lambda: os.kill(os.getpid(), signal.SIGINT),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "requeue": _requeue,
    "own handler": lambda: os.kill(os.getpid(), signal.SIGTERM),
}
ENDINGS_OF = {
    "loop": [ending for ending in ENDINGS if ending != "requeue"],
    "lightning": [ending for ending in ENDINGS if ending != "own handler"],
    "huggingface": [ending for ending in ENDINGS if ending not in {"requeue", "own handler"}],
}


def parts_in(ledger: Path) -> list[RankPart]:
    """What was written down of the one run in a ledger."""
    store = DirectoryRunStore(ledger)
    runs = [(run.parent.name, run.name) for run in ledger.glob("*/*")]
    return [part for names in runs for part in parts_of(store.read_journals(*names), *names)]


class Child:
    """One training that ends in one way.

    Args:
        ending: Which.
        metered: Whether there is a meter.
        folder: For its files.
    """

    def __init__(self, ending: str, folder: Path, *, metered: bool) -> None:
        self._ending = ending
        self._folder = folder
        self._metered = metered
        self._seen: dict[str, Any] = {}
        self._steps = 0

    def run(self, framework: str) -> None:
        """Train, and end."""
        self._folder.mkdir(parents=True)
        log = os.open(self._folder / "log.txt", os.O_WRONLY | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(log, stream)
        atexit.register(self._see, "at exit")  # before the meter's own, so called after it
        if self._ending == "own handler":
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
        if self._ending == "requeue":
            self._pretend_slurm()
        self._see("before")
        try:
            {"loop": self._loop, "lightning": self._lightning, "huggingface": self._huggingface}[framework]()
        finally:
            self._see("after")

    def _on_step(self, _module: object = None) -> None:
        time.sleep(STEP_SECONDS)
        self._steps += 1
        if self._steps != END_AT:
            return
        self._see("during")
        give_up = time.monotonic() + PATIENCE_SECONDS
        needs_journal = self._metered and self._ending in {"os._exit", "SIGKILL", "SIGTERM"}
        while needs_journal and not any(part.beat.steps for part in parts_in(self._ledger)):
            if time.monotonic() > give_up:
                raise TimeoutError("the journal has no steps")
            time.sleep(0.01)
        ENDINGS[self._ending]()

    def _see(self, when: str) -> None:
        handlers = {number.name: _name(signal.getsignal(number)) for number in signal.Signals}
        threads = [thread.name for thread in (lasting_samplers() if when == "at exit" else samplers())]
        self._seen[when] = {"handlers": handlers, "threads": threads}
        (self._folder / "seen.json").write_text(json.dumps(self._seen))

    @property
    def _ledger(self) -> Path:
        return self._folder / "ledger"

    @property
    def _sources(self) -> list[SimulatedCounter]:
        return [SimulatedCounter(SystemClock(), WATTS)]

    def _loop(self) -> None:
        if not self._metered:
            for _ in range(STEPS):
                self._on_step()
            return
        meter = Meter(sources=self._sources, ledger=self._ledger).start("train")
        for _ in range(STEPS):
            self._on_step()
            meter.step_done()
        meter.stop()

    def _lightning(self) -> None:
        from tests.integration.lightning import support

        name = "pytorch_lightning"
        callbacks = [support.make_callback(self._folder, sources=self._sources)] if self._metered else []
        module = support.make_module(name, self._on_step)
        support.make_trainer(name, self._folder, callbacks).fit(module, support.loader(STEPS), support.loader(1))

    def _huggingface(self) -> None:
        from tests.integration.huggingface import support

        callbacks = [support.make_callback(self._folder, sources=self._sources)] if self._metered else []
        support.make_trainer(self._folder, callbacks, self._on_step, samples=STEPS * support.BATCH_SIZE).train()

    def _pretend_slurm(self) -> None:
        """Be a job of Slurm's, as far as a trainer can tell."""
        tools = self._folder / "bin"
        tools.mkdir()
        scontrol = tools / "scontrol"
        scontrol.write_text(f'#!/bin/sh\necho "$@" >> "{self._folder}/scontrol.txt"\n')
        scontrol.chmod(0o755)
        os.environ.update(
            SLURM_JOB_ID="7",
            SLURM_JOB_NAME="lisa",
            SLURM_NTASKS="1",
            SLURM_PROCID="0",
            SLURM_LOCALID="0",
            SLURM_NODEID="0",
            PATH=f"{tools}{os.pathsep}{os.environ['PATH']}",
        )


def _name(handler: object) -> str:
    """A handler in words that are the same in every process."""
    return str(getattr(handler, "__qualname__", None) or (handler if isinstance(handler, int) else type(handler)))


def main(arguments: Sequence[str]) -> None:
    """End a child in every way, and write down how: ``results.json``."""
    framework, folder = arguments[0], Path(arguments[1])
    if framework == "lightning":
        import pytorch_lightning  # noqa: F401 - the children have it already

        from tests.integration.lightning import support as _
    if framework == "huggingface":
        from tests.integration.huggingface import support as _  # type: ignore[no-redef]  # noqa: F401
    results = []
    for ending in ENDINGS_OF[framework]:
        # What these two do without the meter is known: nothing can come in between.
        for metered in (True,) if ending in {"os._exit", "SIGKILL"} else (True, False):
            child = Child(ending, place := folder / f"{ending}-{metered}", metered=metered)
            pid = os.fork()
            if not pid:
                child.run(framework)
                return
            status = os.waitpid(pid, 0)[1]
            results.append({"ending": ending, "metered": metered, "code": os.waitstatus_to_exitcode(status)})
            with suppress(OSError, ValueError):
                results[-1]["seen"] = json.loads((place / "seen.json").read_text())
    (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1:])
