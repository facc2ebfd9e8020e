"""The adapter of lightning-carbon, for :mod:`~tests.benchmarks.peers.driver`."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.peers.face import Nothing

if TYPE_CHECKING:
    from tests.benchmarks.peers.face import Part

PATIENCE_SECONDS = 30


class Ours(Nothing):
    """``Meter`` with its defaults; a step is told by one call at its end."""

    def load(self) -> None:
        """Import what a user imports."""
        from lightning_carbon import Meter

        self._meter_type = Meter

    def start(self) -> None:
        """Where processors are judged, they are asked for as a whole, and nothing else."""
        scope: dict[str, Any] = {}
        if self.task.part == "cpu":
            from lightning_carbon.sources.host import rapl

            found = [finding.port for finding in rapl.discover() if finding.port is not None]
            scope = {"cpu_scope": "machine", "sources": found}
        devices = {} if self.task.own_gpu or "LOCAL_RANK" in os.environ else {"devices": "all"}
        settings: dict[str, Any] = {**scope, **devices, "per_step": self.task.mark}
        self._meter = self._meter_type(region="SE", ledger=self.task.folder, **settings)
        self._meter.start()
        self.end = self._meter.step_done  # type: ignore[method-assign]

    def stop(self) -> float | None:
        """The sum of the domains that were asked for."""
        self._record = self._meter.stop()
        return _joules_of([asdict(domain) for domain in self._record.energy.domains], self.task.part)

    def steps(self) -> list[float | None]:
        """The lines of ``steps.csv``."""
        assert self._record.location is not None
        key = "gpu_joules" if self.task.part == "gpu" else "total_joules"
        with (Path(self._record.location).parent / "steps.csv").open(encoding="utf-8") as lines:
            return [float(line[key]) if line[key] else None for line in csv.DictReader(lines)]

    def left(self) -> float | None:
        """What the record has, once the ledger was looked at and the run taken for dead, 10 s after its last word."""
        environment = {**os.environ, "LIGHTNING_CARBON_LEDGER": str(self.task.folder)}
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            command = [sys.executable, "-m", "lightning_carbon", "runs"]
            subprocess.run(command, env=environment, check=True, capture_output=True)
            [file] = self.task.folder.rglob("record.json")
            record = json.loads(file.read_text(encoding="utf-8"))
            if record["status"] != "running" or time.monotonic() > until:
                return _joules_of(record["energy"]["domains"], self.task.part)
            time.sleep(1)


def _joules_of(domains: list[dict[str, Any]], part: Part) -> float | None:
    kinds = {"gpu": {"gpu"}, "cpu": {"package", "dram"}}.get(part, {"gpu", "package", "dram", "host"})
    found = [float(domain["joules"]) for domain in domains if str(domain["kind"]) in kinds]
    return sum(found) if found else None
