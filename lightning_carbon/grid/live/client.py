"""Asking a provider over the network: bounded in time and size, with reasons that hold no secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

from lightning_carbon.errors import LightningCarbonError
from lightning_carbon.units import SECONDS_PER_HOUR

T = TypeVar("T")

MOST_ANSWER_BYTES: Final = 8 * 2**20
"""The most bytes of an answer; a month of five-minute values has about a tenth."""
PART_SECONDS: Final = 5.0
"""How long connecting, or the next part of an answer, may take; ours."""
MOST_RETRY_SECONDS: Final = float(SECONDS_PER_HOUR)
_TOO_MANY: Final = 429
_OK: Final = 200


class NotFetched(LightningCarbonError):
    """A provider gave no answer that can be used.

    Args:
        reason: Why, without URLs and headers.
        retry_seconds: How long the provider asks to be left alone; ``None`` where it says nothing.
    """

    def __init__(self, reason: str, retry_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_seconds = retry_seconds


def ask(
    url: str, parameters: Mapping[str, str], headers: Mapping[str, str], *, most_bytes: int = MOST_ANSWER_BYTES
) -> Any:  # noqa: ANN401 - JSON
    """Get JSON from a URL.

    Args:
        url: The URL.
        parameters: Its query.
        headers: The headers, which may hold secrets.
        most_bytes: The most bytes of an answer.

    Raises:
        NotFetched: There is no connection, no answer in time, or an answer that cannot be used.
    """
    import httpx

    try:
        with (
            httpx.Client(timeout=PART_SECONDS, follow_redirects=False) as client,
            client.stream("GET", url, params=dict(parameters), headers=dict(headers)) as answer,
        ):
            if answer.status_code != _OK:
                wait = answer.headers.get("retry-after", "") if answer.status_code == _TOO_MANY else ""
                raise NotFetched(f"status {answer.status_code}", _seconds(wait))
            data = b""
            for part in answer.iter_bytes():
                data += part
                if len(data) > most_bytes:
                    raise NotFetched("an answer without end")
    except httpx.TimeoutException:
        raise NotFetched("no answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        raise NotFetched("no connection") from None
    try:
        return json.loads(data)
    except ValueError:
        raise NotFetched("a garbled answer") from None


def within(seconds: float, call: Callable[[], T]) -> T:
    """Make a call on a thread of its own and wait for it: looking up a name has no time-out of its own.

    Args:
        seconds: How long to wait at most; the thread is left behind then.
        call: What may hang.

    Raises:
        NotFetched: There was no answer in time, or the call raised; whatever it was, no secret of it is passed on.
    """
    answers: list[T] = []
    errors: list[NotFetched] = []

    def make() -> None:
        try:
            answers.append(call())
        except NotFetched as error:
            errors.append(error)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            errors.append(NotFetched("a garbled answer"))
        except Exception as error:  # noqa: BLE001 - whatever the library raises, the training goes on
            errors.append(NotFetched(f"an error of the library ({type(error).__name__})"))

    thread = threading.Thread(target=make, name="lightning-carbon-live", daemon=True)
    thread.start()
    thread.join(seconds)
    if answers:
        return answers[0]
    raise errors[0] if errors else NotFetched("no answer in time")


def _seconds(text: str) -> float | None:
    """The seconds of a Retry-After header; a date counts as nothing."""
    with suppress(ValueError):
        return min(MOST_RETRY_SECONDS, max(0.0, float(text)))
    return None
