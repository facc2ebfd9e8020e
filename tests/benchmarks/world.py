"""What every benchmark is given: a scratch folder, the compiled stand-in, children that the user's settings spare."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.nvml_standin import Gpu, Scenario, Standin, build

if TYPE_CHECKING:
    from collections.abc import Sequence

TICK_SECONDS = 0.1
"""How often the stand-in's counters jump, as those of data-centre GPUs do."""

_CHILD_SECONDS = 300
_USERS = ("LIGHTNING_CARBON_", "CUDA_", "NVIDIA_", "TORCHELASTIC_")


@dataclass
class World:
    """Where a benchmark runs.

    Args:
        folder: For its files.
        quick: Whether fewer repetitions will do.
        random: Draws phases.
    """

    folder: Path
    quick: bool = False
    random: random.Random = field(default_factory=random.Random)
    _standin: Standin | None = None
    _children: int = 0

    @property
    def standin(self) -> Standin:
        """The stand-in driver, compiled at first use."""
        if self._standin is None:
            self._standin = Standin(build(self.folder / "lib"), self.folder / "scenarios")
        return self._standin

    def gpu(self, **changes: Any) -> Gpu:  # noqa: ANN401 - whatever a Gpu takes
        """A GPU whose swing and whose counter's jumps have a phase of their own."""
        now_ns = time.monotonic_ns()
        gpu = Gpu(**changes)
        moments = {
            "origin_ns": now_ns - round(self.random.random() * gpu.period_seconds * 1e9),
            "tick_phase_ns": now_ns - round(self.random.random() * gpu.tick_ns),
        }
        return Gpu(**{**moments, **changes})

    def eight_gpus(self) -> Scenario:
        """Eight GPUs with counters that jump every 100 ms, each at a time of its own."""
        return Scenario.of(*(self.gpu(tick_ns=round(TICK_SECONDS * 1e9)) for _ in range(8)))

    def child(
        self, module: str, *words: str, scenario: Scenario | None = None, path: Sequence[Path] | None = None
    ) -> dict[str, Any]:
        """Run a module of this package in a process of its own.

        Args:
            module: Such as ``start_child``; its first argument is the JSON file that it has to write.
            *words: Further arguments.
            scenario: The GPUs that it shall see.
            path: Where it gets the package from, instead of the tree at hand; the module must import no other of ours.

        Returns:
            What it wrote, and under ``stdout`` and ``stderr`` what it printed.

        Raises:
            RuntimeError: It failed.
        """
        command, environment, answer = self.prepare(module, *words, scenario=scenario, path=path)
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=_CHILD_SECONDS
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return {**found, "stdout": done.stdout, "stderr": done.stderr}

    def prepare(
        self, module: str, *words: str, scenario: Scenario | None = None, path: Sequence[Path] | None = None
    ) -> tuple[list[str], dict[str, str], Path]:
        """What it takes to run such a process: its command, its environment, and the file that it will write."""
        self._children += 1
        answer = self.folder / f"child-{self._children}.json"
        environment = dict(os.environ) if scenario is None else self.standin.environment(scenario)
        environment = {key: value for key, value in environment.items() if not key.startswith(_USERS)}
        environment["LIGHTNING_CARBON_LEDGER"] = str(self.folder / "ledger")
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled before
        if path is None:
            return [sys.executable, "-m", f"tests.benchmarks.{module}", str(answer), *words], environment, answer
        environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
        environment["LIGHTNING_CARBON_LEDGER"] = str(self.folder / f"ledger-{path[0].name}")  # of no other tree's runs
        program = Path(__file__).parent.joinpath(*module.split(".")).with_suffix(".py")
        return [sys.executable, "-P", str(program), str(answer), *words], environment, answer
