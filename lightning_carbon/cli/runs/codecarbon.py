"""The ``emissions.csv`` of CodeCarbon as records of runs, marked with whose figures they hold.

The columns are those of ``EmissionsData`` in CodeCarbon (codecarbon/output_methods/emissions_data.py, versions 2 and 3;
2026): energy in kWh by CPU, GPU and memory, emissions in kg CO2e, the end of the run in local time without its zone,
which is taken as UTC. The file does not say how a figure came about (counter, power limit or a constant), so no figure
counts as measured here.
"""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.errors import RecordError
from lightning_carbon.records.run import SCHEMA, CarbonRecord, DomainRecord, EnergyRecord, RunRecord, Status
from lightning_carbon.settings import PROJECT
from lightning_carbon.sources.host.model import RATED_POWER_UNCERTAINTY_RATIO
from lightning_carbon.units import GRAMS_PER_KILOGRAM, JOULES_PER_KILOWATT_HOUR
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

NEEDED: Final = (
    *("timestamp", "project_name", "duration", "emissions", "cpu_energy", "gpu_energy", "ram_energy"),
    *("energy_consumed",),
)
"""The columns without which a file is none of CodeCarbon's."""
_UNCERTAINTY_RATIO: Final = RATED_POWER_UNCERTAINTY_RATIO
"""The half width of the range of each figure: that of this meter's own coarsest model, as the file names no method."""
_DOMAINS: Final = (
    ("gpu_energy", Kind.GPU, "gpu_model", "GPU"),
    ("cpu_energy", Kind.PACKAGE, "cpu_model", "CPU"),
    ("ram_energy", Kind.DRAM, "", "memory"),
)
_FULL_COVERAGE: Final = 1.0


@dataclass(frozen=True, slots=True)
class _CsvRow:
    """A line of the file.

    Args:
        number: Its number in the file, from 1 for the head.
        cells: Its cells by the names of columns.
    """

    number: int
    cells: Mapping[str, str | None]

    def text(self, name: str) -> str:
        """The text of a cell; empty where there is none."""
        return (self.cells.get(name) or "").strip()

    def figure(self, name: str) -> float:
        """The figure in a cell, zero or more.

        Raises:
            RecordError: There is none.
        """
        text = self.text(name)
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not isfinite(value) or value < 0:
            message = f"line {self.number}: {name} is {text!r:.40}, where a figure of zero or more should be"
            raise RecordError(message)
        return value


def records_of(text: str, project: str | None = None) -> list[RunRecord]:
    """The runs in an ``emissions.csv``; of several lines of a run, the last counts, which has all of it.

    Args:
        text: The file.
        project: The project of all of them, instead of that of each line.

    Raises:
        RecordError: It is no such file, or a line cannot be read.
    """
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
        if missing:
            message = f"it lacks the columns {', '.join(missing)} of CodeCarbon's emissions.csv"
            raise RecordError(message)
        lines = [_CsvRow(number, cells) for number, cells in enumerate(rows, 2)]
    except csv.Error as error:
        message = f"it is no CSV: {error}"
        raise RecordError(message) from error
    last = {line.text("run_id") or f"line {line.number}": line for line in lines}
    return [_record_of(line, project) for line in last.values()]


def _record_of(line: _CsvRow, project: str | None) -> RunRecord:
    try:
        ended = datetime.fromisoformat(line.text("timestamp"))
        ended = ended.replace(tzinfo=UTC) if ended.tzinfo is None else ended.astimezone(UTC)
        started = ended - timedelta(seconds=line.figure("duration"))
    except (ValueError, OverflowError) as error:
        if isinstance(error, RecordError):
            raise
        message = f"line {line.number}: timestamp is {line.text('timestamp')!r:.40}, where a moment should be"
        raise RecordError(message) from None
    return RunRecord(
        schema=SCHEMA,
        run_id=f"{started:%Y%m%dT%H%M%SZ}-{_digest(line)}",
        project=project or _project_of(line),
        run_name=None,
        status=Status.COMPLETED.value,
        started_at=f"{started:%Y-%m-%dT%H:%M:%SZ}",
        ended_at=f"{ended:%Y-%m-%dT%H:%M:%SZ}",
        duration_seconds=line.figure("duration"),
        steps=0,
        samples=None,
        tokens=None,
        phase_seconds={},
        step_joules=None,
        host={
            "name": None,
            "imported_from": _writer(line),
            "system": line.text("os") or None,
            "python": line.text("python_version") or None,
        },
        energy=_energy_of(line),
        carbon=_carbon_of(line),
    )


def _energy_of(line: _CsvRow) -> EnergyRecord:
    method = f"{_writer(line)}, its emissions.csv, which names no method"
    if line.text("tracking_mode"):
        method += f"; tracking mode {line.text('tracking_mode')}"
    domains = []
    for column, kind, model, word in _DOMAINS:
        joules = line.figure(column) * JOULES_PER_KILOWATT_HOUR
        if joules or kind is not Kind.GPU:
            name = line.text(model) or word
            domains.append(
                DomainRecord(
                    *(f"{kind}:codecarbon", kind.value, name, joules, Provenance.MODELLED.value),
                    *(_FULL_COVERAGE, _UNCERTAINTY_RATIO, method),
                    low_joules=joules * (1 - _UNCERTAINTY_RATIO),
                    high_joules=joules * (1 + _UNCERTAINTY_RATIO),
                )
            )
    total = sum(domain.joules for domain in domains)
    low, high = total * (1 - _UNCERTAINTY_RATIO), total * (1 + _UNCERTAINTY_RATIO)
    return EnergyRecord(total, 0.0, total, low, high, _FULL_COVERAGE, tuple(domains), {})


def _carbon_of(line: _CsvRow) -> CarbonRecord:
    """The emissions as the file has them, with the intensity that they imply."""
    grams = line.figure("emissions") * GRAMS_PER_KILOGRAM
    pue = max(1.0, line.figure("pue")) if line.text("pue") else 1.0
    consumed = line.figure("energy_consumed")
    factor = grams / (consumed * pue) if consumed else 0.0
    place = line.text("country_iso_code") or "custom"
    source = f"{_writer(line)}, emissions over energy"
    intensity = Intensity(factor, factor, factor, source, None, "as CodeCarbon counts", place, assumed=False)
    usage = PowerUsage(pue, pue, pue, _writer(line), assumed=False)
    spread = _UNCERTAINTY_RATIO
    return CarbonRecord(grams, grams * (1 - spread), grams * (1 + spread), intensity, usage)


def _writer(line: _CsvRow) -> str:
    return f"CodeCarbon {line.text('codecarbon_version')}".strip()


def _project_of(line: _CsvRow) -> str:
    """The project of a line, as the meter takes it; its default where the line names none.

    Raises:
        ConfigError: No project can have that name.
    """
    return PROJECT.check(line.text("project_name") or None)


def _digest(line: _CsvRow) -> str:
    """Eight digits that are the same for the same run, however often it is read."""
    told = line.text("run_id") or repr(sorted(line.cells.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:8]
