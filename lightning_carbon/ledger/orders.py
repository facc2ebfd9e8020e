"""The orders of a list of runs, as an index sorts them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

STARTED: Final = "started"
"""The order by start, the newest last."""

ORDERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        STARTED: "run_id",
        "duration": "duration_seconds",
        "energy": "coalesce(priced_joules, -1)",
        "co2e": "coalesce(grams_co2e, -1)",
        "steps": "steps",
        "name": "coalesce(run_name, '')",
        "project": "project",
        "status": "status",
    }
)
"""What each order sorts by; the largest, or the newest, comes last, where a terminal shows it."""
