"""Loops on a small file system of their own, which has no room, or no inodes, from some moment on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.report import Check

SIZES = {"no room": "size=64k", "no inodes": "size=1m,nr_inodes=12"}
MOMENTS = ("before the start", "in mid-run")

PROGRAM = """
import json, logging, sys, time
from pathlib import Path
from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU

root, moment = Path(sys.argv[1]), sys.argv[2]
said = []
handler = logging.Handler()
handler.emit = lambda entry: said.append(entry.getMessage())
logging.getLogger("lightning_carbon").addHandler(handler)


def fill():
    for number in range(100):
        try:
            with (root / f"ballast-{number}").open("wb", buffering=0) as file:
                while number < 1:
                    file.write(bytes(512))
        except OSError:
            if number:
                return


meter = Meter(sources=[SimulatedGPU(watts=100.0, tick_seconds=0.0)], ledger=root / "ledger", per_step=True)
if moment == "before the start":
    fill()
with meter:
    for step in range(150):
        if moment == "in mid-run" and step == 30:
            fill()
        time.sleep(0.01)
        meter.step_done()
record = meter.record
print(json.dumps({
    "steps": record.steps,
    "status": record.status,
    "watts": record.energy.total_joules / record.duration_seconds,
    "path": meter.record_path,
    "said": said,
}))
"""


def soak_full_disks() -> list[Check]:
    """Train on disks that are full; a check that says why where no file system can be mounted here."""
    checks = []
    for what, options in SIZES.items():
        for moment in MOMENTS:
            with TemporaryDirectory(prefix="lightning-carbon-full-") as folder:
                checks += _checks(f"{what} {moment}", options, moment, folder)
    return checks


def _checks(what: str, options: str, moment: str, folder: str) -> list[Check]:
    mount = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs -o {options} none "$0" && exec "$@"', folder]
    if shutil.which("unshare") is None or subprocess.run([*mount, "true"], check=False, capture_output=True).returncode:
        return [
            Check(what, "skipped", 0, "", note="no file system can be mounted here: needs root, or user namespaces")
        ]
    done = subprocess.run(
        [*mount, sys.executable, "-c", PROGRAM, folder, moment],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    if done.returncode:
        return [Check(what, "trainings that failed", 1, "", 0, note=done.stderr.strip()[-200:])]
    found = json.loads(done.stdout)
    stored = "stored" if found["path"] else "in memory alone"
    wrong = abs(found["watts"] / 100.0 - 1) * 100
    return [
        Check(
            what, "steps that are counted", found["steps"], "", 150, at_least=True, note=f"{found['status']}, {stored}"
        ),
        Check(what, "energy beside the truth", wrong, "%", 1.0, note=(found["said"] or [""])[0][:120]),
        Check(what, "warnings, at most one", len(found["said"]), "", 1),
        Check(
            what, "warnings or a record, at least one", len(found["said"]) + bool(found["path"]), "", 1, at_least=True
        ),
    ]
