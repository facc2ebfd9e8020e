"""A room with a powercap tree: a mount namespace of its own, whose counters rise by a closed form of time.

``python -m tests.benchmarks.peers.room SPEC WORD`` runs inside such a namespace and feeds the tree until it is killed;
whatever is to see the tree comes in by ``nsenter``. Nothing of it is seen outside. It takes util-linux and either root
or user namespaces.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.nvml_standin.scenario import Gpu
from tests.powercap import PowercapTree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

FEED_SECONDS = 0.001
"""As often as the counters of processors move, about."""
START_JOULES = 20_000.0
"""So that the count has the same number of digits for hours, and is written over in place."""

_MOUNTS = 'mount -t tmpfs none /sys/class && mount -t tmpfs none /sys/devices/virtual && exec "$@"'
_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Zone:
    """A counter of the tree.

    Args:
        name: Its folder, such as ``intel-rapl:0``.
        label: What it says it is.
        power: Its power over time, in the closed form that the stand-in GPUs have, too.
    """

    name: str
    label: str
    power: Gpu


@cache
def why_not() -> str:
    """Why there can be no such room on this machine; empty where there can."""
    if sys.platform != "linux" or not (shutil.which("unshare") and shutil.which("nsenter")):
        return "needs unshare and nsenter, of Linux"
    done = subprocess.run([*_unshare(), "true"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else "needs root or user namespaces"


class Room:
    """The namespace, as long as the context lasts.

    Args:
        folder: For its files.
        zones: What the tree has.
        environment: Of the process that feeds it.
    """

    def __init__(self, folder: Path, zones: Sequence[Zone], environment: dict[str, str]) -> None:
        self.zones = zones
        folder.mkdir()
        spec, word = folder / "spec.json", folder / "fed"
        spec.write_text(json.dumps([asdict(zone) for zone in zones]), encoding="utf-8")
        command = [*_unshare(), sys.executable, "-m", "tests.benchmarks.peers.room", str(spec), str(word)]
        self._process = subprocess.Popen(command, env=environment)
        until = time.monotonic() + _PATIENCE_SECONDS
        while not word.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(command)} ended with {self._process.returncode}")
            time.sleep(0.01)

    @property
    def inside(self) -> list[str]:
        """What is to be put before a command that shall see the tree."""
        user = ["--user", "--preserve-credentials"] if os.geteuid() else []
        return ["nsenter", "--target", str(self._process.pid), "--mount", *user]

    def true_joules(self, start_ns: int, end_ns: int) -> float:
        """What all zones truly used between two moments of the monotonic clock."""
        return sum(zone.power.true_joules(start_ns, end_ns) for zone in self.zones)

    def __enter__(self) -> Self:
        """It is fed since it was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The namespace goes with its last process."""
        self._process.kill()
        self._process.wait()


def main() -> None:
    """Feed the tree."""
    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    zones = [Zone(zone["name"], zone["label"], Gpu(**zone["power"])) for zone in spec]
    tree = PowercapTree(Path("/sys"))
    began_ns = time.monotonic_ns()
    placed = [tree.add(zone.name, zone.label, joules=START_JOULES) for zone in zones]
    files = [os.open(zone.path / "energy_uj", os.O_WRONLY) for zone in placed]
    with suppress(PermissionError):
        os.nice(-15)  # no tool's figure shall hang on whether another one keeps the feeding from its turn
    Path(sys.argv[2]).touch()
    while True:
        for zone, file in zip(zones, files, strict=True):
            joules = START_JOULES + zone.power.true_joules(began_ns, time.monotonic_ns())
            os.pwrite(file, b"%d\n" % round(joules * 1e6), 0)
        time.sleep(FEED_SECONDS)


def _unshare() -> list[str]:
    own = ["--map-root-user"] if os.geteuid() else []
    return ["unshare", *own, "--mount", "sh", "-c", _MOUNTS, "sh"]


if __name__ == "__main__":
    main()
