"""A device that uses power where the test says so, and modules that say it in every part of a step."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.records.run import RunRecord
from lightning_carbon.units import Energy

IDLE_WATTS = 1.0
PATIENCE_SECONDS = 300.0
SECONDS = 0.01


class Furnace:
    """An energy counter that knows what each part of a training used.

    Power rises only between two readings that both fall into the same part, so what is attributed to a part does not
    depend on when the sensor happens to be read.
    """

    sensor = Sensor(Domain(Kind.GPU, "gpu:furnace", "Furnace"), Provenance.COUNTER, 0.0, "simulated energy counter")

    def __init__(self) -> None:
        self.truth: dict[str, float] = {}
        self._lock = Lock()
        self._watts = IDLE_WATTS
        self._joules = 0.0
        self._at = time.monotonic()
        self._reads = 0

    def read_energy(self) -> Energy:
        """The count."""
        with self._lock:
            self._run()
            self._reads += 1
            return Energy.from_joules(self._joules)

    def burn(self, part: str, watts: float) -> None:
        """Use power for a moment, as a part of a training."""
        self.wait()
        before = self._switch(watts)
        time.sleep(SECONDS)
        after = self._switch(IDLE_WATTS)
        self.truth[part] = self.truth.get(part, 0.0) + after - before
        self.wait()

    def wait(self) -> None:
        """Wait until a reading that began after now has ended."""
        aim = self._reads + 2
        give_up = time.monotonic() + PATIENCE_SECONDS
        while self._reads < aim:
            assert time.monotonic() < give_up, "nobody reads the source"
            time.sleep(0.001)

    def is_met_by(self, record: RunRecord, parts: dict[str, float], phase: str = "train") -> bool:
        """Whether parts have what they used, but for the little that is used all the time."""
        idle = IDLE_WATTS * record.duration_seconds
        found = record.energy.parts[phase]
        return all(joules - 0.01 <= found.get(part, 0.0) <= joules + idle for part, joules in parts.items())

    def _switch(self, watts: float) -> float:
        with self._lock:
            self._run()
            self._watts = watts
            return self._joules

    def _run(self) -> None:
        now = time.monotonic()
        self._joules += self._watts * (now - self._at)
        self._at = now


class _Backward(torch.autograd.Function):
    """Passes on what it gets, and calls a function in the backward pass."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, action: Callable[[], object]) -> Tensor:  # noqa: ANN401 - torch's
        """Pass on."""
        ctx.action = action
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # noqa: ANN401 - torch's
        """Call, and pass on."""
        ctx.action()
        return gradients[0], None


def in_backward(value: Tensor, action: Callable[[], object]) -> Tensor:
    """The same value, whose backward pass calls a function."""
    passed: Tensor = _Backward.apply(value, action)  # type: ignore[no-untyped-call]  # torch's
    return passed


class HotDescent(torch.optim.SGD):
    """Plain descent that uses power while it changes weights."""

    furnace: Furnace

    def step(self, closure: Any = None) -> Any:  # noqa: ANN401 - torch's
        """Change weights."""
        result = super().step(closure)
        self.furnace.burn("optimizer", 500.0)
        return result


class HotNumbers(Dataset[Any]):
    """Samples whose loading uses power.

    Args:
        furnace: Where.
        samples: How many there are.
        sample: One of them.
    """

    def __init__(self, furnace: Furnace, samples: int, sample: object) -> None:
        self._furnace = furnace
        self._samples = samples
        self._sample = sample

    def __len__(self) -> int:
        """Samples."""
        return self._samples

    def __getitem__(self, index: int) -> Any:  # noqa: ANN401 - whatever was given
        """One sample."""
        self._furnace.burn("data", 200.0)
        return self._sample


def descent(furnace: Furnace, parameters: Any) -> HotDescent:  # noqa: ANN401 - torch's
    """An optimizer that uses power there."""
    made = HotDescent(parameters, lr=0.01)
    made.furnace = furnace
    return made
