"""One face for every tool: each is used as its own documentation says, with its best settings for the job.

This file and :mod:`~tests.benchmarks.peers.driver` run in the peers' environment too, so they import nothing but the
standard library and the tool itself.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

JOULES_PER_KWH = 3.6e6

OURS_PATIENCE_SECONDS = 30

Part = Literal["gpu", "cpu", "all"]


@dataclass(frozen=True)
class Task:
    """What a tool is to do.

    Args:
        folder: For whatever it writes.
        part: What is metered: all GPUs, processors and memory, or whatever the tool meters if nothing is said.
        mark: Whether every step is told to it.
        steps: How many steps there will be at the most.
        own_gpu: Whether the tool is told to meter the GPU of this rank alone.
        save: Whether it is to write down what it can, at the end of every epoch.
        judged: Whether the steps are going to be held against the truth.
    """

    folder: Path
    part: Part = "gpu"
    mark: bool = False
    steps: int = 1
    own_gpu: bool = False
    save: bool = False
    judged: bool = False


class Nothing:
    """No tool at all, and what a tool has to be able to do.

    Args:
        task: What is asked of it.
    """

    def __init__(self, task: Task) -> None:
        self.task = task

    def load(self) -> None:
        """Import it."""

    def start(self) -> None:
        """Construct and start it."""

    def begin(self) -> None:
        """A step begins."""

    def end(self) -> None:
        """A step ends."""

    def end_epoch(self) -> None:
        """An epoch ends, and with it what could be lost is written down, where the tool has a way to do so."""

    def stop(self) -> float | None:
        """Stop.

        Returns:
            The joules of the whole run.
        """
        return None

    def steps(self) -> list[float | None]:
        """The joules of each step; ``None`` where the tool tells none."""
        return []

    def left(self) -> float | None:
        """The joules that it had written down when it was killed; ``None`` where there is nothing to read."""
        return None


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
        until = time.monotonic() + OURS_PATIENCE_SECONDS
        while True:
            command = [sys.executable, "-m", "lightning_carbon", "runs"]
            subprocess.run(command, env=environment, check=True, capture_output=True)
            [file] = self.task.folder.rglob("record.json")
            record = json.loads(file.read_text(encoding="utf-8"))
            if record["status"] != "running" or time.monotonic() > until:
                return _joules_of(record["energy"]["domains"], self.task.part)
            time.sleep(1)


class CodeCarbon(Nothing):
    """``OfflineEmissionsTracker``: no network, and quiet; steps are tasks, as its documentation has them."""

    def load(self) -> None:
        """Import what a user imports."""
        from codecarbon import OfflineEmissionsTracker

        self._type = OfflineEmissionsTracker

    def start(self) -> None:
        """``start()`` unless steps are told, in which case the first task starts it."""
        own = {"gpu_ids": [int(os.environ["LOCAL_RANK"])]} if self.task.own_gpu else {}
        self._tracker = self._type(
            country_iso_code="SWE",
            log_level="error",
            on_csv_write="update",
            output_dir=str(self.task.folder),
            rapl_include_dram=True,
            **own,
        )
        self._count = 0
        self._steps: list[float | None] = []
        if not self.task.mark:
            self._tracker.start()

    def begin(self) -> None:
        """A task begins."""
        if self.task.mark:
            self._count += 1
            self._tracker.start_task(str(self._count))

    def end(self) -> None:
        """A task ends, and tells its energy."""
        if self.task.mark:
            self._steps.append(self._joules(self._tracker.stop_task()))

    def end_epoch(self) -> None:
        """Its way to write down what there is so far."""
        if self.task.save:
            self._tracker.flush()

    def stop(self) -> float | None:
        """As it says itself."""
        self._tracker.stop()
        return self._joules(self._tracker.final_emissions_data)

    def steps(self) -> list[float | None]:
        """The energy of each task."""
        return self._steps

    def left(self) -> float | None:
        """The last line of its file."""
        file = self.task.folder / "emissions.csv"
        if not file.exists():
            return None
        with file.open(encoding="utf-8") as lines:
            return float([*csv.DictReader(lines)][-1]["gpu_energy"]) * JOULES_PER_KWH

    def _joules(self, data: Any) -> float | None:  # noqa: ANN401 - the tool is not typed
        if data is None:
            return None
        kwh = {"gpu": data.gpu_energy, "cpu": data.cpu_energy}.get(self.task.part, data.energy_consumed)
        return float(kwh) * JOULES_PER_KWH


class CarbonTracker(Nothing):
    """``CarbonTracker`` with log files, which is where its figures are; steps are epochs, the one unit that it has."""

    def load(self) -> None:
        """Import what a user imports."""
        from carbontracker import parser
        from carbontracker.tracker import CarbonTracker as Tracker

        self._type, self._parser = Tracker, parser

    def start(self) -> None:
        """Its finest sampling, which is its default, and no prediction."""
        many = self.task.mark or self.task.save
        self._tracker = self._type(
            epochs=self.task.steps if many else 1,
            components=self.task.part,  # "all" is its default
            epochs_before_pred=0,
            ignore_errors=True,
            log_dir=str(self.task.folder),
            verbose=0,
        )
        if not self.task.mark:
            self._tracker.epoch_start()

    def begin(self) -> None:
        """An epoch begins."""
        if self.task.mark:
            self._tracker.epoch_start()

    def end(self) -> None:
        """An epoch ends."""
        if self.task.mark:
            self._tracker.epoch_end()

    def end_epoch(self) -> None:
        """What has been so far is logged at the end of an epoch."""
        if self.task.save:
            self._tracker.epoch_end()
            self._tracker.epoch_start()

    def stop(self) -> float | None:
        """What its log calls the actual consumption, without the PUE that it is multiplied by."""
        from carbontracker.constants import PUE_2023

        if not self.task.mark:
            self._tracker.epoch_end()
        self._tracker.stop()
        [log] = self._parser.parse_all_logs(log_dir=str(self.task.folder))
        return float(log["actual"]["energy (kWh)"]) * JOULES_PER_KWH / PUE_2023 if log["actual"] else None

    def steps(self) -> list[float | None]:
        """The energy of each epoch, as its own parser reads it from its own log."""
        logged = self._parser.parse_logs(str(self.task.folder))
        parts = [logged[name]["avg_energy_usages (J)"] for name in logged if self.task.part in (name, "all")]
        told = [[float(joules) for joules in energies.reshape(-1)] for energies in parts if energies is not None]
        return [sum(joules) for joules in zip(*told, strict=True)]

    def left(self) -> float | None:
        """The epochs in its log."""
        self.load()
        epochs = [joules for joules in self.steps() if joules is not None]
        return sum(epochs) if epochs else None


class Zeus(Nothing):
    """``ZeusMonitor``: a window around the run, and one around each step; its counter needs no thread.

    There is no torch GPU to be waited for, so windows do not synchronise. Where steps are judged by their energy, those
    too short for the counter are approximated, as its documentation offers.
    """

    def load(self) -> None:
        """Import what a user imports."""
        from zeus.monitor import ZeusMonitor

        self._type = ZeusMonitor

    def start(self) -> None:
        """Processors are left out where GPUs are asked for, and the other way round."""
        left_out = {"gpu": "cpu_indices", "cpu": "gpu_indices"}.get(self.task.part)
        indices: dict[str, Any] = {left_out: []} if left_out else {}
        if self.task.own_gpu:
            indices["gpu_indices"] = [int(os.environ["LOCAL_RANK"])]
        log = {"log_file": str(self.task.folder / "zeus.csv")} if self.task.save else {}
        self._monitor = self._type(approx_instant_energy=self.task.judged, **indices, **log)
        self._steps: list[float | None] = []
        self._monitor.begin_window("run", sync_execution=False)
        if self.task.save:
            self._monitor.begin_window("epoch", sync_execution=False)

    def begin(self) -> None:
        """A window begins."""
        if self.task.mark:
            self._monitor.begin_window("step", sync_execution=False)

    def end(self) -> None:
        """A window ends, and tells its energy."""
        if self.task.mark:
            self._steps.append(self._joules(self._monitor.end_window("step", sync_execution=False)))

    def end_epoch(self) -> None:
        """A window that ends is written to its log."""
        if self.task.save:
            self._monitor.end_window("epoch", sync_execution=False)
            self._monitor.begin_window("epoch", sync_execution=False)

    def stop(self) -> float | None:
        """The energy of the window around all."""
        return self._joules(self._monitor.end_window("run", sync_execution=False))

    def steps(self) -> list[float | None]:
        """The energy of each window."""
        return self._steps

    def left(self) -> float | None:
        """The windows in its log."""
        with (self.task.folder / "zeus.csv").open(encoding="utf-8") as lines:
            epochs = [line for line in csv.DictReader(lines) if line["window_name"] == "epoch"]
        if not epochs:
            return None
        return sum(float(value) for line in epochs for key, value in line.items() if key.endswith("_energy"))

    def _joules(self, found: Any) -> float:  # noqa: ANN401 - the tool is not typed
        parts = [found.gpu_energy, found.cpu_energy, found.dram_energy]  # those that were left out are empty
        return float(sum(sum((part or {}).values()) for part in parts))


ADAPTERS: dict[str, type[Nothing]] = {
    "none": Nothing,
    "ours": Ours,
    "codecarbon": CodeCarbon,
    "carbontracker": CarbonTracker,
    "zeus": Zeus,
}


def _joules_of(domains: list[dict[str, Any]], part: Part) -> float | None:
    kinds = {"gpu": {"gpu"}, "cpu": {"package", "dram"}}.get(part, {"gpu", "package", "dram", "host"})
    found = [float(domain["joules"]) for domain in domains if str(domain["kind"]) in kinds]
    return sum(found) if found else None
