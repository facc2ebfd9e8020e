"""Asking what may never answer: a driver, or a file that turns out to be a pipe.

A call that hangs cannot be ended from outside, so it is made on a thread that is left behind where it does not return.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeVar

from lightning_carbon.errors import ReadFailed

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

PATIENCE_SECONDS: Final = 2.0
"""How long a sensor may take to answer, at the start as in mid-run; ours."""

_LEFT_BEHIND: Final = "given-up-by-lightning-carbon"

_LITTLE: Final = 0.05
"""The share of the patience that is left once it was in vain: what hangs once mostly hangs for all."""


class NoAnswer(ReadFailed, TimeoutError):
    """A call has not come back in time; it may still do so, unheard."""


def patient(call: Callable[[], _T], seconds: float = PATIENCE_SECONDS) -> _T:
    """Make a call and wait for it, but not for ever.

    Args:
        call: What may hang.
        seconds: How long to wait at most.

    Returns:
        What it returns.

    Raises:
        NoAnswer: It has not returned by then.
        BaseException: Whatever the call raises.
    """
    answer: list[_T] = []
    trouble: list[BaseException] = []

    def ask() -> None:
        try:
            answer.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again, on the thread that asked
            trouble.append(error)

    thread = threading.Thread(target=ask, name="lightning-carbon-asks", daemon=True)
    thread.start()
    thread.join(seconds)
    if trouble:
        raise trouble[0]
    if not answer:
        thread.name = _LEFT_BEHIND
        raise NoAnswer(f"no answer in {seconds:g} s")
    return answer[0]


class Patience:
    """Makes several calls, and waits for all that hang hardly longer than for one.

    Args:
        seconds: How long to wait for the first that hangs.
    """

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._seconds = seconds
        self._is_left = True

    def ask(self, call: Callable[[], _T]) -> _T:
        """Make a call.

        Raises:
            NoAnswer: It has not returned in time.
            BaseException: Whatever the call raises.
        """
        try:
            return patient(call, self._seconds if self._is_left else self._seconds * _LITTLE)
        except NoAnswer:
            self._is_left = False
            raise
