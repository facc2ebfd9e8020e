"""The gauge of a service processor: what was told last, for as long as it is fresh, and never a wait."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.errors import NoNews, ReadFailed, SourceLost
from lightning_carbon.sources.redfish import sensor
from lightning_carbon.sources.redfish.gauge import FRESH_SECONDS, RedfishGauge
from lightning_carbon.units import Power
from tests.unit.sources.redfish.answers import HPE, ROOT, Answers, chassis, collection, metrics

if TYPE_CHECKING:
    from collections.abc import Callable


class Seconds:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def refused(_: str) -> None:
    """A service that lets nobody in."""
    message = "it does not let us in"
    raise SourceLost(message)


def test_an_answer_counts_while_it_is_fresh() -> None:
    """Then there are no news, and the next answer counts again."""
    clock = Seconds()
    gauge = RedfishGauge(sensor(), HPE.get, every_seconds=60.0, clock=clock)
    assert gauge.wait(10.0)
    first = gauge.read_power()
    clock.now += FRESH_SECONDS + 1
    with pytest.raises(NoNews):
        gauge.read_power()
    gauge.ask()

    assert Power(590.0) == first == gauge.read_power()


def test_a_service_that_never_answers_holds_up_nobody() -> None:
    """As where looking up its name hangs: reading says so at once, and the thread is a daemon that is left behind."""
    asked, over = threading.Event(), threading.Event()

    def hang(_: str) -> None:
        asked.set()
        over.wait(60.0)

    gauge = RedfishGauge(sensor(), hang)
    with pytest.raises(NoNews, match="no answer yet"):
        gauge.read_power()

    assert asked.wait(10.0)
    assert not gauge.wait(0.01)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "lightning-carbon-redfish")
    over.set()


def test_a_service_that_lets_nobody_in_is_not_asked_again() -> None:
    """Asking on could lock the account."""
    gauge = RedfishGauge(sensor(), refused)

    assert not gauge.wait(10.0)
    for _ in range(2):
        with pytest.raises(SourceLost, match="does not let us in"):
            gauge.read_power()


@pytest.mark.parametrize("error", [ReadFailed("status 503"), KeyError("secret"), RecursionError("secret")])
def test_trouble_is_told_without_what_an_answer_held(error: Exception) -> None:
    """The reason of a failed reading says no more than its kind."""
    failed = threading.Event()

    def fail(_: str) -> None:
        if failed.is_set():
            threading.Event().wait(0.01)
        failed.set()
        raise error

    gauge = RedfishGauge(sensor(), fail, every_seconds=0.01)
    gauge.wait(0.1)
    with pytest.raises(NoNews) as caught:
        gauge.read_power()

    assert "secret" not in str(caught.value)
    assert gauge.trouble


def energies() -> tuple[Answers, Callable[[float], None]]:
    """A machine that shows its energy alone, and what sets that."""
    path = f"{ROOT}/1/EnvironmentMetrics"
    answers: Answers = {
        ROOT: collection(f"{ROOT}/1"),
        f"{ROOT}/1": chassis(f"{ROOT}/1", "RackMount", EnvironmentMetrics=path),
    }

    def show(kilowatt_hours: float) -> None:
        answers[path] = metrics(None, kilowatt_hours)

    return answers, show


def test_an_energy_alone_gives_the_mean_power_between_its_moves() -> None:
    """From the second move on, and not over a reset."""
    answers, show = energies()
    clock = Seconds()
    gauge = RedfishGauge(sensor(), answers.get, clock=clock)
    told: list[float | None] = []
    for seconds, kilowatt_hours in ((0, 7.0), (9, 7.001), (18, 7.002), (20, 7.002), (200, 7.002), (201, 0.0)):
        clock.now = 100.0 + seconds
        show(kilowatt_hours)
        try:
            gauge.ask()
        except ReadFailed:
            told.append(None)
        else:
            told.append(gauge.read_power().watts)

    assert [None, None, pytest.approx(400.0), pytest.approx(400.0), None, None] == told
