"""The table of a page on searches for hyperparameters: what their trials took, led nowhere with, and gained. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.records.numbers import CO2E, NOTHING, WATT_HOURS
from lightning_carbon.records.trial import TrialState
from lightning_carbon.report.pages.tables import Cell, count, figure, page_table, share, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.records.sweeps import SweepSum
    from lightning_carbon.report.pages.tables import PageTable

_NOWHERE: Final = (TrialState.PRUNED, TrialState.FAILED)


def sweep_table(sweeps: Sequence[SweepSum]) -> PageTable | None:
    """The searches of a report, the most costly first."""
    rows = [
        [
            words(sweep.name),
            count(len(sweep.trials)),
            figure(sweep.joules, WATT_HOURS),
            figure(sweep.joules / len(sweep.trials), WATT_HOURS),
            figure(sweep.grams_co2e, CO2E),
            words(sweep.best or NOTHING),
            Cell(NOTHING, -1.0) if sweep.best_ratio is None else share(sweep.best_ratio, 1.0),
            *(share(sweep.state_joules.get(state, 0.0), sweep.joules) for state in _NOWHERE),
            figure(sweep.joules_per_gain, WATT_HOURS),
        ]
        for sweep in sorted(sweeps, key=lambda sweep: -sweep.joules)
    ]
    columns = [("sweep", "<"), ("trials", ">"), ("energy", ">"), ("a trial", ">"), ("CO2e", ">"), ("best", "<")]
    columns += [("its share", ">"), *((state.value, ">") for state in _NOWHERE), ("energy/gain", ">")]
    note = (
        "Shares are of the energy of the sweep; its energy per gain is that of all trials after the first, for each "
        "unit by which the best value is better than the first. `lightning-carbon runs sweep NAME` has every trial."
    )
    return page_table("Searches for hyperparameters", columns, rows, notes=[note])
