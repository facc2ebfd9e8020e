"""What hangs is left behind, what answers or fails is passed on."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress

import pytest

from lightning_carbon.errors import ReadFailed
from lightning_carbon.sources.patience import NoAnswer, Patience, patient


def test_an_answer_is_passed_on() -> None:
    """A call that returns has its value handed back, None included."""
    assert 5 == patient(lambda: 5)
    assert patient(lambda: None) is None


def test_an_error_is_passed_on() -> None:
    """A call that raises raises where it was asked for."""
    with pytest.raises(ZeroDivisionError):
        patient(lambda: 1 // 0)


def test_what_hangs_is_left_behind() -> None:
    """A call that does not return costs the patience and no more, on a thread that ends once it is let go."""
    release = threading.Event()
    with pytest.raises(TimeoutError, match=r"no answer in 0\.01 s"):
        patient(release.wait, 0.01)
    left = [thread for thread in threading.enumerate() if thread.name == "given-up-by-lightning-carbon"]
    release.set()
    for thread in left:
        thread.join(5)

    assert left
    assert not any(thread.is_alive() for thread in left)


def test_what_hangs_for_all_is_waited_for_once() -> None:
    """The second call that hangs costs a small part of the patience, and what answers is still heard."""
    release = threading.Event()
    messages = []
    with Patience(0.2) as patience:
        for _ in range(2):
            with pytest.raises(ReadFailed) as caught:
                patience.ask(release.wait)
            messages.append(str(caught.value))
        release.set()
        answer = patience.ask(lambda: 5)

    assert ["no answer in 0.2 s", "no answer in 0.01 s"] == messages
    assert 5 == answer


def test_a_thread_that_is_late_even_to_begin_is_left_behind() -> None:
    """A busy machine has not begun the call when the patience is over: there is no answer, and nothing else."""
    for _ in range(300):
        with Patience(1e-9) as patience, suppress(NoAnswer):
            patience.ask(int)
    answer = patient(lambda: 5)

    assert 5 == answer


def test_calls_share_a_thread_that_ends_with_the_block() -> None:
    """Calls that return, or raise, are all made on one thread, which is not that of whoever asks, and does not stay."""
    with Patience() as patience:
        first = patience.ask(threading.current_thread)
        with pytest.raises(ZeroDivisionError):
            patience.ask(lambda: 1 // 0)
        second = patience.ask(threading.current_thread)
    first.join(5)

    assert first is second is not threading.current_thread()
    assert not first.is_alive()


def test_what_an_interruption_leaves_behind_answers_no_later_call() -> None:
    """Ctrl-C while a call is waited for: the next call gets its own answer, and the old thread ends."""
    release, asked = threading.Event(), threading.Event()

    def hang() -> str:
        asked.set()
        release.wait()
        return "the first"

    def interrupt() -> None:
        asked.wait(5)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with Patience() as patience:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            patience.ask(hang)
        release.set()
        answer = patience.ask(lambda: "the second")

    assert "the second" == answer
