"""Watches the budget of a run: warns on the way, and tells when it is used up.

What counts is what has been settled by now, of all ranks, about twice a second, beside the training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.budgets import Quantity
from lightning_carbon.records.numbers import percent
from lightning_carbon.records.totals import Totals
from lightning_carbon.units import Energy

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.carbon.intensity import Intensity
    from lightning_carbon.records.rows import Forecast
    from lightning_carbon.settings import MeterConfig

NOTHING: Final = Totals()
"""The totals of no attempt."""
WARNED_AT: Final = (0.5, 0.8, 0.95)
"""The shares of a budget that are warned of when they are used; ours."""


class BudgetWatch:
    """Watches one run.

    Args:
        config: The budget, what energy is priced with, and the consequence.
        warn: Told of what is worth a warning: a key and a message.

    Attributes:
        is_reached: Whether the budget is used up.
        is_due: Whether the run shall end for that: of several processes, on all of them from the same step on.
        warn: Told of what is worth a warning: a key and a message.
        used_ratio: The share of it that was used when it was last looked at; ``None`` before.
    """

    is_reached = is_due = False
    used_ratio: float | None = None

    def __init__(self, config: MeterConfig, warn: Callable[[str, str], None]) -> None:
        self._config = config
        self.warn = warn
        self._warned_at = 0.0
        self._intensity: Callable[[], Intensity] = lambda: config.intensity

    def price_by(self, intensity: Callable[[], Intensity]) -> None:
        """Price CO2e by a factor that changes while the run goes on."""
        self._intensity = intensity

    @property
    def text(self) -> str | None:
        """The budget as it was given; ``None`` where there is none."""
        return None if self._config.budget is None else self._config.budget.text

    @property
    def scope(self) -> str:
        """Whose usage counts."""
        return self._config.budget_scope

    def see(
        self,
        joules: float,
        forecast: Forecast | None = None,
        *,
        machine_ratio: float = 1.0,
        earlier: Totals = NOTHING,
    ) -> bool:
        """See what the run has used.

        Args:
            joules: Energy of the run's chips so far, without PUE.
            forecast: What they will have used at its end, where that is known.
            machine_ratio: The energy of the machines at their plugs over that of their chips.
            earlier: What earlier attempts at its training have used; counted where the budget is that of all.

        Returns:
            Whether the budget is used up, and was not before.
        """
        budget = self._config.budget
        if budget is None:
            return False
        share = self.used_ratio = self._share(joules, machine_ratio, earlier)
        if self.is_reached:
            return False
        if share >= 1:
            self.is_reached = True
            self.warn("budget", f"the budget of {budget.text} is used up")
            return True
        passed = max((mark for mark in WARNED_AT if mark <= share), default=0.0)
        if passed > self._warned_at:
            self._warned_at = passed
            self.warn(f"budget {passed}", f"{percent(passed)} of the budget of {budget.text} are used")
        likely = 0.0 if forecast is None else self._share(forecast.joules.value, machine_ratio, earlier)
        if likely > 1:
            self.warn("budget forecast", f"the run will likely use {percent(likely)} of its budget of {budget.text}")
        return False

    def _share(self, joules: float, machine_ratio: float, earlier: Totals) -> float:
        config, budget = self._config, self._config.budget
        assert budget is not None  # noqa: S101 - asked for only where there is one
        before = earlier if config.budget_scope == "lineage" else NOTHING
        is_carbon = budget.quantity is Quantity.CARBON
        # Earlier attempts are priced as their own records are.
        counted = joules if is_carbon else joules + (before.joules or 0.0)
        energy = Energy.from_joules(counted * machine_ratio)
        share = budget.share(energy, config.pue, self._intensity(), price_per_kwh=config.price_per_kwh or 0.0)
        return share + (before.grams_co2e or 0.0) / budget.amount if is_carbon else share
