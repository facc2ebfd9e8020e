"""The stand-in accelerator keeps CUDA's rules, as torch shows them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.torch_standin import device as standin
from tests.torch_standin.device import Call

CAPTURING = "operation not permitted when stream is capturing"


@pytest.fixture(autouse=True)
def _new_devices() -> None:
    standin.reset(manual_ns=10**12)


def _event() -> Any:  # noqa: ANN401 -- an event of torch
    event: Any = torch.Event("standin", enable_timing=True)
    event.record(standin.current_stream())
    return event


def test_torch_takes_it_for_its_accelerator() -> None:
    """Its devices can be counted and looked at, and none is started by that."""
    found = (torch.accelerator.is_available(), torch.accelerator.device_count(), standin.current_stream(1).device_index)

    assert (True, 2, 1) == found
    assert not standin.is_initialized()


def test_a_distance_is_on_the_device_s_own_clock() -> None:
    """A clock that gains 100 microseconds a second shows so much more, in steps of half a microsecond."""
    standin.configure(drift_ppm=100.0)
    first = _event()
    standin.launch(10.0)
    second = _event()
    standin.synchronize()

    assert 10_001.0 == pytest.approx(first.elapsed_time(second), abs=0.001)


def test_an_idle_device_takes_its_time_to_note_it() -> None:
    """An event is done after the latency, and not before."""
    standin.configure(latency_ns=40_000)
    event = _event()
    before = event.query()
    standin.advance(nanoseconds=40_000)

    assert (False, True) == (before, event.query())


def test_streams_run_beside_each_other() -> None:
    """Work of one stream keeps another from nothing, until that waits for it."""
    with torch.Stream(device="standin"):
        standin.launch(1.0)
        event = _event()
    before = standin.current_stream().query()
    standin.current_stream().wait_event(event)

    assert (True, False) == (before, standin.current_stream().query())


@pytest.mark.parametrize("asked", ["event", "stream", "synchronize"])
def test_to_ask_amid_a_capture_breaks_it(asked: str) -> None:
    """Whatever is asked or waited for, on whatever stream, is an error, and the graph is lost."""
    event, stream = _event(), standin.current_stream()
    standin.advance(seconds=1.0)
    calls = {"event": event.query, "stream": stream.query, "synchronize": standin.synchronize}

    broken = pytest.raises(RuntimeError, match="capture was broken")
    with broken, standin.captured(), pytest.raises(RuntimeError, match=CAPTURING):
        calls[asked]()


def test_a_graph_does_its_work_when_it_is_replayed() -> None:
    """Captured work is done later, and its stream says that it is captured, as the others do not."""
    outside = standin.current_stream()
    with standin.captured() as graph:
        standin.launch(3.0)
        states = (standin.current_stream().is_capturing(), outside.is_capturing())
    before_ns = standin.done_ns() - standin.now_ns()
    standin.replay(graph)

    assert (True, False) == states
    assert (0, 3_000_000_000) == (before_ns, standin.done_ns() - standin.now_ns())


def test_an_event_of_a_capture_cannot_be_asked_after_it() -> None:
    """Nor does it break anything else."""
    with standin.captured():
        event = _event()

    with pytest.raises(RuntimeError, match="last recorded in a capture"):
        event.query()


@pytest.mark.parametrize(("sticks", "failed"), [(False, [0, 1, 0, 0]), (True, [0, 1, 1, 1])])
def test_an_error_comes_once_or_sticks(*, sticks: bool, failed: list[int]) -> None:
    """An error that sticks is raised by every call of its kind, until the device is reset."""
    standin.fail(Call.QUERY_STREAM, after=1, sticks=sticks)
    found = []
    for _ in range(4):
        try:
            found.append(int(not standin.current_stream().query()))
        except RuntimeError as error:
            found.append(int(standin.MESSAGE in str(error)))

    assert failed == found
