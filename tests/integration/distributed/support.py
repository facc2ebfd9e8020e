"""Starts ranks as users do, and reads back what they left."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.journals import parts_of
from lightning_carbon.records.journal import RankPart

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 300.0
_OTHERS = ("LIGHTNING_CARBON_", "SLURM_", "TORCHELASTIC_", "CUDA_", "OMPI_", "PMI_")
_RANKS = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}


@dataclass(frozen=True)
class Done:
    """What ranks left behind.

    Args:
        answers: What each rank told at its end, by rank and attempt.
        starts: What each rank told at its start, likewise.
        records: The records in the ledger.
        returncode: How the launcher ended.
        output: What was printed.
        ledger: Where the runs are.
    """

    answers: dict[tuple[int, int], dict[str, Any]]
    starts: dict[tuple[int, int], dict[str, Any]]
    records: list[dict[str, Any]]
    returncode: int
    output: str
    ledger: Path

    @property
    def record(self) -> dict[str, Any]:
        """The only record."""
        assert 1 == len(self.records), self.output
        return self.records[0]

    def parts(self, run_id: str) -> list[RankPart]:
        """The journals of a run."""
        return parts_of(DirectoryRunStore(self.ledger).read_journals("loop", run_id), "loop", run_id)


def environment(**more: str) -> dict[str, str]:
    """This process' environment without what other launchers have set, for ranks on a busy machine."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_OTHERS) and key not in _RANKS}
    return {**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", **more}


def torchrun(ranks: int, *words: str) -> list[str]:
    """The command for ranks on one host."""
    run = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(ranks)]
    return [*run, *(() if any(word.startswith("--nnodes") for word in words) else ("--standalone",)), *words]


def write_plan(folder: Path, seconds: float = 2.0, **plan: Any) -> Path:  # noqa: ANN401 - whatever JSON takes
    """Write down what the ranks shall do; keywords with a trailing underscore have an entry for each rank."""
    whole = {f"{key[:-1]}*" if key.endswith("_") else key: value for key, value in plan.items()}
    (folder / "answers").mkdir()
    whole |= {"seconds": seconds, "ledger": str(folder / "ledger"), "answers": str(folder / "answers")}
    path = folder / "plan.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


def run_all(folder: Path, *commands: tuple[list[str], dict[str, str]]) -> Done:
    """Run processes side by side until all have ended."""
    with (folder / "output.txt").open("w") as output:
        started = [
            subprocess.Popen(command, env=env, cwd=folder, stdout=output, stderr=output) for command, env in commands
        ]
        try:
            codes = [process.wait(PATIENCE_SECONDS) for process in started]
        finally:
            for process in started:
                with suppress(OSError):
                    process.kill()
    return done(folder, next((code for code in codes if code), 0))


def run_loop(folder: Path, ranks: int, *words: str, env: dict[str, str] | None = None, **plan: Any) -> Done:  # noqa: ANN401
    """Run the loop under torchrun on one host."""
    path = write_plan(folder, **plan)
    command = torchrun(ranks, *words, "-m", "tests.integration.distributed.loop", str(path))
    return run_all(folder, (command, env or environment()))


def done(folder: Path, returncode: int, output: str | None = None) -> Done:
    """Read back what was left."""
    records = [json.loads(path.read_text()) for path in sorted((folder / "ledger").rglob("record.json"))]
    return Done(
        told(folder, "ended"),
        told(folder, "started"),
        records,
        returncode,
        (folder / "output.txt").read_text() if output is None else output,
        folder / "ledger",
    )


def told(folder: Path, when: str) -> dict[tuple[int, int], dict[str, Any]]:
    """What ranks have told at some time, by rank and attempt."""
    words = [read_json(path) for path in sorted(folder.glob(f"answers/{when}-*.json"))]
    return {(answer["rank"], answer["attempt"]): answer for answer in words}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
