"""The orders of a list of runs."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lightning_carbon.ledger.facts import Facts

STARTED: Final = "started"
"""The order by start, the newest last."""

_NEVER: Final = -1.0
"""Before every figure: a run without a figure stands first."""


def _figure(value: float | None) -> float:
    return _NEVER if value is None else value


_KEYS: Final[Mapping[str, Callable[[Facts], Any]]] = {
    STARTED: lambda facts: facts.run_id,
    "duration": lambda facts: facts.duration_seconds,
    "energy": lambda facts: _figure(facts.microjoules),
    "co2e": lambda facts: _figure(facts.grams_co2e),
    "steps": lambda facts: facts.steps,
    "name": lambda facts: facts.run_name or "",
    "project": lambda facts: facts.project,
    "status": lambda facts: facts.status,
}


def _order(key: Callable[[Facts], Any]) -> Callable[[Facts], Any]:
    return lambda facts: (key(facts), facts.run_id, facts.project)


ORDERS: Final[Mapping[str, Callable[[Facts], Any]]] = MappingProxyType(
    {name: _order(key) for name, key in _KEYS.items()}
)
"""The key of each order by its name; the largest, or the newest, comes last, where a terminal shows it."""
