"""A process of a run, told by its words what to meter, that goes on until it is told to end.

Started as ``python -m tests.integration.distributed.join LEDGER GPU...``; variables say which run it joins.
"""

import json
import sys

from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU


def main() -> None:
    """Meter, until there is a line to read or none will come."""
    ledger, *gpus = sys.argv[1:]
    with Meter(ledger=ledger, project="grpo", sources=[SimulatedGPU(index=int(gpu)) for gpu in gpus]) as meter:
        meter.step_done(samples=8)
        meter.count(accepted=2)
        print("started", flush=True)  # noqa: T201 - to the test
        sys.stdin.readline()
    meter.row()
    record = meter.record
    print(json.dumps({"run_id": record.run_id, "joules": record.energy.total_joules}))  # noqa: T201 - to the test


main()
