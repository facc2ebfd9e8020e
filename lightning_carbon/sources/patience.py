"""Calls that may never return: to a driver, or to a file that turns out to be a pipe.

A call that hangs cannot be ended from outside, so it is made on a thread that is abandoned if it does not return.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Self, TypeVar, cast

from lightning_carbon.errors import ReadFailed

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

PATIENCE_SECONDS: Final = 2.0
"""How long a sensor may take to answer, at the start as in mid-run; ours."""

_LEFT_BEHIND: Final = "given-up-by-lightning-carbon"

_LITTLE: Final = 0.05
"""The share of the patience that is left after a call has hung, since further calls mostly hang, too."""


class NoAnswer(ReadFailed, TimeoutError):
    """A call has not returned in time; its result will be ignored."""


def patient(call: Callable[[], _T], seconds: float = PATIENCE_SECONDS) -> _T:
    """Make a call and wait for it for a limited time.

    Args:
        call: The call, which may hang.
        seconds: How long to wait at most.

    Returns:
        Its result.

    Raises:
        NoAnswer: It has not returned by then.
        BaseException: Whatever the call raises.
    """
    with Patience(seconds) as patience:
        return patience.ask(call)


class _Caller:
    """A thread that makes one call after the other, as long as each returns in time.

    Two locks hand the calls over and the answers back: a thread for every call costs several times as much.
    """

    def __init__(self) -> None:
        self._call: Callable[[], object] | None = None
        self._answer: object = None
        self._trouble: BaseException | None = None
        self._asked, self._answered = threading.Lock(), threading.Lock()
        self._asked.acquire()
        self._answered.acquire()
        self._thread = threading.Thread(target=self._make_calls, name="lightning-carbon-asks", daemon=True)
        self._thread.start()

    def make(self, call: Callable[[], object], seconds: float) -> bool:
        """Make a call; whether it has come back in time. If not, the thread can only be ended."""
        self._call = call
        self._asked.release()
        return self._answered.acquire(timeout=seconds)

    def take(self) -> object:
        """What the call has returned.

        Raises:
            BaseException: Whatever the call has raised.
        """
        answer, self._answer = self._answer, None
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise trouble
        return answer

    def end(self) -> None:
        """Let the thread end: at once, or when the call has come back that it is making."""
        self._call = None
        # On a busy machine the thread may not have got to the call yet, and then it finds that there is none.
        if self._asked.locked():
            self._asked.release()

    def leave(self) -> None:
        """Leave the thread behind with its call."""
        self._thread.name = _LEFT_BEHIND
        self.end()

    def _make_calls(self) -> None:
        while True:
            self._asked.acquire()
            call = self._call
            if call is None:
                return
            try:
                self._answer = call()
            except BaseException as error:  # noqa: BLE001 - raised again, on the thread that asked
                self._trouble = error
            del call
            self._answered.release()


class Patience:
    """Makes several calls, and waits for those that hang hardly longer than for the first.

    All are made on one thread, which ends with the ``with`` block. What hangs is left behind with its thread, and the
    next call gets another.

    Args:
        seconds: How long to wait for the first call that hangs.
    """

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self.seconds = seconds
        self._is_left = True
        self._caller: _Caller | None = None

    def ask(self, call: Callable[[], _T]) -> _T:
        """Make a call and wait for it.

        Raises:
            NoAnswer: It has not returned in time.
            BaseException: Whatever the call raises.
        """
        seconds = self.seconds if self._is_left else self.seconds * _LITTLE
        caller, self._caller = self._caller or _Caller(), None
        has_answered = False
        try:
            has_answered = caller.make(call, seconds)
        finally:  # Ctrl-C while this waits leaves the call behind, too
            if has_answered:
                self._caller = caller
            else:
                caller.leave()
        if not has_answered:
            self._is_left = False
            raise NoAnswer(f"no answer in {seconds:g} s")
        return cast("_T", caller.take())

    def __enter__(self) -> Self:
        """Enter the block in which calls are made."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the thread end after the block."""
        caller, self._caller = self._caller, None
        if caller is not None:
            caller.end()
