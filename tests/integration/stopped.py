"""Meters 50 W on a counter that wraps every 10 J, stops itself for 3 s in the middle, and prints what it measured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedCounter
from lightning_carbon.units import Energy


def main() -> None:
    """Run, be stopped, run on."""
    counter = SimulatedCounter(watts=50.0, wraps_at=Energy.from_joules(10))
    with Meter(sources=[counter], ledger=Path(sys.argv[1]), interval_seconds=0.02) as meter:
        time.sleep(1.0)
        subprocess.Popen(["/bin/sh", "-c", f"sleep 3; kill -CONT {os.getpid()}"], start_new_session=True)
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(1.0)
    energy = meter.record.energy
    told = (meter.record.duration_seconds, energy.total_joules, energy.coverage_ratio, energy.domains[0].lost)
    sys.stdout.write(" ".join(map(str, told)))


if __name__ == "__main__":
    main()
