"""One face for every tool: each is used as its own documentation says, with its best settings for the job.

This file and :mod:`~tests.benchmarks.peers.driver` run in the peers' environment too, so they import nothing but the
standard library and the tool itself.
"""

from __future__ import annotations

import csv
import json
import os
from typing import Any

from tests.benchmarks.peers.face import Nothing
from tests.benchmarks.peers.ours import Ours

JOULES_PER_KWH = 3.6e6

TRACKIO_RUN = {"project": "comparison", "name": "run"}


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


class Landauer(Nothing):
    """``joules.Session`` of landauer-gap, which polls on a thread; a step is a phase, whose marks read every meter."""

    def load(self) -> None:
        """Import what a user imports."""
        from joules import Session

        self._type = Session

    def start(self) -> None:
        """Processors are left out where GPUs are asked for, and the other way round."""
        scopes: dict[str, dict[str, Any]] = {"gpu": {"cpu": False}, "cpu": {"gpus": []}}
        own = {"gpus": [int(os.environ["LOCAL_RANK"])]} if self.task.own_gpu else {}
        self._session = self._type(**scopes.get(self.task.part, {}), **own)
        self._steps: list[float | None] = []
        self._epoch = self._session.begin("epoch") if self.task.save else None

    def begin(self) -> None:
        """A phase begins."""
        if self.task.mark:
            self._step = self._session.begin("step")

    def end(self) -> None:
        """A phase ends, and tells its energy."""
        if self.task.mark:
            self._steps.append(float(self._session.end(self._step)["energy_j"]))

    def end_epoch(self) -> None:
        """Its way to write down what there is so far: all phases that have ended, in one file."""
        if self.task.save:
            self._session.end(self._epoch)
            self._session.save(str(self.task.folder / "phases.json"))
            self._epoch = self._session.begin("epoch")

    def stop(self) -> float | None:
        """All devices since its start."""
        joules = float(self._session.snapshot()["total_j"])
        self._session.close()
        return joules

    def steps(self) -> list[float | None]:
        """The energy of each phase."""
        return self._steps

    def left(self) -> float | None:
        """The phases in its file."""
        file = self.task.folder / "phases.json"
        if not file.exists():
            return None
        phases = json.loads(file.read_text(encoding="utf-8"))["phases"]
        return float(sum(phase["energy_j"] for phase in phases if phase["name"] == "epoch"))


class Trackio(Nothing):
    """``trackio.init``, which logs all GPUs every 10 s by itself; ``log_gpu`` where somebody wants to know.

    It tells what a GPU's counter has risen by since the start, so a step is the difference of two calls, at its end and
    at the end of the one before. Of processors it logs no energy, and of GPUs without a counter their power alone.
    """

    def load(self) -> None:
        """Import what a user imports; a variable names the folder of its runs."""
        os.environ["TRACKIO_DIR"] = str(self.task.folder)
        import trackio

        self._module = trackio

    def start(self) -> None:
        """The load of processors is left out where GPUs are asked for."""
        scope = {} if self.task.part == "all" else {"auto_log_cpu": False}
        self._module.init(**TRACKIO_RUN, **scope)
        self._steps: list[float | None] = []
        self._before = 0.0

    def end(self) -> None:
        """GPUs are logged, which tells their energy so far."""
        if self.task.mark:
            joules = self._log()
            self._steps.append(None if joules is None else joules - self._before)
            self._before = joules or 0.0

    def end_epoch(self) -> None:
        """What is logged is written down at most half a second later."""
        if self.task.save:
            self._log()

    def stop(self) -> float | None:
        """The energy of a last log."""
        joules = self._log()
        self._module.finish()
        return joules

    def steps(self) -> list[float | None]:
        """The energy between the logs."""
        return self._steps

    def left(self) -> float | None:
        """The last log in its database."""
        self.load()
        from trackio.sqlite_storage import SQLiteStorage

        told = map(_consumed, SQLiteStorage.get_system_logs(TRACKIO_RUN["project"], TRACKIO_RUN["name"]))
        return max((joules for joules in told if joules is not None), default=None)

    def _log(self) -> float | None:
        if self.task.part == "cpu":
            return None
        return _consumed(self._module.log_gpu(device=int(os.environ["LOCAL_RANK"]) if self.task.own_gpu else None))


ADAPTERS: dict[str, type[Nothing]] = {
    "none": Nothing,
    "ours": Ours,
    "codecarbon": CodeCarbon,
    "carbontracker": CarbonTracker,
    "zeus": Zeus,
    "landauer": Landauer,
    "trackio": Trackio,
}


def _consumed(log: dict[str, Any]) -> float | None:
    found = [float(joules) for name, joules in log.items() if name.endswith("/energy_consumed")]
    return sum(found) if found else None
