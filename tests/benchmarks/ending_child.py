"""Shows the end of a long run in TensorBoard again and again, and times it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from torch.utils.tensorboard import SummaryWriter

from lightning_carbon.integrations.trackers.finished import FinishedRun
from lightning_carbon.integrations.trackers.tensorboard import show_finished_run
from lightning_carbon.records.power_profile import Height, Heights, Strand, power_profile_of
from lightning_carbon.records.rows import METRICS
from tests.unit.records.samples import FULL

_SECOND = 1_000_000_000
_PHASES = ("train", "validate", "checkpoint")
_STRANDS = (Strand("gpu", is_modelled=False), Strand("package", is_modelled=False), Strand("dram", is_modelled=True))


def heights() -> Heights:
    """A week that was looked at twice a second, in three phases by turns."""
    kept = Heights()
    for half in range(2, 7 * 24 * 7_200, 2):
        ns = half * _SECOND // 2
        if not kept.wants(ns):
            continue
        uj = {strand: ns // (1_000 * (place + 2)) for place, strand in enumerate(_STRANDS)}
        phases = dict.fromkeys(_PHASES, ns // 3)
        kept.note(Height(ns, uj, dict.fromkeys(_STRANDS, ns), phases))
    return kept


def main() -> None:
    """Show, and tell how long each time took."""
    kept = heights()
    names = [metric.name for metric in METRICS]
    walls, processors = [], []
    for _ in range(int(sys.argv[2])):
        with TemporaryDirectory() as folder:
            writer = SummaryWriter(folder)
            began, used = perf_counter(), process_time()
            show_finished_run(writer, FinishedRun(FULL, power_profile_of(kept.all()), 100, names))
            walls.append((perf_counter() - began) * 1e3)
            processors.append((process_time() - used) * 1e3)
            writer.close()
    found = {"wall_ms": walls, "processor_ms": processors, "stretches": len(kept.all()) - 1}
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
