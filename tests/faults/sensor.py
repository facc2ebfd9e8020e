"""A counter whose n-th reading fails, in one of several ways."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.testing import ScriptedCounter
from lightning_carbon.units import Energy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.testing import ManualClock

RAISED: Final[Mapping[str, Exception]] = {
    "fails": ReadFailed("timeout"),
    "is lost": SourceLost("fell off the bus"),
    "fails as files do": OSError(5, "Input/output error"),
    "has a defect": ZeroDivisionError("division by zero"),
}
RETURNED: Final[Mapping[str, Any]] = {
    "is no number": math.nan,
    "is nothing": None,
    "falls to zero": Energy.ZERO,
    "jumps": Energy(10**18),
}


class FaultyCounter(ScriptedCounter):
    """A counter of 100 W, in use for half a day, that fails at one reading.

    Args:
        clock: Whose time it lives in.
        fault: How, one of :data:`RAISED` and :data:`RETURNED`.
        at: At which reading, counted from 0.
    """

    def __init__(self, clock: ManualClock, fault: str, at: int) -> None:
        super().__init__(clock, joules=lambda seconds: 5e6 + 100.0 * seconds)
        self._fault = fault
        self._at = at
        self.readings = 0

    def read_energy(self) -> Energy:
        """The count, or a fault.

        Raises:
            Exception: The fault, where it is one that is raised.
        """
        self.readings += 1
        if self.readings - 1 != self._at:
            return super().read_energy()
        if self._fault in RAISED:
            raise RAISED[self._fault]
        returned: Energy = RETURNED[self._fault]
        return returned
