"""The thread that keeps house: it goes on, whatever happens there."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from lightning_carbon.metering.sampler import Sampler
from lightning_carbon.metering.sampling import Sampling
from lightning_carbon.testing import ManualClock

if TYPE_CHECKING:
    import pytest


def test_the_keeper_goes_on_after_an_exception_and_says_once_what_it_was(caplog: pytest.LogCaptureFixture) -> None:
    """Housekeeping that fails twice is done a third time, so that a run killed later has lost nothing."""
    calls: list[None] = []
    third = threading.Event()

    def keep_house() -> None:
        calls.append(None)
        if len(calls) < 3:
            message = "what another rank has left"
            raise ValueError(message)
        third.set()

    sampler = Sampler([], Sampling(ManualClock(), 0.1, threading.RLock(), keep_house, lambda _probe: None))
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        sampler.start()
        came = third.wait(60)
        sampler.finish(0)

    assert came
    assert ["what a run has used so far could not be written down; it is tried again"] == caplog.messages
    assert "what another rank has left" in caplog.text
