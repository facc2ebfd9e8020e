"""Does what has to be done although somebody interrupts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES: Final = 3
"""How often Ctrl-C may interrupt the writing of the record before it goes unwritten."""


def insist(work: Callable[[], None], otherwise: Callable[[Exception], None]) -> None:
    """Do some work, again where an interruption such as Ctrl-C cuts it short; the interruption is raised after it.

    Args:
        work: The work; what it has done already it leaves alone.
        otherwise: Done instead where the work fails, with the reason.
    """
    interruption: BaseException | None = None
    for _ in range(_TRIES):
        try:
            work()
            break
        except Exception as error:  # noqa: BLE001 - told to what is done instead
            otherwise(error)
            break
        except BaseException as error:  # noqa: BLE001 - raised below
            interruption = error
    if interruption is not None:
        raise interruption
