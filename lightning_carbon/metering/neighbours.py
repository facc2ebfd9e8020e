"""Watching for other programs on hardware that is metered whole, without holding up the meter."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BEATS_A_LOOK = 64
"""The number of beats between two looks."""
_FIRST_LOOK = 4
"""The beat at which the first look happens, about a second after the start."""
_LOOK_SECONDS = 0.1
"""How long a beat may wait for a look."""

logger = logging.getLogger("lightning_carbon")


class NeighbourWatch:
    """Warns once of other programs on hardware that is metered whole.

    Args:
        neighbours: Returns their names, or an empty string; may hang, as drivers do.
        warn: Called with a key and a message.
    """

    def __init__(self, neighbours: Callable[[], str], warn: Callable[[str, str], None]) -> None:
        self._neighbours = neighbours
        self._warn = warn
        self._beats = 0
        self._thread: threading.Thread | None = None

    def beat(self) -> None:
        """Look, at some beats, on a thread of its own, as a driver that hangs must not hold up the journal."""
        self._beats += 1
        is_due = self._beats % _BEATS_A_LOOK == _FIRST_LOOK
        if not is_due or (self._thread is not None and self._thread.is_alive()):
            return
        thread = threading.Thread(target=self._look, name="lightning-carbon-look", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return  # no thread is free; there is another look later
        self._thread = thread
        thread.join(_LOOK_SECONDS)

    def _look(self) -> None:
        try:
            neighbours = self._neighbours()
        except Exception:
            logger.debug("cannot tell which programs use a GPU", exc_info=True)
            return
        if neighbours:
            self._warn("neighbours", neighbours)
