"""What is told of a whole run where there is room for a few values: the summaries and tags of trackers.

One table, as for rows: the documentation is generated from it. What is not known is absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.energy.readings import kind_word
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.records.accounting import MarketRecord, WaterRecord
    from lightning_carbon.records.machine_record import MachineRecord
    from lightning_carbon.records.run import RunRecord


class Fact(NamedTuple):
    """Something that is told of a whole run.

    Args:
        name: Its name in trackers.
        unit: Its unit; empty for a text.
        meaning: What it says, in one line.
        of: Its value for a record, or ``None`` where it is not known.
    """

    name: str
    unit: str
    meaning: str
    of: Callable[[RunRecord], float | str | None]


def _known(record: RunRecord, value: float | None) -> float | None:
    """A figure of the energy, where there is any."""
    return None if record.energy.total_joules is None else value


def _measured_ratio(record: RunRecord) -> float | None:
    total = record.energy.total_joules
    return min(1.0, record.energy.measured_joules / total) if total else None


def _of_machine(figure: Callable[[MachineRecord], float]) -> Callable[[RunRecord], float | None]:
    return lambda record: None if record.machine is None else figure(record.machine)


def _of_market(figure: Callable[[MarketRecord], float]) -> Callable[[RunRecord], float | None]:
    return lambda record: None if record.carbon.market is None else figure(record.carbon.market)


def _of_water(figure: Callable[[WaterRecord], float]) -> Callable[[RunRecord], float | None]:
    return lambda record: None if record.water is None else figure(record.water)


def _provenance(record: RunRecord) -> str | None:
    """How the energy of each kind of hardware came about, such as ``GPU counter, CPU modelled``."""
    found = {f"{kind_word(domain.kind)} {domain.provenance}": None for domain in record.energy.domains}
    return ", ".join(found) or None


def _region(record: RunRecord) -> str:
    intensity = record.carbon.intensity
    return f"{intensity.place}, assumed" if intensity.assumed else intensity.place


FACTS: tuple[Fact, ...] = (
    Fact("energy/run_joules", "J", "energy of the run's chips, without PUE", lambda record: record.energy.total_joules),
    Fact(
        "energy/run_low_joules",
        "J",
        "the lower end of its range",
        lambda record: _known(record, record.energy.low_joules),
    ),
    Fact(
        "energy/run_high_joules",
        "J",
        "the upper end of its range",
        lambda record: _known(record, record.energy.high_joules),
    ),
    Fact("energy/measured_ratio", "1", "share of it that sensors measured; the rest was modelled", _measured_ratio),
    Fact(
        "energy/run_coverage_ratio",
        "1",
        "share of the run that readings cover, mean over the domains",
        lambda record: _known(record, record.energy.coverage_ratio),
    ),
    Fact(
        "energy/run_machine_kwh",
        "kWh",
        "energy of the run's machines at their plugs: chips and the rest, without PUE",
        _of_machine(lambda machine: machine.joules / JOULES_PER_KILOWATT_HOUR),
    ),
    Fact(
        "energy/run_machine_low_kwh",
        "kWh",
        "the lower end of its range",
        _of_machine(lambda machine: machine.low_joules / JOULES_PER_KILOWATT_HOUR),
    ),
    Fact(
        "energy/run_machine_high_kwh",
        "kWh",
        "the upper end of its range",
        _of_machine(lambda machine: machine.high_joules / JOULES_PER_KILOWATT_HOUR),
    ),
    Fact(
        "carbon/run_grams_co2e",
        "gCO2e",
        "CO2e of the run, PUE included, by the grid of its place",
        lambda record: record.carbon.grams_co2e,
    ),
    Fact("carbon/run_low_grams_co2e", "gCO2e", "the lower end of its range", lambda record: record.carbon.low),
    Fact("carbon/run_high_grams_co2e", "gCO2e", "the upper end of its range", lambda record: record.carbon.high),
    Fact(
        "carbon/intensity_grams_per_kwh",
        "gCO2e/kWh",
        "carbon intensity that the energy is priced with",
        lambda record: record.carbon.intensity.value,
    ),
    Fact("carbon/pue", "1", "PUE that it is priced with", lambda record: record.carbon.pue.value),
    Fact(
        "carbon/run_market_grams_co2e",
        "gCO2e",
        "CO2e of the run, PUE included, by the contract in `market_intensity`",
        _of_market(lambda market: market.grams_co2e),
    ),
    Fact(
        "carbon/run_market_low_grams_co2e",
        "gCO2e",
        "the lower end of its range",
        _of_market(lambda market: market.low),
    ),
    Fact(
        "carbon/run_market_high_grams_co2e",
        "gCO2e",
        "the upper end of its range",
        _of_market(lambda market: market.high),
    ),
    Fact(
        "carbon/market_intensity_grams_per_kwh",
        "gCO2e/kWh",
        "carbon intensity of that contract",
        _of_market(lambda market: market.intensity.value),
    ),
    Fact(
        "water/run_litres",
        "l",
        "water that the site used for the run, where `wue` is given",
        _of_water(lambda water: water.litres),
    ),
    Fact("water/run_low_litres", "l", "the lower end of its range", _of_water(lambda water: water.low)),
    Fact("water/run_high_litres", "l", "the upper end of its range", _of_water(lambda water: water.high)),
    Fact(
        "water/wue_litres_per_kwh",
        "l/kWh",
        "WUE that it is reckoned with",
        _of_water(lambda water: water.wue.value),
    ),
    Fact("carbon/region", "", "place of the carbon intensity as it was typed, and whether it is assumed", _region),
    Fact("carbon/intensity_source", "", "publisher of that intensity", lambda record: record.carbon.intensity.source),
    Fact(
        "carbon/boundary",
        "",
        "whose energy is priced: that of the `machine`, or of its `chips` where no more is known",
        lambda record: record.carbon.boundary,
    ),
    Fact("energy/provenance", "", "how the energy of each kind of hardware came about", _provenance),
    Fact("energy/status", "", "how the run ended", lambda record: record.status),
    Fact("energy/run_id", "", "name of the run in the ledger", lambda record: record.run_id),
)
"""The one table of what is told of a whole run."""


def figures_of(record: RunRecord, prefix: str = "") -> dict[str, float]:
    """The numbers of a run.

    Args:
        record: Its record.
        prefix: Put before every name.
    """
    values = ((fact.name, fact.of(record)) for fact in FACTS)
    return {prefix + name: float(value) for name, value in values if value is not None and not isinstance(value, str)}


def words_of(record: RunRecord, prefix: str = "") -> dict[str, str]:
    """The texts of a run.

    Args:
        record: Its record.
        prefix: Put before every name.
    """
    values = ((fact.name, fact.of(record)) for fact in FACTS)
    return {prefix + name: value for name, value in values if isinstance(value, str)}


def facts_table() -> str:
    """The table of facts in Markdown, as the documentation has it."""
    lines = ["| name | unit | meaning |", "|---|---|---|"]
    lines += [f"| `{fact.name}` | {fact.unit or 'text'} | {fact.meaning} |" for fact in FACTS]
    return "\n".join(lines)
