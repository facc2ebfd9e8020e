"""A framework that one may want to integrate: a loop that calls hooks, under the name that it would have installed."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

__all__: list[str] = []


class Loop:
    """Trains, and calls the hooks of a callback.

    Args:
        callback: What has the hooks.
    """

    def __init__(self, callback: Any) -> None:  # noqa: ANN401 - whatever has the hooks
        self._callback = callback
        self.logged: list[dict[str, float]] = []

    def log(self, metrics: dict[str, float]) -> None:
        """Write metrics down."""
        self.logged.append(metrics)

    def run(self, steps: int) -> None:
        """Train."""
        error: type[BaseException] | None = None
        self._callback.on_start(self)
        try:
            self._callback.on_epoch_start(self)
            for _ in range(steps):
                sum(range(1_000_000))
                self._callback.on_step_end(self, samples=4)
        except BaseException as raised:
            error = type(raised)
            raise
        finally:
            self._callback.on_end(self, error)


framework = ModuleType("framework")
vars(framework)["Loop"] = Loop
sys.modules["framework"] = framework
