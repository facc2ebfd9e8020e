"""A job's share of a GPU that other processes use, too, by how busy its processes kept the multiprocessors.

NVML samples, a few times a second, how busy each process kept them (``nvmlDeviceGetProcessUtilization``, ``smUtil`` in
percent). The GPU's energy of each interval is charged as follows:

* Where no other process is on the GPU, all of it is the job's, idle or not.
* Otherwise by the samples that came since: those of the job over those of all.
* Where others are on it and no sample came for a while, no process computed: its idle draw is split evenly among the
  processes on it, since each of them keeps it from sleeping.

Multiprocessors' utilisation says little about power: ±50 % of the share is our assumption, with the sensor's own
uncertainty on top. As with NVML's utilisation, a percentage is time with at least one kernel, not how much of the GPU
the kernel fills.

References: nvml.h on ``nvmlDeviceGetProcessUtilization`` (Maxwell or newer, not in MIG mode).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Provenance
from lightning_carbon.errors import SourceError, SourceUnavailable
from lightning_carbon.ports import EnergyCounter
from lightning_carbon.sources.nvml.library import code_of
from lightning_carbon.sources.nvml.processes import NAMESPACE_FIX, NAMESPACE_REASON
from lightning_carbon.sources.shares import SharedCounter, SharedGauge, Split
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.ports import Source
    from lightning_carbon.sources.nvml.library import Handle
    from lightning_carbon.sources.nvml.processes import Watch

UNCERTAINTY_RATIO: Final = 0.5
METHOD: Final = "nvmlDeviceGetProcessUtilization, smUtil of this job's processes / that of all; assumed"
WHOLE_FIX: Final = 'to be charged for the whole GPU, set gpu_scope to "device"'
LOOK_SECONDS: Final = 0.25
# The driver's samples are a sixth of a second to a second apart.
IDLE_SECONDS: Final = 1.5

_CONTAINED: Final = "this process is in a pid namespace of its own: processes outside of it may not be seen"
_SUCCESS: Final = 0
_NOT_FOUND: Final = 6  # nvml.h: no sample since then
_PERCENT: Final = 100


class ProcessShare:
    """The split of a GPU's work between the job and all processes.

    Args:
        handle: The GPU.
        nvml: The module :mod:`pynvml`.
        watch: Looks for the processes on the GPU.
        now_seconds: A monotonic clock.

    Attributes:
        remark: What may surprise a user, for people; mostly empty.

    Raises:
        SourceUnavailable: NVML does not attribute the work to processes, or the processes to this job.
    """

    def __init__(
        self, handle: Handle, nvml: ModuleType, watch: Watch, *, now_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._handle = handle
        self._nvml = nvml
        self._watch = watch
        self._now_seconds = now_seconds
        self._seen_microseconds = 0
        self._part = self._whole = 0
        self._is_alone = False
        self._settled_seconds = now_seconds()
        self._next_look_seconds = float("-inf")
        try:
            self._samples()
            occupants = watch.look()
        except SourceError as error:
            reason = f"NVML does not tell whose the work on this GPU is: {str(error).removeprefix('NVML: ')}"
            raise SourceUnavailable("nvml", reason, WHOLE_FIX) from error
        except AttributeError as error:
            reason = "this version of pynvml cannot ask whose the work on a GPU is"
            raise SourceUnavailable("nvml", reason, "pip install --upgrade nvidia-ml-py") from error
        if not occupants.is_trusted:
            reason = f"the processes on this GPU cannot be told from this job's: {NAMESPACE_REASON}"
            raise SourceUnavailable("nvml", reason, f"{NAMESPACE_FIX}, or {WHOLE_FIX}")
        self.remark = "" if watch.sees_all else _CONTAINED

    def read(self) -> Split:
        """The work of the job and of all processes up to now, in an arbitrary unit.

        Raises:
            ReadFailed: NVML fails this time.
            SourceLost: The GPU, the driver or the job is gone.
        """
        now = self._now_seconds()
        if now >= self._next_look_seconds:
            self._look(now)
            self._next_look_seconds = now + LOOK_SECONDS
        elif self._is_alone:
            self._settle(1, 1, now)
        return Split(self._part, self._whole)

    def now(self) -> Split:
        """The split at this moment, by the processes on the GPU; for the first share of a gauge."""
        occupants = self._watch.look()
        if not occupants.others:
            return Split(1, 1)
        return Split(len(occupants.job), len(occupants.job) + len(occupants.others))

    def _look(self, now: float) -> None:
        samples = self._samples()
        occupants = self._watch.look()
        self._is_alone = not occupants.others
        busy = sum(samples.values())
        if busy > 0:
            # A process that has ended since is in no list any more, and the tree may have forgotten it, too.
            job = occupants.job | self._watch.job()
            self._settle(sum(percent for pid, percent in samples.items() if pid in job), busy, now)
        elif self._is_alone:
            self._settle(1, 1, now)
        elif now - self._settled_seconds >= IDLE_SECONDS:
            self._settle(len(occupants.job), len(occupants.job) + len(occupants.others), now)

    def _settle(self, part: int, whole: int, now: float) -> None:
        self._part += part
        self._whole += whole
        self._settled_seconds = now

    def _samples(self) -> dict[int, int]:
        """How busy each process kept the GPU since the last look, in percent, summed over samples."""
        question = self._nvml.nvmlDeviceGetProcessUtilization

        def ask(handle: object) -> list[object]:
            try:
                return list(question(handle, self._seen_microseconds))
            except Exception as error:
                # pynvml even raises the code for success, where there are no samples and no room for any.
                if code_of(error) in {_SUCCESS, _NOT_FOUND}:
                    return []
                raise

        newest = self._seen_microseconds
        found: dict[int, int] = {}
        for sample in self._handle.ask(ask):
            pid, stamp, percent = (int(getattr(sample, name)) for name in ("pid", "timeStamp", "smUtil"))
            # Some drivers pad the list with empty entries.
            if pid <= 0 or stamp <= self._seen_microseconds or not 0 <= percent <= _PERCENT:
                continue
            newest = max(newest, stamp)
            found[pid] = found.get(pid, 0) + percent
        self._seen_microseconds = newest
        return found


def share(whole: Source, splitting: ProcessShare) -> Source:
    """The job's share of a GPU's source, counter or gauge."""
    if isinstance(whole, EnergyCounter):
        return SharedCounter(whole, splitting, _sensor(whole.sensor))
    return SharedGauge(whole, splitting, _sensor(whole.sensor), first=splitting.now())


def _sensor(whole: Sensor) -> Sensor:
    """The description of a share; the domain stays the same, so runs can be compared."""
    return replace(
        whole,
        provenance=Provenance.MODELLED,
        uncertainty_ratio=min(1.0, UNCERTAINTY_RATIO + whole.uncertainty_ratio),
        accuracy=None,
        method=f"{whole.method} × {METHOD}",
    )
