"""Where the tools meet: each in its own environment, before the same stand-in GPUs, driven by the same script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.peers.rows import DISTRIBUTIONS, OURS, PEERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from tests.benchmarks.world import World
    from tests.nvml_standin import Scenario

ROOT = Path(__file__).parents[3]
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
_PATIENCE_SECONDS = 240
_OF_TOOLS = ("LIGHTNING_CARBON_", "CODECARBON_", "JOULES_", "LANDAUER_", "TRACKIO_")
_SPARED = (*_OF_TOOLS, "CUDA_", "NVIDIA_", "TORCHELASTIC_", "SLURM_", "HF_")
_VERSIONS = """
import json, sys
from importlib.metadata import version
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


class Died(RuntimeError):
    """A tool's process failed."""


@dataclass
class Arena:
    """Starts drivers.

    Args:
        world: The scratch folder, the stand-in and the random phases.
        peers_python: The Python that has the peers.
    """

    world: World
    peers_python: Path = PEERS_PYTHON
    _count: int = 0

    @property
    def quick(self) -> bool:
        """Whether fewer repetitions will do."""
        return self.world.quick

    def python(self, tool: str) -> Path:
        """The Python that has a tool."""
        return self.peers_python if tool in PEERS else Path(sys.executable)

    def versions(self) -> dict[str, str]:
        """What is compared, and what both environments must have the same of."""
        found: dict[str, str] = {}
        peers = [DISTRIBUTIONS[tool] for tool in PEERS]
        for python, names in ((Path(sys.executable), [DISTRIBUTIONS[OURS]]), (self.peers_python, peers)):
            command = [str(python), "-c", _VERSIONS, *names]
            done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
            found |= json.loads(done.stdout)
        return found

    def driver(
        self,
        tool: str,
        job: dict[str, Any],
        scenario: Scenario | None = None,
        before: Sequence[str] = (),
        launcher: Sequence[str] = (),
    ) -> Driver:
        """Start a process that does a job with a tool.

        Args:
            tool: Which one.
            job: See :mod:`~tests.benchmarks.peers.driver`; it gets a folder of its own unless it names one.
            scenario: The GPUs that it shall see.
            before: What is to run Python, such as ``strace``.
            launcher: What Python is to run instead of the driver, such as torchrun, with the driver as its argument.
        """
        self._count += 1
        folder = self.world.folder / f"peer-{self._count}-{tool}"
        folder.mkdir()
        answer = folder / "answer.json"
        job = {"folder": str(folder / "out"), "seconds": 5, "step_seconds": 0.02, **job}
        module = ["tests.benchmarks.peers.driver", str(answer), tool, json.dumps(job)]
        command = [*before, str(self.python(tool)), *(launcher or ["-m"]), *module]
        return Driver(tool, command, self.environment(scenario), folder, answer)

    def environment(self, scenario: Scenario | None) -> dict[str, str]:
        """As on a machine with that many GPUs, whose user has set nothing."""
        given = dict(os.environ) if scenario is None else self.world.standin.environment(scenario)
        environment = {key: value for key, value in given.items() if not key.startswith(_SPARED)}
        home = self.world.folder / "home"
        home.mkdir(exist_ok=True)
        path = f"{self._commands()}{os.pathsep}{environment['PATH']}" if scenario is not None else environment["PATH"]
        # One thread: several tools and their trainings share the machine's processors while they are compared.
        return {**environment, "HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def alone(self, tool: str, job: dict[str, Any], scenario: Scenario | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as driver()
        """Do a job with one tool and wait for it."""
        with self.driver(tool, job, scenario, **more) as driver:
            return driver.answer()

    def together(
        self,
        entries: Iterable[tuple[str, dict[str, Any]]],
        scenario: Scenario | None = None,
        before: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Do jobs side by side before the same GPUs; all begin once the last one has been imported.

        Returns:
            The answers, in the order of the entries; each has the ``tool`` and the ``job`` in it. Where a tool's
            process fails, ``failed`` has its last words, as it must not take the others along.
        """
        entries = list(entries)
        with ExitStack() as stack:
            drivers = [
                stack.enter_context(self.driver(tool, {**job, "together": True}, scenario, before))
                for tool, job in entries
            ]
            for driver in drivers:
                with suppress(Died):  # its answer will tell
                    driver.word()
            for driver in drivers:
                driver.go()
            found = zip(entries, [_answer_of(driver) for driver in drivers], strict=True)
            return [{**answer, "tool": tool, "job": job} for (tool, job), answer in found]

    def _commands(self) -> Path:
        """A folder with an ``nvidia-smi``, as machines with a driver have: CodeCarbon looks for it, not for NVML."""
        folder = self.world.folder / "bin"
        if not folder.exists():
            folder.mkdir()
            command = folder / "nvidia-smi"
            command.write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
            command.chmod(0o755)
        return folder


def _answer_of(driver: Driver) -> dict[str, Any]:
    try:
        return driver.answer()
    except Died as died:
        return {"failed": str(died).strip().splitlines()[-1]}


class Driver:
    """A driver's process.

    Args:
        tool: Which tool it drives.
        command: What it runs.
        environment: Its environment.
        folder: Its working directory.
        answer: The file that it writes at its end.
    """

    def __init__(
        self, tool: str, command: Sequence[str], environment: dict[str, str], folder: Path, answer: Path
    ) -> None:
        self.tool = tool
        self.folder = folder
        self._answer = answer
        self._logs = folder / "stdout.txt", folder / "stderr.txt"
        with self._logs[0].open("w") as out, self._logs[1].open("w") as err:
            self._process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.PIPE, stdout=out, stderr=err, text=True
            )

    def word(self) -> str:
        """Wait for what it says before its job is over."""
        file = self._answer.with_suffix(".word")
        until = time.monotonic() + _PATIENCE_SECONDS
        while not file.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise Died(self._words())
            time.sleep(0.01)
        return file.read_text(encoding="ascii")

    def go(self) -> None:
        """Let it go on."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write("go\n")
            self._process.stdin.flush()

    def kill(self, number: signal.Signals) -> int:
        """Send it a signal and wait for its end.

        Returns:
            The moment of the signal, in nanoseconds of the monotonic clock.
        """
        at_ns = time.monotonic_ns()
        self._process.send_signal(number)
        self._process.wait(_PATIENCE_SECONDS)
        return at_ns

    def wait(self) -> None:
        """Wait for it.

        Raises:
            Died: It failed.
        """
        try:
            code = self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise Died(f"still running after {_PATIENCE_SECONDS} s: {self._words()}") from late
        if code:
            raise Died(self._words())

    def answer(self) -> dict[str, Any]:
        """Wait for what it found, with what it printed under ``lines``."""
        self.wait()
        found: dict[str, Any] = json.loads(self._answer.read_text(encoding="utf-8"))
        return {**found, "lines": self.lines()}

    def lines(self) -> int:
        """How many lines it has printed, on both streams."""
        return sum(len(log.read_text(encoding="utf-8", errors="replace").splitlines()) for log in self._logs)

    def _words(self) -> str:
        ends = [log.read_text(encoding="utf-8", errors="replace")[-2000:] for log in self._logs]
        return f"{self.tool} failed with {self._process.returncode}:\n{''.join(ends)}"

    def __enter__(self) -> Self:
        """It runs since it was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave no process behind."""
        with suppress(ProcessLookupError):
            self._process.kill()
        with suppress(BrokenPipeError):
            self._process.communicate()
