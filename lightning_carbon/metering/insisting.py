"""Work that has to be done despite interruptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES: Final = 3
"""The number of interruptions after which the record stays unwritten."""


def insist(work: Callable[[], None], otherwise: Callable[[Exception], None]) -> None:
    """Do some work, and again where an interruption such as Ctrl-C cuts it short, which is raised afterwards.

    Args:
        work: The work, which does not repeat its finished parts.
        otherwise: Called with the reason where the work fails.
    """
    interruption: BaseException | None = None
    for _ in range(_TRIES):
        try:
            work()
            break
        except Exception as error:  # noqa: BLE001 - passed on to `otherwise`
            otherwise(error)
            break
        except BaseException as error:  # noqa: BLE001 - raised below
            interruption = error
    if interruption is not None:
        raise interruption
