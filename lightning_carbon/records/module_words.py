"""The words for the modules of a run, in summaries, tables and flame graphs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.module_passes import ModulePass
from lightning_carbon.records.numbers import ENERGY, amount, percent, printable, shorten
from lightning_carbon.records.said import Line, Table

if TYPE_CHECKING:
    from lightning_carbon.records.module_table import ModuleRecord, ModulesRecord

MOST_SAID: Final = 8
"""The most rows in a summary."""
LARGE: Final = 0.05
"""The share of the steps from which on a row has to be known well."""
WELL: Final = 0.1
"""How far the ends of an interval may lie from its value, as a share of it, for the row to be known well."""
_WIDTH: Final = 40
_BESIDE: Final = {ModulePass.OPTIMIZER: "optimizer", ModulePass.REST: "rest of the step"}


def module_name(row: ModuleRecord, model: str) -> str:
    """The name of a module for people; that of the whole model is its class."""
    beside = _BESIDE.get(ModulePass(row.direction))
    return beside or printable(row.path or model)


def direction_words(row: ModuleRecord) -> str:
    """The direction of a row, empty where it has none."""
    return "" if ModulePass(row.direction) in _BESIDE else row.direction


def sampled_words(modules: ModulesRecord) -> str:
    """How the figures came about, in a sentence."""
    return (
        f"from {modules.sampled_steps:,} sampled steps; a module is without the modules in it, and its interval speaks "
        f"of the division alone{_wide_words(modules)}"
    )


def _wide_words(modules: ModulesRecord) -> str:
    """A clause on large rows that are not known well, with what to do; empty where there are none."""
    whole = sum(row.joules for row in modules.rows)
    large = [row for row in modules.rows if row.joules > LARGE * whole]
    wide = [row for row in large if max(row.high_joules - row.joules, row.joules - row.low_joules) > WELL * row.joules]
    if not wide:
        return ""
    return (
        f"; {len(wide)} of the {len(large)} rows above {100 * LARGE:.0f} % may be off by more than {100 * WELL:.0f} %: "
        "a longer run tells more, and so does a lower module_every"
    )


def module_lines(modules: ModulesRecord | None, whole: float | None) -> Table | None:
    """The modules that used the most in the steps of a run, for its summary.

    Args:
        modules: The modules, where they are known.
        whole: The energy of the steps in joules, where it is known.
    """
    if modules is None or not whole:
        return None
    rows: list[tuple[str, ...]] = [("Module", "", "energy", "share of steps", "90 %")]
    for row in modules.rows[:MOST_SAID]:
        name = shorten(module_name(row, modules.model), _WIDTH)
        ends = f"{percent(row.low_joules / whole)} to {percent(row.high_joules / whole)}"
        share = percent(min(1.0, row.joules / whole))
        rows.append((f"  {name}", direction_words(row), amount(row.joules, ENERGY), share, ends))
    return Table(rows, "<<>>>")


def module_notes(modules: ModulesRecord | None, whole: float | None) -> list[Line]:
    """What stands below the modules of a summary, by the same arguments."""
    if modules is None or not whole:
        return []
    more = len(modules.rows) - MOST_SAID
    others = f"{more:,} more rows by `lightning-carbon runs modules`; " if more > 0 else ""
    return [Line(f"{others}{sampled_words(modules)}", "  ", "  ")]
