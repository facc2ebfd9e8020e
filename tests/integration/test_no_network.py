"""No socket is opened unless a provider, or the cloud, is asked for by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import json, sys

seen = []
sys.addaudithook(lambda event, arguments: seen.append(event) if event.startswith("socket.") else None)

from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU

settings = json.loads(sys.argv[1])
meter = Meter(sources=[SimulatedGPU()], **settings)
made = list(seen)
with meter:
    meter.step_done()
    meter.row()
found = {"made": made, "seen": list(seen), "httpx": "httpx" in sys.modules}
import socket

socket.socket().close()
print(json.dumps({**found, "is_heard": len(seen) > len(found["seen"])}))
"""


def child(folder: Path, **settings: object) -> dict[str, list[str]]:
    """The audit events of sockets of a process that meters a step, up to its construction and in all."""
    words = [sys.executable, "-c", CHILD, json.dumps({"ledger": str(folder / "ledger"), **settings})]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("kind", ["region", "number", "series", "cloud"])
def test_no_socket_is_opened_unless_asked(tmp_path: Path, kind: str) -> None:
    """Not for a place, a number, the file of a series, or a region of a cloud; and httpx is not even loaded."""
    path = tmp_path / "grid.csv"
    path.write_text("time,gCO2e/kWh\n2025-01-31T00:00Z,41.4\n")
    settings: dict[str, dict[str, object]] = {
        "region": {"region": "SE"},
        "number": {"intensity": 41.4},
        "series": {"region": "SE", "intensity": str(path)},
        "cloud": {"region": "aws:eu-north-1"},
    }

    assert {"made": [], "seen": [], "httpx": False, "is_heard": True} == child(tmp_path, **settings[kind])
