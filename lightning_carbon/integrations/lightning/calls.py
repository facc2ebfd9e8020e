"""The events that a trainer of Lightning reports to no callback: a file is written, a tuner searches, the trainer ends.

A tuner takes all callbacks off its trainer while it searches, so the hook for an exception is not called there; and a
trainer may be deleted in the middle of a run. Wrappers of methods are set on the instance, and removed when the run
ends at the latest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, Final
from weakref import finalize

from lightning_carbon.integrations.lightning.trainers import Trainer
from lightning_carbon.integrations.trackers.kinds import is_called

_SEARCHES: Final = {"LearningRateFinder": "lr_find", "BatchSizeFinder": "scale_batch_size"}
"""The callbacks of tuners, and the methods that they call to search."""


class CallWatch:
    """Watches a trainer for as long as a run lasts.

    Args:
        trainer: The trainer.
        on_teardown: Called when the strategy has been torn down: after the last batch, and after an exception.
        searching: A context that surrounds each search of a tuner.
        on_deleted: Called on a thread of its own when the trainer has been deleted; must not know the trainer.
    """

    def __init__(
        self,
        trainer: Trainer,
        on_teardown: Callable[[], object],
        searching: Callable[[], AbstractContextManager[None]],
        on_deleted: Callable[[], object],
    ) -> None:
        self._surrounded: list[tuple[Any, str]] = []
        after_next_call(trainer.strategy, "teardown", on_teardown)
        for callback in trainer.callbacks:
            for class_name, method in _SEARCHES.items():
                if is_called(callback, class_name):
                    _surround(callback, method, searching)
                    self._surrounded.append((callback, method))
        self._deletion = finalize(trainer, _in_a_thread, on_deleted)
        self._deletion.atexit = False  # a meter does that itself

    def moves(self, strategy: Any, on_move: Callable[[object, object], object]) -> None:  # noqa: ANN401 - any
        """Also report each batch that goes to the device: on the host, and on the device.

        Args:
            strategy: The trainer's strategy.
            on_move: Called with the batch on the host and the batch on the device.
        """
        method = strategy.batch_to_device

        @wraps(method)
        def batch_to_device(batch: object, *args: object, **kwargs: object) -> object:
            moved = method(batch, *args, **kwargs)
            on_move(batch, moved)
            return moved

        strategy.batch_to_device = batch_to_device
        self._surrounded.append((strategy, "batch_to_device"))

    def forward(self, strategy: Any, on_forward: Callable[[], object]) -> None:  # noqa: ANN401 - any
        """Also report each forward pass of a step; an optimizer with a closure, such as LBFGS, needs several.

        Args:
            strategy: The trainer's strategy.
            on_forward: Called before each.
        """
        method = strategy.training_step

        @wraps(method)
        def training_step(*args: object, **kwargs: object) -> object:
            on_forward()
            return method(*args, **kwargs)

        strategy.training_step = training_step
        self._surrounded.append((strategy, "training_step"))

    def end(self) -> None:
        """Stop watching the trainer."""
        self._deletion.detach()
        for callback, method in self._surrounded:
            vars(callback).pop(method, None)
        self._surrounded = []


def after_next_call(owner: Any, name: str, action: Callable[[], object]) -> None:  # noqa: ANN401 - any strategy
    """Do an action once, after the next call of a method, however it ends."""
    method = getattr(owner, name)

    def call_once(*args: object, **kwargs: object) -> object:
        vars(owner).pop(name, None)
        try:
            return method(*args, **kwargs)
        finally:
            action()

    setattr(owner, name, call_once)


def _surround(owner: Any, name: str, context: Callable[[], AbstractContextManager[None]]) -> None:  # noqa: ANN401
    method = getattr(owner, name)

    @wraps(method)
    def call(*args: object, **kwargs: object) -> object:
        with context():
            return method(*args, **kwargs)

    setattr(owner, name, call)


def _in_a_thread(action: Callable[[], object]) -> None:
    """Run an action on a thread of its own: that of the garbage collector may hold a lock which the action needs."""
    threading.Thread(target=action, name="lightning-carbon-ending", daemon=True).start()
