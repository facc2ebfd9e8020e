"""The loads of a calibration: the machine idle, its processors busy, and its GPU busy, each metered as a run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import fmean
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.errors import ReadFailed, SourceLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lightning_carbon.meter import Meter
    from lightning_carbon.ports import PowerGauge
    from lightning_carbon.records.run import RunRecord

IDLE, CPU, GPU = "idle", "cpu", "gpu"
LEAD_SECONDS: Final = 5.0
"""How long a load runs before it is metered: what a wall meter shows is a mean of seconds; ours."""
_EVERY_SECONDS: Final = 1.0
_UNTIL: Final = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\n"
"""The beginning of a load, which ends by itself where nobody ends it."""
_BURN: Final = f"{_UNTIL}while time.monotonic() < end:\n    sum(range(100000))\n"
_BURN_GPU: Final = (
    f"import torch\n{_UNTIL}"
    "matrices = [torch.randn(4096, 4096, device=f'cuda:{place}') for place in range(torch.cuda.device_count())]\n"
    "while time.monotonic() < end:\n"
    "    for matrix in matrices:\n"
    "        matrix @ matrix\n"
    "    torch.cuda.synchronize()\n"
)


class Load(NamedTuple):
    """A load of a machine.

    Args:
        name: The name of its run.
        seconds: How long it is metered.
        programs: The programs that make it, by their words.
    """

    name: str
    seconds: float
    programs: tuple[tuple[str, ...], ...] = ()


class Metered(NamedTuple):
    """A load that was metered.

    Args:
        record: The record of its run.
        wall_watts: The mean power at the wall meanwhile; ``None`` where that was not read.
    """

    record: RunRecord
    wall_watts: float | None


def loads(seconds: float, *, has_gpu: bool, prefix: str = "calibrate") -> list[Load]:
    """The loads that a machine is calibrated by.

    Args:
        seconds: How long each is metered.
        has_gpu: Whether it has a GPU that torch can use.
        prefix: How the names of their runs begin.
    """
    longest = f"{2 * (seconds + LEAD_SECONDS) + 60.0:g}"
    burn = (sys.executable, "-c", _BURN, longest)
    found = [Load(f"{prefix}-{IDLE}", seconds), Load(f"{prefix}-{CPU}", seconds, (burn,) * (os.cpu_count() or 1))]
    return (
        [*found, Load(f"{prefix}-{GPU}", seconds, ((sys.executable, "-c", _BURN_GPU, longest),))] if has_gpu else found
    )


def meter_loads(
    planned: Sequence[Load],
    meter: Callable[[str], Meter],
    wall: PowerGauge | None = None,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Metered]:
    """Meter one load after the other.

    Args:
        planned: The loads.
        meter: Makes the meter of a run of that name.
        wall: What shows the machine at its plug; ``None`` for a log that is read later.
        pause: Sleeps for so many seconds.

    Raises:
        SourceLost: The wall cannot be read.
    """
    for load in planned:
        started: list[subprocess.Popen[bytes]] = []
        try:
            started.extend(map(start, load.programs))
            pause(min(LEAD_SECONDS, load.seconds))
            with meter(load.name) as running:
                watts = _watch(load.seconds, wall, pause)
            if any(program.poll() is not None for program in started):
                message = f"a program of the load {load.name} has ended early"
                raise SourceLost(message)
        finally:
            for program in started:
                program.kill()
            for program in started:
                program.wait()
        yield Metered(running.record, watts)


def start(words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start a program of a load, which prints nothing."""
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own


def _watch(seconds: float, wall: PowerGauge | None, pause: Callable[[float], None]) -> float | None:
    """The mean power at the wall over a time."""
    shown: list[float] = []
    trouble, end = "", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if wall is not None:
            try:
                shown.append(wall.read_power().watts)
            except ReadFailed as error:
                trouble = str(error)
        pause(min(_EVERY_SECONDS, left))
    if wall is not None and not shown:
        raise SourceLost(f"the wall was not read: {trouble or 'no time for it'}")
    return fmean(shown) if shown else None
