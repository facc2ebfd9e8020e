"""Write the parts of the documentation that the code knows better: tables in docs/, and two whole pages there.

    python tools/update_docs.py             # after a change to a metric, or to a key of a record or a measurement
    python tools/update_docs.py --check     # writes nothing; fails where something would change

Places come from ``lightning_carbon.grid``; settings come from ``lightning_carbon.settings``; metrics come from
``lightning_carbon.records.rows.METRICS``; what is told of a whole run comes from
``lightning_carbon.records.conclusion.FACTS``, and what trackers hold of it from tests/data/trackers.json; the study's
Table 3 is a part of what ``lightning-carbon study published --markdown`` prints; keys come from the dataclasses in
``lightning_carbon.records.run`` and ``lightning_carbon.study.measured.measurement``
and what their docstrings say of them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

from docstring_parser import parse

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.carbon.interval import Interval
from lightning_carbon.carbon.rest import RestModel
from lightning_carbon.carbon.series import SeriesUse
from lightning_carbon.carbon.water import WaterUsage
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.tables import clouds, countries, parts, zones
from lightning_carbon.integrations.shared.trainer_settings import LIGHTNING_ONLY, LIGHTNING_SETTINGS, TRAINER_ONLY
from lightning_carbon.ports import Finding
from lightning_carbon.records.accounting import MarketRecord, ScopesRecord, WaterRecord
from lightning_carbon.records.budget_record import BudgetRecord
from lightning_carbon.records.conclusion import FACTS, facts_table
from lightning_carbon.records.conditions import DeviceRecord
from lightning_carbon.records.machine_record import HostMachine, MachineRecord
from lightning_carbon.records.overlaps import Overlap
from lightning_carbon.records.rows import metrics_table
from lightning_carbon.records.run import (
    SCHEMA,
    CarbonRecord,
    DomainRecord,
    EnergyRecord,
    RankRecord,
    RunRecord,
)
from lightning_carbon.records.waste import Waste
from lightning_carbon.report.sheets import as_markdown
from lightning_carbon.study.measured.measurement import MEASUREMENT_SCHEMA, DomainPower, Measurement, Speed
from lightning_carbon.study.measured.settling import Settling
from lightning_carbon.study.measured.training_length import TrainingLength
from lightning_carbon.study.published.tables import published_rows, published_sheets

ROOT = Path(__file__).resolve().parents[1]

Kind = type | dict[str, str]
"""A dataclass, or the keys and meanings of what is stored in another form than it is held."""

# The two factors are stored as they are looked up, so the docstrings of those speak for both.
TOTALS = {
    "joules": "Energy of the chips, without PUE; ``None`` where no attempt could be measured.",
    "grams_co2e": "What it stands for, each attempt priced as its own record says; ``None`` without energy.",
    "steps": "How many steps it holds.",
    "samples": "How many samples they had; ``None`` where nobody told.",
    "tokens": "How many tokens they had; ``None`` where nobody told.",
}
TRACKER_NAMES = {
    "aim": "Aim",
    "clearml": "ClearML",
    "comet": "Comet",
    "mlflow": "MLflow",
    "trackio": "trackio",
    "wandb": "Weights & Biases",
}
TRAINER_NAMES = {"accelerate": "Accelerate", "huggingface": "Hugging Face", "lightning": "Lightning"}
IN_RECORD: dict[str, Kind] = {
    "energy": EnergyRecord,
    "energy.domains[]": DomainRecord,
    "energy.domains[].device": DeviceRecord,
    "energy.absent[]": Finding,
    "energy.interval": Interval,
    "waste[]": Waste,
    "carbon": CarbonRecord,
    "carbon.intensity": Intensity,
    "carbon.interval": Interval,
    "carbon.pue": PowerUsage,
    "carbon.series": SeriesUse,
    "carbon.market": MarketRecord,
    "carbon.scopes": ScopesRecord,
    "ranks[]": RankRecord,
    "overlaps[]": Overlap,
    "attempts[]": {
        "run_id": "Its run.",
        "status": "How it ended; ``unknown`` where it is not in this ledger.",
        "joules": "What it used; where it is not in this ledger, what the checkpoint knew of it, and ``None`` where it "
        "could not be measured.",
        "grams_co2e": "What that stands for.",
    },
    "lineage": TOTALS,
    "spent": TOTALS,
    "machine": MachineRecord,
    "machine.interval": Interval,
    "machine.hosts[]": HostMachine,
    "machine.hosts[].model": RestModel,
    "water": WaterRecord,
    "budget": BudgetRecord,
    "water.wue": WaterUsage,
}
IN_MEASUREMENT: dict[str, Kind] = {
    "settling": Settling,
    "domains[]": DomainPower,
    "speed": Speed,
    "absent[]": Finding,
    "extent": TrainingLength,
}

HEAD = f"""# The record of a run

<!-- Written by tools/update_docs.py from lightning_carbon/records/run.py. -->

`record.json` in the run's folder, schema {SCHEMA}. Within a schema, keys are only ever added. What is not known is
`null`. Energy is that of the chips, and below `machine` that of the machines at their plugs, both without PUE; CO2e
includes PUE, and says whose energy it is (`carbon.boundary`). Carbon intensities are in gCO2e/kWh.

| key | meaning |
|---|---|
"""

MEASUREMENT_HEAD = f"""# The measurement of a model

<!-- Written by tools/update_docs.py from lightning_carbon/study/measured/measurement.py. -->

`measurement.json` beside the run's record, by `lightning-carbon study measure`, schema {MEASUREMENT_SCHEMA}. Within a
schema, keys are only ever added. What is not known is `null`. It holds no prices: rows are priced when they are shown.

| key | meaning |
|---|---|
"""


def table_3() -> str:
    """The study's Table 3, as ``lightning-carbon study published --markdown`` prints it."""
    return next(as_markdown(sheet) for sheet in published_sheets(published_rows()) if "Table 3" in sheet.title)


def settings_table() -> str:
    """The settings of every meter, and those that callbacks alone have."""
    lines = ["| argument | unset | instead of the argument | meaning |", "|---|---|---|---|"]
    for setting in LIGHTNING_SETTINGS:
        only = (
            "Lightning only. " if setting in LIGHTNING_ONLY else "Callbacks only. " if setting in TRAINER_ONLY else ""
        )
        meaning = f"{only}{setting.summary} {setting.details}".strip()
        variable = f"`{setting.variable}`" if setting.variable else ""
        cells = (f"`{setting.name}`", setting.otherwise, variable, meaning)
        lines.append(f"| {' | '.join(cells)} |".replace("``", "`").replace("|  |", "| |"))
    return "\n".join(lines)


def trackers_table() -> str:
    """What each tracker held of a run in the tests with its library."""
    seen = json.loads((ROOT / "tests" / "data" / "trackers.json").read_text(encoding="utf-8"))
    lines = ["| tracker | version | from | facts | settings | record | figure |", "|---|---|---|---|---|---|---|"]
    for key in sorted(seen, key=lambda key: key.split()[::-1]):
        (trainer, tracker), held = key.split(), seen[key]
        told = [f"{held['facts']} of {len(FACTS)}", str(held["settings"])]
        told += ["yes" if held[part] else "no" for part in ("record", "images")]
        lines.append(f"| {' | '.join((TRACKER_NAMES[tracker], held['version'], TRAINER_NAMES[trainer], *told))} |")
    return "\n".join(lines)


# Forms in which people type where their electricity is from.
TYPED: tuple[str | dict[str, float], ...] = (
    *("SE", "swe", "Sweden", "UK", "Türkiye", "IND", "World", "US-CA", "California", "CAMX", "CA-QC", "Québec", "SE3"),
    *("CN-GD", "aws:eu-north-1", "gcp:europe-west4", "azure:westeurope", "mix:google-2019", "coal=0.3,wind=0.7"),
    {"hydro": 0.5, "nuclear": 0.5},
)
# What is asked about instead.
ASKED: tuple[str | dict[str, float], ...] = (
    *("us-east-1", "Georgia", "Korea", "NY", "Untied States", "aws:eu-nort-1"),
    {"coal": 30.0, "wind": 70.0},
    {"coal": 0.3, "wind": 0.6},
)


def places_table() -> str:
    """The factor of places in the forms that people type."""
    lines = ["| typed | gCO2e/kWh | range | year | basis | source, licence |", "|---|---|---|---|---|---|"]
    for typed in TYPED:
        found = intensity_of(typed)
        figures = (f"{found.value:.4g}", f"{found.low:.4g} to {found.high:.4g}", str(found.year or ""))
        lines.append(f"| {' | '.join((f'`{typed}`', *figures, found.basis, f'{found.source}, {found.licence}'))} |")
    return "\n".join(lines).replace("|  |", "| |")


def asked_table() -> str:
    """The hints for what names no place, or several."""
    lines = ["| typed | the error says |", "|---|---|"]
    for typed in ASKED:
        try:
            intensity_of(typed)
        except ConfigError as error:
            lines.append(f"| `{typed}` | {error.fix.partition(' Give an ISO')[0]} |")
    return "\n".join(lines)


def sources_table() -> str:
    """The packaged publishers, with how many places each has."""
    rows: dict[tuple[str, str, str], int] = {}
    for place in (*countries().values(), *zones().values(), *parts().values()):
        key = (place.source, place.basis, place.licence)
        rows[key] = rows.get(key, 0) + 1
    google = intensity_of("gcp:us-central1")
    own = sum(region.grams is not None for region in clouds().values())
    rows[google.source, google.basis, google.licence] = own
    lines = ["| source | basis | licence | places |", "|---|---|---|---|"]
    lines += [f"| {' | '.join((*key, str(count)))} |" for key, count in rows.items()]
    return "\n".join(lines)


# Each stands in its page between <!-- NAME: written by tools/update_docs.py --> and <!-- end of NAME -->.
PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "docs/metrics.md": {"metrics": metrics_table},
    "docs/places.md": {"places": places_table, "asked": asked_table, "sources": sources_table},
    "docs/settings.md": {"settings": settings_table},
    "docs/study.md": {"table 3": table_3},
    "docs/trackers.md": {"facts": facts_table, "trackers": trackers_table},
}


def with_parts(page: str, text: str) -> str:
    """A page with its present tables.

    Args:
        page: Its name.
        text: The page as it is.

    Raises:
        SystemExit: It has lost the marks that a table goes between.
    """
    for name, part in PARTS[page].items():
        begin, end = f"<!-- {name}: written by tools/update_docs.py -->\n", f"<!-- end of {name} -->\n"
        found = re.findall(f"{re.escape(begin)}.*?{re.escape(end)}", text, re.DOTALL)
        if len(found) != 1:
            raise SystemExit(f"{page} needs these two lines, once:\n{begin}{end}")
        text = text.replace(found[0], f"{begin}\n{part()}\n\n{end}")
    return text


def record_page() -> str:
    """docs/record.md."""
    return HEAD + "".join(f"| `{key}` | {meaning} |\n" for key, meaning in keys(RunRecord, IN_RECORD))


def measurement_page() -> str:
    """docs/measurement.md."""
    lines = (f"| `{key}` | {meaning} |\n" for key, meaning in keys(Measurement, IN_MEASUREMENT))
    return MEASUREMENT_HEAD + "".join(lines)


def keys(kind: Kind, inside: dict[str, Kind], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every key that a dataclass is stored with, and its meaning.

    Args:
        kind: The dataclass, or its keys with their meanings.
        inside: What lies within it, by their keys.
        prefix: What stands before its keys.

    Raises:
        SystemExit: A key has no meaning.
    """
    if isinstance(kind, dict):
        yield from ((f"{prefix}{name}", _as_markdown(meaning)) for name, meaning in kind.items())
        return
    said = {
        argument.arg_name: " ".join((argument.description or "").split())
        for argument in parse(kind.__doc__ or "").params
    }
    for field in fields(kind):
        if field.name == "location" or not field.metadata.get("stored", True):
            continue  # is not stored: such as where the record was read from
        if not said.get(field.name):
            raise SystemExit(f"the docstring of {kind.__name__} says nothing of {field.name}")
        many = str(field.type).startswith("tuple") and f"{prefix}{field.name}[]" in inside
        key = f"{prefix}{field.name}[]" if many else prefix + field.name
        yield key, _as_markdown(said[field.name])
        if key in inside:
            yield from keys(inside[key], inside, f"{key}.")


def _as_markdown(meaning: str) -> str:
    return meaning.replace("``", "`").replace("`None`", "`null`").replace("|", "\\|")


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write the parts of the documentation that the code knows better.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something would change")
    check: bool = parser.parse_args().check

    wanted = {
        **{ROOT / page: with_parts(page, (ROOT / page).read_text(encoding="utf-8")) for page in PARTS},
        ROOT / "docs" / "record.md": record_page(),
        ROOT / "docs" / "measurement.md": measurement_page(),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if check and stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"{names}: out of date; run python tools/update_docs.py")
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
