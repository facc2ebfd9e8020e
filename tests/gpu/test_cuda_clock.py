"""The clock of a real GPU: its events fit the port, nothing waits, and moments are where the GPU was.

Moments are held to the host's clock by what the host can see for itself: with a GPU that is waited for after every
step, the end of the waiting is when it was done, within what it takes to wake up.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lightning_carbon.metering.step_clock import DeviceStepClock
from lightning_carbon.sources.clock import SystemClock
from tests.contracts.event_device import EventDeviceContract, Subject

torch = pytest.importorskip("torch", reason="torch is not installed")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU that it can use"),
]

BOUND_NS = 1_000_000
"""By how much a moment may be off from when a waiting program woke up: 1 ms, the scheduling of a busy host included."""


def _cycles_per_second() -> float:
    """How many cycles the GPU spins in a second, by the difference of a long and a short spin."""
    taken = []
    for cycles in (10_000_000, 10_000_000, 110_000_000):
        torch.cuda.synchronize()
        start = time.perf_counter()
        torch.cuda._sleep(cycles)  # noqa: SLF001 -- torch's own tests wait like this; it has no public way to
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return 100_000_000 / (taken[2] - taken[1])


@pytest.fixture(scope="module")
def spin() -> Callable[[float], None]:
    """Keeps the GPU busy for so many seconds, without waiting for it."""
    pace = _cycles_per_second()
    return lambda seconds: torch.cuda._sleep(round(seconds * pace))  # noqa: SLF001 -- likewise


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Whatever makes the program wait for the GPU is an error."""
    torch.cuda.synchronize()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says, once, that it does not notice every kind of waiting
        torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()


def _steps() -> DeviceStepClock[Any]:
    from lightning_carbon.sources.torch_devices import event_device_of

    device = event_device_of("cuda")
    assert device is not None
    torch.cuda.synchronize()
    return DeviceStepClock(SystemClock(), device)


class TestCudaEvents(EventDeviceContract):
    """CUDA's events are held to what holds for the scripted device."""

    @pytest.fixture
    def subject(self, spin: Callable[[float], None]) -> Subject:
        """The GPU."""
        self.spin = spin
        return self.make()

    def make(self) -> Subject:
        """The GPU."""
        from lightning_carbon.sources.torch_devices import event_device_of

        device = event_device_of("cuda")
        assert device is not None
        torch.cuda.synchronize()

        def captured(call: Callable[[], object]) -> None:
            graph, tensor = torch.cuda.CUDAGraph(), torch.zeros(8, device="cuda")
            tensor.add_(0)  # loads the kernel, which cannot be done amid a capture
            with torch.cuda.graph(graph):
                tensor.add_(1)
                call()
            graph.replay()
            torch.cuda.synchronize()

        return Subject(device, self.spin, torch.cuda.synchronize, captured)


@pytest.mark.usefixtures("no_waiting")
def test_the_step_path_waits_for_nothing(spin: Callable[[float], None]) -> None:
    """Stamps, polls and questions pass in no time while the GPU has a second of work left to do."""
    steps = _steps()
    spin(1.0)
    start = time.perf_counter()
    tickets = [steps.stamp() for _ in range(100)]
    for ticket in tickets:
        steps.poll()
        steps.resolve(ticket)
        steps.earliest(ticket)
    taken = time.perf_counter() - start
    behind = [steps.resolve(ticket) for ticket in tickets]
    steps.flush()

    assert steps.trouble is None
    assert taken < 0.5
    assert [None] * 100 == behind
    assert None not in [steps.resolve(ticket) for ticket in tickets]


@pytest.mark.parametrize("behind", [1, 3, 10])
def test_moments_are_where_the_gpu_was(behind: int, spin: Callable[[float], None]) -> None:
    """With the GPU behind by some steps, marks lie as far from its being done as their work is long, within 1 ms."""
    steps = _steps()
    steps.stamp()
    lengths = [0.03 if index % 3 else 0.09 for index in range(60)]
    tickets: list[object] = []
    woke_ns: list[int | None] = [None] * len(lengths)
    events = []
    for index, seconds in enumerate(lengths):
        spin(seconds)
        tickets.append(steps.stamp())
        event = torch.cuda.Event()
        event.record()
        events.append(event)
        if index >= behind:
            events[index - behind].synchronize()
            woke_ns[index - behind] = time.monotonic_ns()
    torch.cuda.synchronize()
    woke_ns[-1] = time.monotonic_ns()
    steps.flush()
    found = [steps.resolve(ticket) for ticket in tickets]
    off = sorted(
        abs(woke - moment)
        for woke, moment in zip(woke_ns, found, strict=True)
        if woke is not None and moment is not None
    )

    assert steps.trouble is None
    assert None not in found
    assert off[len(off) // 2] < BOUND_NS // 5
    assert off[len(off) * 9 // 10] < BOUND_NS


def test_a_gpu_that_is_waited_for_has_the_host_s_marks(spin: Callable[[float], None]) -> None:
    """Where the program waits after every step, marks are known at once, and are the stamps."""
    steps = _steps()
    for _ in range(20):
        spin(0.005)
        torch.cuda.synchronize()
        before_ns = time.monotonic_ns()
        moment_ns = steps.resolve(steps.stamp())
        after_ns = time.monotonic_ns()

        assert moment_ns is not None
        assert before_ns <= moment_ns <= after_ns


def test_a_capture_is_not_broken(spin: Callable[[float], None]) -> None:
    """Marks while a CUDA graph is captured leave the graph whole, and are known later."""
    steps = _steps()
    spin(0.05)
    first = steps.stamp()
    graph, tensor = torch.cuda.CUDAGraph(), torch.zeros(8, device="cuda")
    tensor.add_(0)  # loads the kernel, which cannot be done amid a capture
    with torch.cuda.graph(graph):
        tensor.add_(1)
        amid = steps.stamp()
        steps.poll()
    graph.replay()
    steps.flush()

    assert steps.trouble is None
    assert [True, True] == [steps.resolve(ticket) is not None for ticket in (first, amid)]
    assert 8.0 == float(tensor.sum())
