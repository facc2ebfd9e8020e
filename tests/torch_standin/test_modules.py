"""The modules of a model on the stand-in accelerator, which runs behind the program, beside their known powers."""

from __future__ import annotations

from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightning_carbon.energy.readings import CounterReading
from lightning_carbon.energy.timeline import CounterTimeline
from lightning_carbon.metering.module_sampling import ModuleSampling
from lightning_carbon.metering.step_clock import DeviceStepClock
from lightning_carbon.sources.torch_devices import device_in_use, event_device_of
from lightning_carbon.sources.torch_modules import TorchModel
from lightning_carbon.units import Energy
from tests.gpu.computing import StandinClock
from tests.torch_standin import device as standin

POWERS = {"0 forward": (0.011, 250.0), "0 backward": (0.023, 420.0), "1 forward": (0.017, 600.0)}
POWERS |= {"1 backward": (0.031, 330.0), "optimizer": (0.009, 150.0)}
"""How long the device works for each activity, and at which power."""
NEWS_NS = 20_000_000


class Work:
    """The work of the device: when it did what, and the energy up to any moment."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int, str]] = []
        self.random = Random(5)

    def launch(self, what: str) -> None:
        """Give the device the work of an activity, whose length varies."""
        start_ns = standin.done_ns()
        standin.launch(POWERS[what][0] * self.random.uniform(0.7, 1.3))
        self.spans.append((start_ns, standin.done_ns(), what))

    def microjoules(self, at_ns: int) -> int:
        """The energy up to a moment; an idle device uses none."""
        lasted = [(max(0, min(end_ns, at_ns) - start_ns), what) for start_ns, end_ns, what in self.spans]
        return round(sum(ns * POWERS[what][1] / 1e3 for ns, what in lasted))

    def shares(self) -> dict[str, float]:
        """The share of each activity in the energy."""
        used = dict.fromkeys(POWERS, 0.0)
        for start_ns, end_ns, what in self.spans:
            used[what] += (end_ns - start_ns) * POWERS[what][1]
        return {what: energy / sum(used.values()) for what, energy in used.items()}


class Layer(torch.autograd.Function):
    """An operation that gives the device work, forward and backward."""

    @staticmethod
    def forward(context: Any, value: Tensor, work: Work, name: str) -> Tensor:  # noqa: ANN401 - torch's
        """Work forward."""
        context.backward_work = work, name
        work.launch(f"{name} forward")
        return value.clone()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401 - torch's
        """Work backward."""
        work, name = context.backward_work
        work.launch(f"{name} backward")
        return gradients[0], None, None


class Busy(nn.Module):
    """A module of that one operation."""

    def __init__(self, work: Work, name: str) -> None:
        super().__init__()
        self.work, self.name = work, name

    def forward(self, value: Tensor) -> Tensor:
        """Give the device work."""
        worked: Tensor = Layer.apply(value, self.work, self.name)  # type: ignore[no-untyped-call]
        return worked


def _find() -> Any:  # noqa: ANN401 -- an event device
    device = device_in_use()
    return None if device is None else event_device_of(device)


def test_modules_are_timed_where_the_device_computes_them_and_found_by_their_power() -> None:
    """By real events, without a wait; each is less than 10 % off, though news of the sensor hold several."""
    standin.reset(manual_ns=10**13, call_ns=1_000)
    standin.launch(0.0)
    clock, work = StandinClock(), Work()
    steps = DeviceStepClock(clock, _find)
    steps.poll()
    sampling = ModuleSampling(1, clock, steps)
    model = nn.Sequential(Busy(work, "0"), Busy(work, "1"))
    sampling.watch(TorchModel(model, called=False))
    timeline = CounterTimeline(ticking=False)
    news_ns, waits = clock.now_ns(), standin.waits()
    # The program waits for the device after each step, as for a loss that is logged, by letting time pass.
    for _ in range(120):
        model(torch.ones(1, requires_grad=True)).sum().backward()
        sampling.note(steps.stamp(), (clock.now_ns(), None, None, None, "optimizer", None))
        work.launch("optimizer")
        sampling.note(steps.stamp(), (clock.now_ns(), None, None, None, "other", None))
        standin.advance(nanoseconds=max(0, standin.done_ns() - clock.now_ns()))
        sampling.note(steps.stamp(), (clock.now_ns(), None, None, None, None, None))
        steps.poll()
        while news_ns < clock.now_ns():
            timeline.append(CounterReading(news_ns, Energy(work.microjoules(news_ns))))
            news_ns += NEWS_NS
        sampling.settle(timeline.watermark_ns, [timeline], lambda: [0])
    sampling.close()
    steps.flush()
    sampling.settle(timeline.watermark_ns, [timeline], lambda: [0])
    sampling.conclude()
    truth = work.shares()

    assert waits == standin.waits()
    assert sampling.told is not None
    found = {f"{row.path} {row.direction}".strip(): row.share for row in sampling.told.rows}
    assert 0.1 > max(abs(found[what] / share - 1) for what, share in truth.items() if share > 0.05)
    assert 0.02 > found.get("rest", 0.0)
